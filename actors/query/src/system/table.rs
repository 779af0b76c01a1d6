//! A table of the system as the engine sees it: one stream of rows, begun when the
//! query runs, cut into batches.

use super::SystemSources;
use super::words::{self, Column};
use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use pyralog_model::ApiError;
use std::fmt;
use std::sync::Arc;

/// Rows of one batch: all that is in memory of a table at once.
const BATCH_ROWS: usize = 1_024;

/// A row: one value for each column, of the column's type.
pub type Row = Vec<ScalarValue>;

/// Rows as they come.
pub type Rows = BoxStream<'static, Result<Row, ApiError>>;

/// A table's words, and how its rows are had.
pub struct Table {
    /// Its name in `sys`.
    pub name: &'static str,
    /// What its rows are.
    pub meaning: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// Begins to read.
    pub read: fn(SystemSources, Wanted) -> Rows,
}

/// Which columns a query looks at, so that what costs a question to somebody else is
/// asked only if it is shown.
#[derive(Debug, Clone)]
pub struct Wanted {
    columns: &'static [Column],
    projection: Option<Vec<usize>>,
}

impl Wanted {
    /// Whether a cell of this column is looked at.
    pub fn has(&self, name: &str) -> bool {
        let place = self.columns.iter().position(|(column, _, _)| *column == name);
        match (&self.projection, place) {
            (None, place) => place.is_some(),
            (Some(wanted), Some(place)) => wanted.contains(&place),
            (Some(_), None) => false,
        }
    }
}

/// A number as `BIGINT`; NULL if there is none or it is beyond.
pub fn number(number: impl TryInto<i64>) -> ScalarValue {
    ScalarValue::Int64(number.try_into().ok())
}

/// As `number`, of something that may not be known.
pub fn known(some: Option<impl TryInto<i64>>) -> ScalarValue {
    some.map_or(ScalarValue::Int64(None), number)
}

/// One table over its sources.
pub struct SystemTable {
    table: &'static Table,
    schema: SchemaRef,
    sources: SystemSources,
}

impl SystemTable {
    /// A table.
    pub fn new(table: &'static Table, sources: SystemSources) -> SystemTable {
        SystemTable { table, schema: words::schema(table.columns), sources }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.table.name
    }
}

#[async_trait]
impl TableProvider for SystemTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = Wanted { columns: self.table.columns, projection: projection.cloned() };
        let reading = Reading {
            table: self.table,
            schema: Arc::clone(&self.schema),
            sources: self.sources.clone(),
            wanted,
        };
        let schema = Arc::clone(&self.schema);
        let partitions: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(reading)];
        let scan = StreamingTableExec::try_new(schema, partitions, projection, [], false, limit)?;
        Ok(Arc::new(scan))
    }
}

/// One reading of a table, begun when it is executed.
struct Reading {
    table: &'static Table,
    schema: SchemaRef,
    sources: SystemSources,
    wanted: Wanted,
}

impl PartitionStream for Reading {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = (self.table.read)(self.sources.clone(), self.wanted.clone());
        let schema = Arc::clone(&self.schema);
        let batches = rows
            .try_chunks(BATCH_ROWS)
            .map_err(|unfinished| DataFusionError::External(Box::new(unfinished.1)))
            .and_then(move |rows| std::future::ready(batch(&schema, rows)));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// Rows, of which there are some, as columns.
fn batch(schema: &SchemaRef, rows: Vec<Row>) -> Result<RecordBatch> {
    let mut columns = vec![Vec::with_capacity(rows.len()); schema.fields().len()];
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            column.push(cell);
        }
    }
    let columns = columns.into_iter().map(ScalarValue::iter_to_array).collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

impl fmt::Debug for SystemTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sys.{}", self.table.name)
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sys.{}", self.table.name)
    }
}
