//! Owns every storage thread.
//!
//! `storage/` never spawns: it is called. Here are the threads that call it, one
//! set per data directory, started and ended by one actor:
//!
//! ```text
//!  handles ──jobs──▶ committer thread ──tasks──▶ segment writer thread
//!     ▲                 │      ▲                      │
//!     └──completions────┘      └──────reports─────────┘
//!
//!  handles ──jobs──▶ relaxed committer's thread (page-cache, memory) ──tasks──▶ the same
//!
//!  handles ──reads──▶ reader threads (only for what is not in memory)
//!  new records ──▶ keys thread (an index of their keys)
//!  the clock ──▶ upkeep thread (old records) ──tasks──▶ segment writer thread
//!  directory ──commands──▶ keeper thread
//!  time ──▶ scrub thread (reads what was sealed long ago)
//!  arena, lanes ──jobs──▶ worker threads
//! ```
//!
//! Hot paths hold a [`StoreHandle`] that the actor gave out; every channel is
//! bounded. After a failed write or sync the store is FAILSTOP: it refuses every
//! append for the rest of the process, reads go on, and the node ends.

mod checkpoints;
mod committing;
mod handle;
mod health;
mod keeper;
mod keys;
mod metrics;
mod pulse;
mod reading;
mod relaxing;
mod scrubbing;
mod store;
mod thread;
mod upkeep;
mod worker;
mod writing;

pub use checkpoints::{MetaCheckpoints, recovery_checkpoints};
pub use handle::{CommitSlot, StoreHandle};
pub use health::{Health, HealthLatch, Sentinel};
pub use keeper::{Keeper, KeeperError, Kept};
pub use keys::{FoundRecord, KeyOptions, KeyQuestion, KeysError};
pub use metrics::{KeyMetrics, LatencyBucket, StoreGauges, StoreMetrics, UpkeepMetrics};
pub use pulse::Pulse;
pub use store::{Store, StoreArguments, StoreMessage};
pub use upkeep::UpkeepOptions;
pub use worker::Worker;
