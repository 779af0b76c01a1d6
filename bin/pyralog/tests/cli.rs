//! The command line, run as people run it: the built binary, its exit codes and
//! what it prints. (This test also makes cargo build the binary, which the
//! whole-system tests then find.)

#[path = "cli/bench.rs"]
mod bench;
#[path = "cli/config.rs"]
mod config;
#[path = "cli/coordination.rs"]
mod coordination;
#[path = "cli/data_files.rs"]
mod data_files;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/docs.rs"]
mod docs;
#[path = "cli/get.rs"]
mod get;
#[path = "cli/groups.rs"]
mod groups;
#[path = "cli/http.rs"]
mod http;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/logs.rs"]
mod logs;
#[path = "cli/node.rs"]
mod node;
#[path = "cli/process.rs"]
mod process;
#[path = "cli/produce.rs"]
mod produce;
#[path = "cli/scrub.rs"]
mod scrub;
#[path = "cli/sql.rs"]
mod sql;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/tiers.rs"]
mod tiers;
#[path = "cli/verify.rs"]
mod verify;
#[path = "cli/verify_keys.rs"]
mod verify_keys;
