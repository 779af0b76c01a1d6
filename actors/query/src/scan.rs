//! The leaf of every plan over logs: records of ranges that were fixed when the query
//! was planned.
//!
//! The ranges are below the high watermarks of one moment, so that a query sees one
//! state of the log whatever is appended meanwhile, and how many rows there are is
//! known before any is read, unless the log is compacted. They stand in groups, which
//! are read at the same time.

mod backward;
mod forward;
mod metrics;
mod ordering;
mod statistics;
mod work;

pub(crate) use work::ScanWork;

use crate::ranges::OffsetRange;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Statistics};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    SortOrderPushdownResult, StatisticsArgs,
};
use futures::{StreamExt, TryStreamExt};
use metrics::ScanMetrics;
use std::fmt;
use std::sync::Arc;

/// Reads ranges of a log.
#[derive(Debug, Clone)]
pub(crate) struct PartitionScanExec {
    work: Arc<ScanWork>,
    /// Read at the same time; in each the ranges one after the other.
    groups: Arc<Vec<Vec<OffsetRange>>>,
    /// From the last record to the first.
    backward: bool,
    /// Rows after which a group may end.
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PartitionScanExec {
    /// Reads `groups`, of which there is at least one.
    pub(crate) fn new(work: ScanWork, groups: Vec<Vec<OffsetRange>>) -> PartitionScanExec {
        PartitionScanExec::ordered(Arc::new(work), Arc::new(groups), false, None)
    }

    fn ordered(
        work: Arc<ScanWork>,
        groups: Arc<Vec<Vec<OffsetRange>>>,
        backward: bool,
        fetch: Option<usize>,
    ) -> PartitionScanExec {
        let properties = PlanProperties::new(
            ordering::equivalences(&work.schema, &groups, backward),
            Partitioning::UnknownPartitioning(groups.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        let metrics = ExecutionPlanMetricsSet::new();
        PartitionScanExec { work, groups, backward, fetch, properties, metrics }
    }

    fn stream(&self, group: usize, context: &TaskContext) -> Result<SendableRecordBatchStream> {
        let ranges =
            self.groups.get(group).cloned().ok_or_else(|| {
                DataFusionError::Internal(format!("the scan has no group {group}"))
            })?;
        let baseline = BaselineMetrics::new(&self.metrics, group);
        let metrics = ScanMetrics::new(&self.metrics, &baseline, group, &self.work.counting);
        let scan = work::GroupScan::new(&self.work, ranges, self.fetch, metrics, context, group);
        let batches = match self.backward {
            false => forward::batches(scan).boxed(),
            true => backward::batches(scan).boxed(),
        };
        let counted = batches.map_ok(move |batch| batch.record_output(&baseline));
        let schema = Arc::clone(&self.work.schema);
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, counted))))
    }
}

impl ExecutionPlan for PartitionScanExec {
    fn name(&self) -> &'static str {
        "PartitionScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.stream(partition, &context)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        asked: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let exact = self.work.time.is_none() && self.fetch.is_none() && !self.work.has_gaps;
        let ranges = match asked.partition() {
            Some(group) => self.groups.get(group).cloned().unwrap_or_default(),
            None => self.groups.concat(),
        };
        Ok(Arc::new(statistics::of_ranges(&ranges, &self.work.schema, exact)))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let (work, groups) = (Arc::clone(&self.work), Arc::clone(&self.groups));
        Some(Arc::new(PartitionScanExec::ordered(work, groups, self.backward, limit)))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    /// The last records first, if that is what is asked for: `ORDER BY _offset DESC`.
    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        for backward in [self.backward, !self.backward] {
            let (work, groups) = (Arc::clone(&self.work), Arc::clone(&self.groups));
            let scan = PartitionScanExec::ordered(work, groups, backward, self.fetch);
            if scan.properties.eq_properties.ordering_satisfy(order.iter().cloned())? {
                return Ok(SortOrderPushdownResult::Exact { inner: Arc::new(scan) });
            }
        }
        Ok(SortOrderPushdownResult::Unsupported)
    }
}

impl DisplayAs for PartitionScanExec {
    fn fmt_as(&self, form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self.groups.concat();
        let columns: Vec<&str> =
            self.work.schema.fields().iter().map(|field| field.name().as_str()).collect();
        if let DisplayFormatType::TreeRender = form {
            writeln!(f, "log={}", self.work.log.name)?;
            return writeln!(f, "records={}", crate::ranges::records(&ranges));
        }
        write!(f, "PartitionScanExec: log={}, ranges=[", self.work.log.name)?;
        for (place, range) in ranges.iter().take(RANGES_SHOWN).enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let OffsetRange { partition, from, to, epoch } = range;
            write!(f, "{comma}{partition}: {from}..{to} @{epoch}")?;
        }
        let more = if ranges.len() > RANGES_SHOWN { ", …" } else { "" };
        write!(f, "{more}], groups={}, projection=[{}]", self.groups.len(), columns.join(", "))?;
        if !self.work.time.is_none() {
            write!(f, ", time={}..={}", self.work.time.from_ms, self.work.time.to_ms)?;
        }
        if self.backward {
            write!(f, ", backward")?;
        }
        self.fetch.map_or(Ok(()), |fetch| write!(f, ", fetch={fetch}"))
    }
}

/// Ranges that EXPLAIN shows.
const RANGES_SHOWN: usize = 8;
