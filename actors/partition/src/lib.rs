//! Partitions, the façade in front of them, and the one who starts and stops
//! them.
//!
//! ```text
//!  doors ──▶ Shen ──▶ Routes ──▶ Gate ──▶ store (committer, readers)
//!             │                   ▲
//!             │ propose           │ gave it out
//!             ▼                   │
//!          Pharaoh ─▶ DirectoryHub ─▶ Reconciler ──starts──▶ Partition actors
//! ```
//!
//! Doors speak to [`Shen`] only and never see a partition's actor. A partition's
//! actor owns its [`Gate`], through which appends are admitted, numbered and
//! queued; it takes the gate out of the routes when it goes. There is one replica
//! for now: the high watermark is what the committer has made durable.

mod gate;
mod in_flight;
mod log_entry;
mod partition;
mod reconciler;
mod routes;
mod sequencer;
mod services;
mod shen;

pub use gate::{Appended, PendingAppend, Watermarks};
pub use log_entry::LogEntry;
pub use partition::{Partition, PartitionArguments, PartitionMessage};
pub use reconciler::{Reconciler, ReconcilerArguments, ReconcilerMessage};
pub use routes::Routes;
pub use services::{EpochLabels, IdSource, PartitionServices};
pub use shen::{
    CreateLog, DataDirectory, FindKey, NodeIdentity, PartitionView, Shen, ShenSettings, Slice,
};
