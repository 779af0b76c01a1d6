//! The cluster's directory as a pure state machine of indexed commands.
//!
//! Members and their starts, logs with their settings, which nodes hold which
//! partition, lanes of Scarab ids, counters: the only state that a whole cluster
//! shares. A directory is what its commands
//! made it, so every holder that has applied the same commands in the same
//! order has the same directory, to the byte. There is no I/O, no clock and no
//! chance in here: what is random or timed comes in with the command.

mod apply;
mod bytes;
mod codec;
mod command;
mod counters;
mod directory;
mod entry;
mod error;
mod history;
mod lanes;
mod mutation;
mod snapshot;
mod version1;
mod version2;

#[cfg(test)]
mod tests;

pub use apply::TOKENS_MAX;
pub use command::{Command, Outcome};
pub use counters::COUNTERS_MAX;
pub use directory::Directory;
pub use entry::{CounterEntry, LaneEntry, LogEntry, NodeEntry, PARTITIONS_MAX, Placement, Roles};
pub use error::{DecodeError, DirectoryError};
pub use history::{Holding, Known};
pub use lanes::TERM_MS_MAX;
#[cfg(any(test, feature = "mutants"))]
pub use mutation::Mutation;
