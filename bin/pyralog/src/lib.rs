//! The pyralog binary: what the operator typed, and which node or command grows
//! from it.
//!
//! - [`config`]: settings in layers, each with its origin.
//! - [`data_directory`]: the lock, the identity, the boot number; [`cookie`]: the
//!   cluster's secret.
//! - [`listeners`], [`node`], [`run`]: a node from start to ordered shutdown.
//! - [`cli`]: the commands as they are typed; [`command`]: what they do.
//! - [`offline`]: a data directory seen from outside.
//! - [`client`]: the `/v1` API from the other side.
//! - [`demo`]: data to try things out with, and questions about it.
//! - [`bench`]: load over Kafka's protocol, and the disk's own figures.
//! - [`failure`], [`output`], [`suggest`], [`telemetry`]: how it ends, and what
//!   is said.

pub mod bench;
pub mod cli;
pub mod client;
pub mod command;
pub mod config;
pub mod cookie;
pub mod data_directory;
pub mod demo;
pub mod failure;
pub mod listeners;
pub mod node;
pub mod offline;
pub mod output;
pub mod run;
pub mod signals;
pub mod suggest;
pub mod telemetry;
