//! Tables that misbehave, in the place of the schema `sys`.

use async_trait::async_trait;
use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;

/// `panic`: panics when it is read. `endless`: one row after the other, for ever.
/// `asleep`: never a row. `stuck`: does not pause for half a second, and then again.
/// `blocked`: the same for six seconds, then never another row.
#[derive(Debug)]
pub struct TrapSchema;

#[async_trait]
impl SchemaProvider for TrapSchema {
    fn table_names(&self) -> Vec<String> {
        ["asleep", "blocked", "endless", "panic", "stuck"].map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(name) = self.table_names().into_iter().find(|known| known == name) else {
            return Ok(None);
        };
        let trap: Arc<dyn PartitionStream> = Arc::new(Trap { name, schema: schema() });
        Ok(Some(Arc::new(StreamingTable::try_new(schema(), vec![trap])?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

#[derive(Debug)]
struct Trap {
    name: String,
    schema: SchemaRef,
}

impl PartitionStream for Trap {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let name = self.name.clone();
        let rows = futures::stream::unfold(0_i64, move |n| {
            let name = name.clone();
            async move {
                match name.as_str() {
                    "panic" => panic!("the trap has sprung"),
                    "asleep" => std::future::pending().await,
                    "blocked" if n == 0 => std::thread::sleep(Duration::from_secs(6)),
                    "blocked" => std::future::pending().await,
                    "stuck" => std::thread::sleep(Duration::from_millis(500)),
                    _ => {}
                }
                let rows = Int64Array::from_iter_values(n..n + 1_000);
                let batch = RecordBatch::try_new(schema(), vec![Arc::new(rows)]);
                Some((Ok(batch.unwrap()), n + 1_000))
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(schema(), rows.boxed()))
    }
}
