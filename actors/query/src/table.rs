//! A log as the planner sees it: its columns, what it can leave out by itself, and
//! the leaf that reads it.

use crate::columns::{SystemColumn, table_schema};
use crate::counters::Counting;
use crate::failure::external;
use crate::offset_set::OffsetSet;
use crate::predicate::{TimeBounds, keys, offsets};
use crate::ranges::{self, OffsetRange};
use crate::scan::{PartitionScanExec, ScanWork};
use crate::snapshot::Snapshot;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use pyralog_model::{ApiError, BatchHeader, Offset, PartitionId};
use pyralog_partition::{FindKey, LogEntry};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Fewer records than this are not divided: a task costs more than they do.
const RECORDS_PER_GROUP_MIN: u64 = 2_048;
/// Records of one key that are looked up; where there are more, all are read.
const RECORDS_PER_KEY_MAX: usize = 1_000;
/// How long an index may take.
const KEY_PATIENCE: Duration = Duration::from_millis(200);

/// One log in one query.
pub(crate) struct LogTable {
    log: Arc<LogEntry>,
    schema: SchemaRef,
    snapshot: Arc<Snapshot>,
    counting: Arc<Counting>,
}

impl LogTable {
    pub(crate) fn new(
        log: Arc<LogEntry>,
        snapshot: Arc<Snapshot>,
        counting: Arc<Counting>,
    ) -> LogTable {
        let schema = table_schema(log.schema.as_ref());
        LogTable { log, schema, snapshot, counting }
    }

    /// What is to be read for `filters`: the offsets that they leave, in order.
    async fn ranges(
        &self,
        filters: &[Expr],
        time: &TimeBounds,
        keys: Option<&BTreeSet<Bytes>>,
    ) -> Result<Vec<OffsetRange>, ApiError> {
        let mut all = Vec::new();
        for partition in 0..self.log.partitions {
            let sets = filters.iter().filter_map(|filter| offsets(filter, partition));
            let mut wanted = sets.fold(OffsetSet::all(), |all, set| all.intersection(&set));
            if wanted.len() == 0 {
                continue;
            }
            let id = PartitionId::new(self.log.number.0, partition);
            let watermarks = self.snapshot.watermarks(id)?;
            if !time.is_none() {
                wanted = wanted.intersection(&self.since(id, time.from_ms).await?);
            }
            if let Some(keys) = keys {
                wanted = wanted.intersection(&self.with_keys(id, watermarks.high, keys).await);
            }
            all.extend(ranges::of_partition(partition, watermarks, &wanted));
        }
        Ok(all)
    }

    /// True if offsets may be missing, now or while it is read.
    fn has_gaps(&self) -> bool {
        let shen = self.snapshot.shen();
        let mut ids = (0..self.log.partitions).map(|p| PartitionId::new(self.log.number.0, p));
        self.log.settings.upkeep.cleanup.compacts()
            || ids.any(|id| shen.partition(id).is_ok_and(|view| view.has_gaps))
    }

    /// The offsets of records with one of these keys, if an index knows them soon and they
    /// are not many; else all.
    async fn with_keys(&self, id: PartitionId, high: Offset, keys: &BTreeSet<Bytes>) -> OffsetSet {
        let mut set = OffsetSet::none();
        for key in keys {
            let wanted = FindKey {
                key: key.clone(),
                partition: Some(id.partition.0),
                before: Some(high),
                records_max: RECORDS_PER_KEY_MAX,
                patience: KEY_PATIENCE,
            };
            match self.snapshot.shen().find_key(&self.log, wanted).await {
                Ok(found) if found.len() < RECORDS_PER_KEY_MAX => {
                    for one in found {
                        let offset = i128::from(one.offset.0);
                        set = set.union(OffsetSet::range(offset..offset + 1));
                    }
                }
                _ => return OffsetSet::all(),
            }
        }
        set
    }

    /// The offsets from the first batch that reaches `time_ms`.
    async fn since(&self, id: PartitionId, time_ms: i64) -> Result<OffsetSet, ApiError> {
        if time_ms == i64::MIN {
            return Ok(OffsetSet::all());
        }
        let batch = self.snapshot.shen().batch_at_time(id, time_ms).await?;
        let header = batch.and_then(|batch| BatchHeader::parse(&batch).ok());
        Ok(header.map_or(OffsetSet::none(), |header| {
            OffsetSet::range(i128::from(header.base_offset)..i128::MAX)
        }))
    }
}

#[async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if offsets(filter, 0).is_some() {
                TableProviderFilterPushDown::Exact
            } else if TimeBounds::is_in(filter) || keys(&[(*filter).clone()]).is_some() {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let every: Vec<usize> = (0..self.schema.fields().len()).collect();
        let projection = projection.cloned().unwrap_or(every);
        let time = TimeBounds::of(filters);
        let keys = keys(filters);
        let mut ranges = self.ranges(filters, &time, keys.as_ref()).await.map_err(external)?;
        let has_gaps = self.has_gaps();
        if let Some(limit) = limit
            && time.is_none()
            && keys.is_none()
            && !has_gaps
        {
            ranges = ranges::first(ranges, limit as u64);
        }
        let threads = session.config().target_partitions();
        let groups = ranges::divided(&ranges, threads, RECORDS_PER_GROUP_MIN);
        let work = ScanWork {
            shen: self.snapshot.shen().clone(),
            log: Arc::clone(&self.log),
            schema: Arc::new(self.schema.project(&projection)?),
            projection,
            time,
            has_gaps,
            counting: Arc::clone(&self.counting),
        };
        Ok(Arc::new(PartitionScanExec::new(work, groups)))
    }
}

impl fmt::Debug for LogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = SystemColumn::ALL.len();
        f.debug_struct("LogTable")
            .field("log", &self.log.name)
            .field("own_columns", &(self.schema.fields().len() - system))
            .finish_non_exhaustive()
    }
}
