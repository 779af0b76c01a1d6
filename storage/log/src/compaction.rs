//! Keeping, of the records with one key, the last one.
//!
//! ```text
//!            cleaned                    below
//!  ├─ clean ────┼─ dirty ────────────────┼─ too young, or not sealed ─ …
//!
//!  1. keys of the dirty part ──▶ KeyMap: key ─▶ its last offset    (bounded memory)
//!  2. every segment from the first on: records whose key has a later offset go
//!     …00  …40  …90   ──▶   …00.1          in groups, the oldest first
//!  3. each group: new file, sync, manifest, view; the old files go when no reader
//!     has them any more
//!  4. cleaned moves to where the map ended
//! ```
//!
//! *Last* is by offset and never by a clock. Offsets stay: a batch keeps its first and
//! its last one, whatever is left between them, and batches of which nothing is left
//! go, but for two kinds that stay as empty ones: the last one of a file, so that a
//! file ends where it says, and the last one of a producer's session.
//!
//! A mark of deletion, a record without value, goes in two steps. The round that first
//! finds everything older of its key gone writes into the batch when it may go. A
//! later round, after that time, leaves it out. So a record that it deletes cannot
//! come back: every segment before it is done before it is, in either round, and after
//! a crash as well, since groups are done in their order.
//!
//! What has no key is kept, and so is a batch that cannot be opened.
//!
//! Here is what is decided and written. Who calls, when, how fast, and which thread
//! changes the manifest is asked of a [`CompactionHost`].

mod judging;
mod key_map;
mod output;
mod planning;
mod round;
mod switching;

pub use planning::{DirtyPart, dirty_part};
pub use round::{CompactionOptions, CompactionReport, compact};

use crate::segment::Segment;
use crate::{LogError, PartitionLog, RewrittenSegment};
use pyralog_model::{Lsn, Offset};
use std::sync::Arc;

/// What compaction asks of whoever runs it.
pub trait CompactionHost {
    /// Told of every few bytes that were read or written, before it goes on. False ends
    /// the round, which has then changed nothing that was not whole.
    fn go_on(&mut self, bytes: u64) -> bool;

    /// Has the segment writer put a file in the place of others: `SegmentWriter::replace`.
    ///
    /// # Errors
    /// Those of that function.
    fn replace(
        &mut self,
        log: &Arc<PartitionLog>,
        replacement: Replacement,
    ) -> Result<Switched, LogError>;

    /// Has the segment writer save how far the partition is compacted:
    /// `SegmentWriter::save_cleaned`.
    ///
    /// # Errors
    /// Those of that function.
    fn save_cleaned(&mut self, log: &Arc<PartitionLog>, cleaned: Offset) -> Result<(), LogError>;
}

/// What became of an attempt to put a file in the place of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switched {
    /// It holds their offsets now.
    Done,
    /// The partition does not consist of those any more: it was cut back, or begins
    /// later. Nothing has changed.
    Overtaken,
    /// The disk is so full that it cannot be said. Everything goes on with the old
    /// files; both stay, and the next start decides.
    Unknown,
}

/// A file that is to be put in the place of others, written and synced with its
/// indexes.
#[derive(Debug)]
pub struct Replacement {
    entry: RewrittenSegment,
    segment: Arc<Segment>,
    sources: Vec<Arc<Segment>>,
    /// Of the last frame.
    last_lsn: Lsn,
}
