//! What a partition tells those who remove its old records, and what it keeps for
//! them: the settings, how far it is compacted, and segments that are out of use.

use super::PartitionLog;
use crate::LogError;
use crate::appender::remove_segment_files;
use crate::mutation::Planted;
use crate::paths::KEYS_DIR;
use crate::segment::{SEGMENT_HEADER_BYTES, Segment};
use pyralog_env::Monotonic;
use pyralog_model::{Offset, UpkeepSettings};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

/// Nothing is done to old records before somebody has said what.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    settings: Option<UpkeepSettings>,
    cleaned: Offset,
    /// Where the segment begins that grows, and when it was first asked about.
    growing: Option<(Offset, Monotonic)>,
    /// Other files hold their offsets; readers may still have them in hand.
    retired: Vec<Arc<Segment>>,
}

/// A segment, as far as its age and size matter. The tail counts as a part of the
/// last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentFacts {
    pub(crate) base: Offset,
    pub(crate) end: Offset,
    pub(crate) bytes: u64,
    /// The greatest timestamp in milliseconds; below 0 if no record has one.
    pub(crate) max_timestamp: i64,
    /// That of the first batch, where it is known.
    pub(crate) first_timestamp: Option<i64>,
    /// Nothing is appended to it any more.
    pub(crate) is_sealed: bool,
}

impl SegmentFacts {
    pub(crate) fn is_empty(&self) -> bool {
        self.base == self.end
    }
}

impl PartitionLog {
    /// Says what becomes of old records from now on. True if that is new.
    pub fn set_upkeep(&self, settings: UpkeepSettings) -> bool {
        self.upkeep().settings.replace(settings) != Some(settings)
    }

    /// What becomes of old records, once somebody has said so.
    pub fn upkeep_settings(&self) -> Option<UpkeepSettings> {
        self.upkeep().settings
    }

    /// For how long, at the least, the segment that begins at `base` has been growing.
    pub(crate) fn growing_for(&self, base: Offset, at: Monotonic) -> Duration {
        let mut upkeep = self.upkeep();
        match upkeep.growing.filter(|(known, _)| *known == base) {
            Some((_, since)) => at.since(since),
            None => {
                upkeep.growing = Some((base, at));
                Duration::ZERO
            }
        }
    }

    /// Of the records before this offset none has a key that a later one of them has.
    pub fn cleaned(&self) -> Offset {
        self.upkeep().cleaned
    }

    /// True if compaction has taken records out, so that offsets may be missing.
    pub fn has_gaps(&self) -> bool {
        self.view(|view| view.segments.iter().any(|segment| segment.is_rewritten()))
    }

    /// The offset after the last sealed segment; the start if none is sealed.
    pub fn sealed_end(&self) -> Offset {
        self.view(|view| match view.segments.split_last() {
            Some((last, _)) if !last.is_rewritten() => last.base().max(view.log_start),
            Some((last, _)) => last.extent(|extent| extent.end),
            None => view.log_start,
        })
    }

    /// Where an index of its keys belongs.
    pub fn keys_dir(&self) -> PathBuf {
        self.dir.join(KEYS_DIR)
    }

    /// The sealed segments up to the one that ends at `end`.
    pub(crate) fn sealed_to(&self, end: Offset) -> Vec<Arc<Segment>> {
        self.view(|view| {
            let within = |segment: &&Arc<Segment>| segment.extent(|extent| extent.end) <= end;
            view.segments.iter().take_while(within).cloned().collect()
        })
    }

    /// The bug that is planted in this partition, if any.
    pub(crate) fn planted(&self) -> Planted {
        self.planted
    }

    /// A number for a file that is about to be written: no other has it, not even one of
    /// which it is not known whether the manifest names it.
    pub(crate) fn next_generation(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn set_cleaned(&self, cleaned: Offset) {
        let mut upkeep = self.upkeep();
        upkeep.cleaned = upkeep.cleaned.max(cleaned);
    }

    /// The offset after the last segment that was rewritten: nothing before it is cut
    /// back, for nobody may cut back what is committed.
    pub(crate) fn rewritten_end(&self) -> Offset {
        self.view(|view| {
            let rewritten = view.segments.iter().rev().find(|segment| segment.is_rewritten());
            rewritten.map_or(Offset::ZERO, |segment| segment.extent(|extent| extent.end))
        })
    }

    pub(crate) fn segment_facts(&self) -> Vec<SegmentFacts> {
        self.view(|view| {
            let sealed = view.segments.len().saturating_sub(1);
            let of_segment = |(place, segment): (usize, &Arc<Segment>)| {
                segment.extent(|extent| SegmentFacts {
                    base: segment.base(),
                    end: extent.end,
                    bytes: extent.bytes - SEGMENT_HEADER_BYTES as u64,
                    max_timestamp: extent.index.max_timestamp,
                    first_timestamp: extent.first_timestamp,
                    is_sealed: place < sealed || segment.is_rewritten(),
                })
            };
            let mut facts: Vec<SegmentFacts> =
                view.segments.iter().enumerate().map(of_segment).collect();
            let Some(first) = view.tail.front() else { return facts };
            if facts.last().is_none_or(|last| last.is_sealed) {
                facts.push(SegmentFacts {
                    base: first.header.base_offset,
                    end: first.header.base_offset,
                    bytes: 0,
                    max_timestamp: i64::MIN,
                    first_timestamp: None,
                    is_sealed: false,
                });
            }
            let last = facts.last_mut().expect("there is one by now");
            last.end = view.end;
            last.bytes += view.tail_bytes as u64;
            let tail = view.tail.iter().map(|frame| frame.max_timestamp);
            last.max_timestamp = tail.max().unwrap_or(i64::MIN).max(last.max_timestamp);
            last.first_timestamp.get_or_insert(first.max_timestamp);
            facts
        })
    }

    /// Keeps segments whose offsets other files hold by now until nobody reads them.
    pub(crate) fn retire(&self, segments: Vec<Arc<Segment>>) {
        self.upkeep().retired.extend(segments);
    }

    /// Removes the files of segments that are out of use and that nobody has in hand.
    /// Returns how many could not be removed yet. What a crash leaves of them the next
    /// start removes.
    ///
    /// # Errors
    /// The disk's; the rest is left for the next time.
    pub fn sweep(&self) -> Result<usize, LogError> {
        let retired = std::mem::take(&mut self.upkeep().retired);
        let (free, mut held): (Vec<_>, Vec<_>) =
            retired.into_iter().partition(|segment| Arc::strong_count(segment) == 1);
        let mut swept = Ok(());
        for segment in free {
            // Whoever deletes the log removes all of it.
            if swept.is_ok() && !self.is_gone()? {
                swept = remove_segment_files(self, segment.name);
            }
            if swept.is_err() {
                held.push(segment);
            }
        }
        let left = held.len();
        self.retire(held);
        swept.map(|()| left)
    }

    fn upkeep(&self) -> MutexGuard<'_, Upkeep> {
        self.upkeep.lock().expect("no one panics while holding this")
    }
}
