//! What a scan has read: for EXPLAIN ANALYZE, and added to the counts of the process.

use crate::counters::Counting;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, ScopedTimerGuard, Time,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one group of a scan.
pub(super) struct ScanMetrics {
    counting: Arc<Counting>,
    /// Time in which it computes, which every operator shows.
    elapsed_compute: Time,
    bytes_read: Count,
    batches_read: Count,
    records_read: Count,
    records_decoded: Count,
    values_coerced_to_null: Count,
    time_decoding: Time,
    /// Time in which the storage is waited for.
    pub(super) time_reading: Time,
}

impl ScanMetrics {
    pub(super) fn new(
        metrics: &ExecutionPlanMetricsSet,
        baseline: &BaselineMetrics,
        group: usize,
        counting: &Arc<Counting>,
    ) -> ScanMetrics {
        let count = |name: &'static str| MetricBuilder::new(metrics).counter(name, group);
        let time = |name: &'static str| MetricBuilder::new(metrics).subset_time(name, group);
        ScanMetrics {
            counting: Arc::clone(counting),
            elapsed_compute: baseline.elapsed_compute().clone(),
            bytes_read: count("bytes_read"),
            batches_read: count("batches_read"),
            records_read: count("records_read"),
            records_decoded: count("records_decoded"),
            values_coerced_to_null: count("values_coerced_to_null"),
            time_decoding: time("time_decoding"),
            time_reading: time("time_reading"),
        }
    }

    /// Counts the time in which records become columns, until it is dropped.
    pub(super) fn decoding(&self) -> (ScopedTimerGuard<'_>, ScopedTimerGuard<'_>) {
        (self.time_decoding.timer(), self.elapsed_compute.timer())
    }

    pub(super) fn read(&self, bytes: usize, batches: usize) {
        add(&self.bytes_read, &self.counting.bytes_read, bytes as u64);
        add(&self.batches_read, &self.counting.batches_read, batches as u64);
    }

    pub(super) fn passed(&self, records: u64) {
        add(&self.records_read, &self.counting.records_read, records);
    }

    pub(super) fn decoded(&self, records: u64, coerced: u64) {
        add(&self.records_decoded, &self.counting.records_decoded, records);
        add(&self.values_coerced_to_null, &self.counting.values_coerced_to_null, coerced);
    }
}

fn add(shown: &Count, counted: &AtomicU64, amount: u64) {
    if amount > 0 {
        shown.add(amount as usize);
        counted.fetch_add(amount, Ordering::Relaxed);
    }
}
