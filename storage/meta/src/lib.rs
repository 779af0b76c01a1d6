//! Small transactional things in redb: checkpoints and the directory's commands.
//!
//! Records go to the segments; this crate keeps the few hundred bytes per
//! partition that say where recovery may begin, and the commands that the
//! directory is replayed from. Both are redb databases over our own `Disk`, so
//! that the simulated power cuts reach them too.
//!
//! All calls block on the disk, and all writes are durable when they return.
//! After an error of the disk the store refuses everything. If it was only that
//! there was no room (`DiskFull`), reopen it; anything else is for the next start
//! of the process.

mod backend;
mod checkpoint;
mod command_log;
mod database;
mod error;
mod manifests;
mod meta_store;
mod overlay;
mod record;
mod rewrite;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoints, Manifest, PartitionCheckpoint, RewrittenSegment, WalCheckpoint};
pub use command_log::{CommandLog, LoadedCommands};
pub use error::MetaError;
pub use meta_store::MetaStore;
