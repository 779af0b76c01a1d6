//! Counts of what became of old records.

use pyralog_log::CompactionReport;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A copy of the counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UpkeepMetrics {
    /// Offsets that retention has let go of.
    pub expired_offsets: u64,
    /// Bytes of segments that retention has removed.
    pub expired_bytes: u64,
    /// Rounds of compaction.
    pub compactions: u64,
    /// Bytes that compaction has read.
    pub compaction_bytes_read: u64,
    /// Bytes that compaction has written.
    pub compaction_bytes_written: u64,
    /// Records that compaction has left out.
    pub compacted_records: u64,
    /// How long the last round of compaction took, in microseconds.
    pub compaction_micros_last: u64,
    /// How often a partition was given up for a while.
    pub given_up: u64,
    /// The part that is new since the last compaction, in millionths, of the partition
    /// where it is the greatest.
    pub dirty_millionths_max: u32,
}

/// The counts themselves.
#[derive(Debug, Default)]
pub(crate) struct UpkeepGauges {
    expired_offsets: AtomicU64,
    expired_bytes: AtomicU64,
    compactions: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
    records: AtomicU64,
    micros_last: AtomicU64,
    given_up: AtomicU64,
    dirty_millionths_max: AtomicU64,
}

impl UpkeepGauges {
    pub(crate) fn expired(&self, offsets: u64, bytes: u64) {
        self.expired_offsets.fetch_add(offsets, Ordering::Relaxed);
        self.expired_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn compacted(&self, report: &CompactionReport, took: Duration) {
        self.compactions.fetch_add(1, Ordering::Relaxed);
        self.bytes_read.fetch_add(report.bytes_read, Ordering::Relaxed);
        self.bytes_written.fetch_add(report.bytes_written, Ordering::Relaxed);
        self.records.fetch_add(report.records_removed, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros_last.store(micros, Ordering::Relaxed);
    }

    pub(crate) fn gave_up(&self) {
        self.given_up.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_dirty_millionths(&self, millionths: u32) {
        self.dirty_millionths_max.store(u64::from(millionths), Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> UpkeepMetrics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        UpkeepMetrics {
            expired_offsets: count(&self.expired_offsets),
            expired_bytes: count(&self.expired_bytes),
            compactions: count(&self.compactions),
            compaction_bytes_read: count(&self.bytes_read),
            compaction_bytes_written: count(&self.bytes_written),
            compacted_records: count(&self.records),
            compaction_micros_last: count(&self.micros_last),
            given_up: count(&self.given_up),
            dirty_millionths_max: count(&self.dirty_millionths_max) as u32,
        }
    }
}
