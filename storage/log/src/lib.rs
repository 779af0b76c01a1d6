//! The durable log.
//!
//! Appends of many partitions become durable together: the committer takes what
//! queued while the last sync ran, writes it as one *round* to a shared
//! write-ahead log and acknowledges. Segments, one growing file per partition at
//! a time, are written behind by a second loop, which then lets the WAL file be
//! used again. Bulk that belongs to one partition skips the WAL and goes straight
//! into its segment.
//!
//! ```text
//!  submissions ──▶ Committer::step ──▶ WAL round ──sync──▶ completions
//!                     │    │                                  │
//!                     │    └─ bulk ─▶ segment ──sync──────────┤
//!                     ▼                                       ▼
//!              tail in memory ◀──────────────── readers ── segments
//!                     │                                       ▲
//!                     └──▶ SegmentWriter::step ──write, sync──┘
//!                               └──▶ checkpoint, then the WAL file is free
//! ```
//!
//! That is for logs that promise what they acknowledge to be on disk. Those that promise
//! less are another committer's, `relaxed`, and keep out of the WAL.
//!
//! Old records go in two ways, both by whole files: `retention` moves the start of a
//! partition, `compaction` puts a new file in the place of others.
//!
//! Nothing here has a thread, a clock or a mailbox: `actors/store` owns the
//! threads and calls in. Formats are drawn in [`frame`], [`wal`] and [`segment`]
//! and in `docs/formats.md`.

pub mod frame;
pub mod inspection;
pub mod segment;
pub mod wal;

mod appender;
mod audit;
mod checkpoint;
mod committer;
mod compaction;
mod durable;
mod error;
#[cfg(test)]
mod fixtures;
mod floor;
mod keyed_crc;
mod manifest;
mod mutation;
mod partition_log;
mod paths;
mod recovery;
mod relaxed;
mod retention;
mod scrub;
mod segment_writer;
mod sessions;
mod sparse_index;
#[cfg(test)]
mod tests;

pub use audit::{AuditReport, AuditRequest, KeysFound, audit};
pub use checkpoint::{CheckpointStore, Checkpoints, PartitionCheckpoint, WalCheckpoint};
pub use committer::{Append, Appended, CommitCounts, Committer, Completion, Opened, Submission};
pub use compaction::{
    CompactionHost, CompactionOptions, CompactionReport, DirtyPart, Replacement, Switched, compact,
    dirty_part,
};
pub use durable::Durable;
pub use error::LogError;
pub use frame::{Frame, FrameHeader, FrameKind};
pub use manifest::{Manifest, RewrittenSegment};
pub use mutation::Mutation;
pub use partition_log::{PartitionLog, PartitionSizes, Slice};
pub use recovery::{LogOptions, Recovered, RecoveryReport, create_partition, delete_log, recover};
pub use relaxed::{RelaxedCommitter, RelaxedCounts};
pub use retention::{Expiry, expiry, is_to_be_sealed};
pub use scrub::{ScrubReport, Scrubber};
pub use segment_writer::{SegmentWriter, WriterReport, WriterTask};
pub use sessions::{Session, SessionBatch, SessionState, SessionTable, Verdict};
