//! The cluster's directory as a pure state machine of indexed commands.
//!
//! Members, logs with their settings, and which nodes hold which partition: the
//! only state that a whole cluster shares. A directory is what its commands
//! made it, so every holder that has applied the same commands in the same
//! order has the same directory, to the byte. There is no I/O, no clock and no
//! chance in here: what is random or timed comes in with the command.

mod apply;
mod codec;
mod command;
mod directory;
mod entry;
mod error;
mod snapshot;
#[cfg(test)]
mod tests;

pub use command::{Command, Outcome};
pub use directory::Directory;
pub use entry::{LogEntry, NodeEntry, PARTITIONS_MAX, Placement, Roles};
pub use error::{DecodeError, DirectoryError};
