//! Counts of what was asked of the key indexes, and of what was done for them.

use pyralog_index::WorkKind;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

/// A copy of the counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct KeyMetrics {
    /// Questions about a key in a partition.
    pub lookups: u64,
    /// Records that were found.
    pub found: u64,
    /// Files built of new records, or of records that were not indexed.
    pub built: u64,
    /// Files merged into larger ones.
    pub merged: u64,
    /// Things that could not be done, and are tried again.
    pub failures: u64,
    /// Bytes of files that are held in memory.
    pub cached_bytes: u64,
    /// Bytes of maps of the newest records.
    pub map_bytes: u64,
}

/// The counts themselves.
#[derive(Debug, Default)]
pub(crate) struct KeyGauges {
    lookups: AtomicU64,
    found: AtomicU64,
    built: AtomicU64,
    merged: AtomicU64,
    failures: AtomicU64,
    cached_bytes: AtomicU64,
    map_bytes: AtomicU64,
}

impl KeyGauges {
    pub(crate) fn looked_up(&self, found: usize) {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        self.found.fetch_add(found as u64, Ordering::Relaxed);
    }

    pub(crate) fn worked(&self, kind: WorkKind) {
        match kind {
            WorkKind::Build | WorkKind::Fill => self.built.fetch_add(1, Ordering::Relaxed),
            WorkKind::Merge => self.merged.fetch_add(1, Ordering::Relaxed),
            WorkKind::Save | WorkKind::Sweep => 0,
        };
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_memory(&self, cached_bytes: u64, map_bytes: u64) {
        self.cached_bytes.store(cached_bytes, Ordering::Relaxed);
        self.map_bytes.store(map_bytes, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> KeyMetrics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeyMetrics {
            lookups: count(&self.lookups),
            found: count(&self.found),
            built: count(&self.built),
            merged: count(&self.merged),
            failures: count(&self.failures),
            cached_bytes: count(&self.cached_bytes),
            map_bytes: count(&self.map_bytes),
        }
    }
}
