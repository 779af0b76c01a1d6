//! SQL over logs: DataFusion on threads of its own, with bounds.
//!
//! ```text
//!  doors ──▶ Queries ──▶ Engine ─ a turn, a share of the memory, a deadline
//!                          │
//!                          ▼ a task on threads of lower priority
//!            parse ─▶ only reads? ─▶ plan ─▶ run ──▶ Rows ──▶ doors
//!                                     │       │
//!                    Catalog, LogTable┘       └PartitionScanExec ─▶ Shen
//! ```
//!
//! - [`Queries`]: the handle that doors hold; [`queries_child`] is the place of the
//!   actor behind it in a tree. [`Rows`] is an answer as it comes, [`Answer`] the same
//!   as JSON or CSV.
//! - `catalog`, `snapshot`, `table`, `columns`: what names mean in one query.
//! - `predicate`, `offset_set`, `ranges`: what need not be read.
//! - `scan`, `decode`: the leaf that reads, and records on their way into columns.
//! - `engine`: threads, memory, turns; `parsing`, `read_only`, `dropped`, `unknown_table`,
//!   `failure`: what is refused, and how it is said; `naming`: columns asked for twice.
//! - `functions`: ours, and guards before those that may make much of little.
//! - `type_names`: types as `DESCRIBE` calls them.
//! - [`SystemSchema`]: the schema `sys`.

mod actor;
mod answer;
mod catalog;
mod columns;
mod counters;
mod decode;
mod dropped;
mod engine;
mod failure;
mod functions;
mod handle;
mod naming;
mod offset_set;
mod parsing;
mod predicate;
mod ranges;
mod read_only;
mod rows;
mod scan;
mod settings;
mod snapshot;
mod system;
mod table;
mod type_names;
mod unknown_table;

pub use actor::{QueriesArguments, QueryEngine, QueryEngineMessage, queries_child};
pub use answer::{Answer, AnswerForm};
pub use counters::QueryCounters;
pub use handle::Queries;
pub use rows::Rows;
pub use settings::{QuerySettings, RunOptions};
pub use system::{ConfigRow, SystemSchema, SystemSources};
