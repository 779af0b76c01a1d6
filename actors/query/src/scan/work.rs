//! What a scan does, and the state of one group of it.

use super::metrics::ScanMetrics;
use crate::counters::Counting;
use crate::decode::RowDecoder;
use crate::predicate::TimeBounds;
use crate::ranges::OffsetRange;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use pyralog_model::PartitionId;
use pyralog_partition::{LogEntry, Shen};
use std::fmt;
use std::sync::Arc;

/// What is the same for all groups of a scan.
pub(crate) struct ScanWork {
    /// The way to the records.
    pub(crate) shen: Shen,
    /// The log.
    pub(crate) log: Arc<LogEntry>,
    /// The columns that are asked for.
    pub(crate) schema: SchemaRef,
    /// Their places in the table.
    pub(crate) projection: Vec<usize>,
    /// Records outside need not be shown.
    pub(crate) time: TimeBounds,
    /// Offsets may be missing, for the log is or was compacted: ranges say only how many
    /// records there are at most.
    pub(crate) has_gaps: bool,
    /// Counts of the process.
    pub(crate) counting: Arc<Counting>,
}

impl fmt::Debug for ScanWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanWork").field("log", &self.log.name).finish_non_exhaustive()
    }
}

/// One group of a scan as it is read.
pub(super) struct GroupScan {
    pub(super) work: Arc<ScanWork>,
    /// Still to be read, in order.
    pub(super) ranges: Vec<OffsetRange>,
    /// Rows that are still wanted.
    pub(super) rows_left: usize,
    /// Rows of one batch of columns.
    pub(super) batch_rows: usize,
    pub(super) metrics: ScanMetrics,
    memory: MemoryReservation,
}

impl GroupScan {
    pub(super) fn new(
        work: &Arc<ScanWork>,
        ranges: Vec<OffsetRange>,
        fetch: Option<usize>,
        metrics: ScanMetrics,
        context: &TaskContext,
        group: usize,
    ) -> GroupScan {
        let consumer = MemoryConsumer::new(format!("PartitionScanExec[{group}]"));
        GroupScan {
            work: Arc::clone(work),
            ranges,
            rows_left: fetch.unwrap_or(usize::MAX),
            batch_rows: context.session_config().batch_size(),
            metrics,
            memory: consumer.register(context.memory_pool()),
        }
    }

    /// A decoder of the columns that are asked for.
    pub(super) fn decoder(&self) -> RowDecoder {
        let work = &self.work;
        let (schema, log_schema) = (Arc::clone(&work.schema), work.log.schema.as_ref());
        RowDecoder::new(schema, &work.projection, log_schema, self.batch_rows)
    }

    /// The partition of a range.
    pub(super) fn partition(&self, range: &OffsetRange) -> PartitionId {
        PartitionId::new(self.work.log.number.0, range.partition)
    }

    /// Says how many bytes it holds. Fails if queries may not hold as many.
    pub(super) fn holds(&self, bytes: usize) -> Result<()> {
        self.memory.try_resize(bytes)
    }
}
