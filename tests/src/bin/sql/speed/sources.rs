//! Where rows are read from, and by whom.

use super::NAME;
use super::files::Copies;
use anyhow::Result;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::{
    CsvReadOptions, JsonReadOptions, ParquetReadOptions, SessionConfig, SessionContext,
};
use pyralog_tests::sql::answer;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Where rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A typed log of a node, asked over HTTP.
    Log,
    /// A file of CSV, read by DataFusion.
    Csv,
    /// A file of the same JSON that the log has.
    Ndjson,
    /// A file of Parquet.
    Parquet,
}

impl Source {
    /// In the order that they are asked.
    pub const ALL: [Source; 4] = [Source::Log, Source::Csv, Source::Ndjson, Source::Parquet];
}

/// An answer and its time.
pub struct Measured {
    /// From the question to the last row.
    pub elapsed: Duration,
    /// All cells, as text.
    pub answer: String,
}

/// DataFusion in this process, with a table of each file.
pub struct Engine {
    runtime: Runtime,
    contexts: Vec<(Source, SessionContext)>,
}

impl Engine {
    /// With as many threads and partitions as there are cores to be used.
    pub fn start(copies: &Copies, cores: usize) -> Result<Engine> {
        let runtime = Builder::new_multi_thread().worker_threads(cores).enable_all().build()?;
        let contexts = runtime.block_on(async {
            let mut contexts = Vec::new();
            for source in [Source::Csv, Source::Ndjson, Source::Parquet] {
                let config = SessionConfig::new().with_target_partitions(cores);
                let context = SessionContext::new_with_config(config);
                register(&context, source, copies).await?;
                contexts.push((source, context));
            }
            Ok::<_, datafusion::error::DataFusionError>(contexts)
        })?;
        Ok(Engine { runtime, contexts })
    }

    /// Asks a source.
    pub fn ask(&self, source: Source, http: SocketAddr, query: &str) -> Result<Measured> {
        let Some((_, context)) = self.contexts.iter().find(|(of, _)| *of == source) else {
            let answer = answer::must(http, query)?;
            let cells = answer.rows.iter().flatten().map(text);
            let text = cells.collect::<Vec<_>>().join(" ");
            return Ok(Measured { elapsed: answer.done.elapsed, answer: text });
        };
        let started = Instant::now();
        let batches = self.runtime.block_on(async { context.sql(query).await?.collect().await })?;
        Ok(Measured { elapsed: started.elapsed(), answer: cells(&batches)? })
    }
}

async fn register(
    context: &SessionContext,
    source: Source,
    copies: &Copies,
) -> datafusion::error::Result<()> {
    let path = copies.path(source);
    let (path, schema) = (path.to_string_lossy(), &copies.schema);
    match source {
        Source::Csv => context.register_csv(NAME, path, CsvReadOptions::new().schema(schema)).await,
        Source::Ndjson => {
            context.register_json(NAME, path, JsonReadOptions::default().schema(schema)).await
        }
        _ => context.register_parquet(NAME, path, ParquetReadOptions::default()).await,
    }
}

fn cells(batches: &[RecordBatch]) -> Result<String> {
    let mut all = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            for column in batch.columns() {
                all.push(if column.is_null(row) {
                    "NULL".to_owned()
                } else {
                    array_value_to_string(column, row)?
                });
            }
        }
    }
    Ok(all.iter().map(|cell| short(cell)).collect::<Vec<_>>().join(" "))
}

fn text(cell: &Value) -> String {
    match cell {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => short(text),
        other => short(&other.to_string()),
    }
}

/// An average's last digits depend on the order of adding: nine are enough.
fn short(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(number) if cell.contains('.') => format!("{number:.9}"),
        _ => cell.to_owned(),
    }
}
