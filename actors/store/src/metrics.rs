//! Counts of the storage threads, readable at any time without asking them.

mod keys;
mod upkeep;

pub use keys::KeyMetrics;
pub use upkeep::UpkeepMetrics;

use keys::KeyGauges;
use pyralog_log::{CommitCounts, RelaxedCounts, ScrubReport};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use upkeep::UpkeepGauges;

/// Upper bounds of the commit latency buckets in microseconds.
const BUCKETS_MICROS: [u64; 14] = [
    50,
    100,
    200,
    400,
    800,
    1_600,
    3_200,
    6_400,
    12_800,
    25_600,
    51_200,
    102_400,
    409_600,
    u64::MAX,
];

/// How many commits took at most this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LatencyBucket {
    /// Upper bound in microseconds; the last one is 2⁶⁴−1.
    pub micros_max: u64,
    /// Commits in this bucket alone.
    pub commits: u64,
}

/// A copy of the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StoreMetrics {
    /// WAL rounds made durable.
    pub rounds: u64,
    /// Writes made durable straight in a segment.
    pub direct_writes: u64,
    /// Batches acknowledged, those of weaker logs among them.
    pub batches: u64,
    /// Bytes of batches acknowledged.
    pub batch_bytes: u64,
    /// Batches acknowledged of logs that promise less than a sync.
    pub relaxed_batches: u64,
    /// Bytes of those.
    pub relaxed_batch_bytes: u64,
    /// Bytes that the records of logs in memory take.
    pub memory_log_bytes: u64,
    /// Appends refused.
    pub refused: u64,
    /// Batches of producers' sessions that were stored before, and answered so.
    pub duplicates: u64,
    /// Batches of producers' sessions that were refused for their sequence.
    pub sequences_refused: u64,
    /// Sum of all commit times in microseconds.
    pub commit_micros: u64,
    /// Commits by duration.
    pub commit_buckets: Vec<LatencyBucket>,
    /// True while the disk has no room for segments.
    pub disk_full: bool,
    /// Bytes of sealed segments that the scrub has read.
    pub scrub_bytes: u64,
    /// Scrubs of all sealed segments that came to their end.
    pub scrub_passes: u64,
    /// Damaged places that the scrub has found, again in each pass.
    pub scrub_damages: u64,
    /// What became of old records.
    pub upkeep: UpkeepMetrics,
    /// Records by their keys.
    pub keys: KeyMetrics,
}

/// The counts themselves. They outlive the actor, so that whoever shows them
/// need not ask it.
#[derive(Debug, Default)]
pub struct StoreGauges {
    rounds: AtomicU64,
    direct_writes: AtomicU64,
    batches: AtomicU64,
    batch_bytes: AtomicU64,
    relaxed_batches: AtomicU64,
    relaxed_batch_bytes: AtomicU64,
    memory_log_bytes: AtomicU64,
    refused: AtomicU64,
    duplicates: AtomicU64,
    sequences_refused: AtomicU64,
    commit_micros: AtomicU64,
    disk_full: AtomicU64,
    scrub_bytes: AtomicU64,
    scrub_passes: AtomicU64,
    scrub_damages: AtomicU64,
    ended_clean: AtomicBool,
    buckets: [AtomicU64; BUCKETS_MICROS.len()],
    pub(crate) upkeep: UpkeepGauges,
    pub(crate) keys: KeyGauges,
}

impl StoreGauges {
    pub(crate) fn committed(&self, counts: CommitCounts, took: Duration) {
        self.rounds.store(counts.rounds, Ordering::Relaxed);
        self.direct_writes.store(counts.direct_writes, Ordering::Relaxed);
        self.batches.store(counts.batches, Ordering::Relaxed);
        self.batch_bytes.store(counts.batch_bytes, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commit_micros.fetch_add(micros, Ordering::Relaxed);
        let bucket = BUCKETS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn relaxed(&self, counts: RelaxedCounts) {
        self.relaxed_batches.store(counts.batches, Ordering::Relaxed);
        self.relaxed_batch_bytes.store(counts.batch_bytes, Ordering::Relaxed);
        self.memory_log_bytes.store(counts.memory_bytes, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn duplicate(&self) {
        self.duplicates.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn sequence_refused(&self) {
        self.sequences_refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn scrubbed(&self, step: &ScrubReport) {
        self.scrub_bytes.fetch_add(step.bytes, Ordering::Relaxed);
        self.scrub_passes.fetch_add(u64::from(step.is_over), Ordering::Relaxed);
        self.scrub_damages.fetch_add(step.findings.len() as u64, Ordering::Relaxed);
    }

    /// Batches acknowledged, ever.
    pub(crate) fn batches(&self) -> u64 {
        self.batches.load(Ordering::Relaxed)
    }

    pub(crate) fn ended_clean(&self) {
        self.ended_clean.store(true, Ordering::Release);
    }

    /// True if the store stopped with everything in synced segments.
    pub fn has_ended_clean(&self) -> bool {
        self.ended_clean.load(Ordering::Acquire)
    }

    pub(crate) fn set_disk_full(&self, full: bool) {
        self.disk_full.store(u64::from(full), Ordering::Relaxed);
    }

    /// A copy of the counts.
    pub fn snapshot(&self) -> StoreMetrics {
        let relaxed_batches = self.relaxed_batches.load(Ordering::Relaxed);
        let relaxed_batch_bytes = self.relaxed_batch_bytes.load(Ordering::Relaxed);
        let buckets = BUCKETS_MICROS.iter().zip(&self.buckets);
        StoreMetrics {
            rounds: self.rounds.load(Ordering::Relaxed),
            direct_writes: self.direct_writes.load(Ordering::Relaxed),
            batches: self.batches.load(Ordering::Relaxed) + relaxed_batches,
            batch_bytes: self.batch_bytes.load(Ordering::Relaxed) + relaxed_batch_bytes,
            relaxed_batches,
            relaxed_batch_bytes,
            memory_log_bytes: self.memory_log_bytes.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            sequences_refused: self.sequences_refused.load(Ordering::Relaxed),
            commit_micros: self.commit_micros.load(Ordering::Relaxed),
            commit_buckets: buckets
                .map(|(&micros_max, commits)| LatencyBucket {
                    micros_max,
                    commits: commits.load(Ordering::Relaxed),
                })
                .collect(),
            disk_full: self.disk_full.load(Ordering::Relaxed) == 1,
            scrub_bytes: self.scrub_bytes.load(Ordering::Relaxed),
            scrub_passes: self.scrub_passes.load(Ordering::Relaxed),
            scrub_damages: self.scrub_damages.load(Ordering::Relaxed),
            upkeep: self.upkeep.snapshot(),
            keys: self.keys.snapshot(),
        }
    }
}
