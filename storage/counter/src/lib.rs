//! Counters that never issue a value twice.
//!
//! Three things count here, and none asks a disk or another node per value:
//!
//! - an [`Arena`] keeps named counters. Values are claimed in mapped memory, and
//!   never above a *bound* that a sync has made durable;
//! - a [`LaneClock`] issues Scarab ids of a leased lane, never above a bound in a
//!   [`BoundFile`] of its own;
//! - a [`Block`] is a run of values that was claimed at once, for one owner.
//!
//! The invariant of all of them, *issued ≤ synced*: every value ever handed out is
//! at or below a bound that was durable before. After an unclean stop counting
//! goes on at the bound: gaps of at most a block, never a value twice, nothing
//! to replay.
//!
//! Nothing here has a thread, a clock or a mailbox: `actors/obelisk` owns the
//! arena and calls what blocks from a thread of its own. `unsafe` is in one file,
//! `cells/mapped.rs`, and is denied everywhere else.

pub mod cells;
pub mod inspection;

mod arena;
mod block;
mod bound_file;
mod copies;
mod counter_handle;
mod entry;
mod error;
#[cfg(test)]
mod fixtures;
mod keyed_crc;
mod lane_clock;
mod mutation;
mod steady_clock;
#[cfg(test)]
mod tests;

pub use arena::{Arena, ArenaOptions, Raise, Raised, Refused, StartReport, Wish};
pub use block::Block;
pub use bound_file::BoundFile;
pub use counter_handle::{ClaimRefusal, CounterHandle, VALUE_MAX};
pub use error::CounterError;
pub use lane_clock::{LaneClock, LaneRefusal};
pub use mutation::Mutation;
pub use steady_clock::SteadyClock;
