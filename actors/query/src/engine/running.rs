//! One query from its call to its last row: a task on the engine's threads, with a
//! deadline, that ends when nobody waits for it.

use super::Inner;
use super::planning::{self, Planned};
use crate::RunOptions;
use crate::counters::{Counting, Held};
use crate::failure::Failures;
use crate::rows::{Deadline, Rows};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use pyralog_model::{ApiError, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// Batches of rows that are ready before they are asked for.
const BATCHES_AHEAD: usize = 2;

/// Where a query's answer goes.
struct Out {
    /// Told at once: a thread has taken the query up.
    begun: oneshot::Sender<()>,
    schema: oneshot::Sender<SchemaRef>,
    batches: mpsc::Sender<RecordBatch>,
}

/// Waits for a turn, begins the query, and returns when its columns are known.
pub(super) async fn run(
    inner: Arc<Inner>,
    threads: Handle,
    sql: String,
    options: RunOptions,
) -> Result<Rows, ApiError> {
    let deadline = Deadline::after(inner.settings.time_max, options.time_max);
    let turn = match deadline.guard(inner.admission.turn(&inner.counting)).await.flatten() {
        Ok(turn) => turn,
        Err(error) => {
            inner.counting.failed.fetch_add(1, Ordering::Relaxed);
            return Err(error);
        }
    };
    let (begun_to, begun) = oneshot::channel();
    let (schema_to, schema) = oneshot::channel();
    let (batches_to, batches) = mpsc::channel(BATCHES_AHEAD);
    let out = Out { begun: begun_to, schema: schema_to, batches: batches_to };
    let counting = Arc::clone(&inner.counting);
    let task = threads.spawn(execute(inner, turn, sql, deadline, out));
    let rows = Rows::begin(task, begun, schema, batches, deadline).await;
    rows.inspect_err(|error| {
        // The task counts how it ended, unless it never began.
        if error.code == ErrorCode::Overloaded {
            counting.failed.fetch_add(1, Ordering::Relaxed);
        }
    })
}

/// How an answer came to its end without an error.
enum Ended {
    /// With its last row.
    Complete,
    /// Nobody waited for it any more.
    Unwanted,
}

/// The task. Its turn lasts until it has really ended.
async fn execute(
    inner: Arc<Inner>,
    _turn: OwnedSemaphorePermit,
    sql: String,
    deadline: Deadline,
    out: Out,
) -> Result<(), ApiError> {
    let Out { begun, schema, batches } = out;
    // Whoever waits for it may have gone.
    let _ = begun.send(());
    let counting = Arc::clone(&inner.counting);
    let _running = Held::new(&counting.running);
    let mut outcome = Outcome { counting: &counting, counter: &counting.cancelled };
    let result = deadline.guard(answer(&inner, &sql, schema, batches)).await.flatten();
    outcome.counter = match result {
        Ok(Ended::Complete) => &counting.served,
        Ok(Ended::Unwanted) => &counting.cancelled,
        Err(_) => &counting.failed,
    };
    result.map(|_| ())
}

async fn answer(
    inner: &Inner,
    sql: &str,
    schema: oneshot::Sender<SchemaRef>,
    batches: mpsc::Sender<RecordBatch>,
) -> Result<Ended, ApiError> {
    let Planned { plan, context } = planning::plan(inner, sql).await?;
    if schema.send(plan.schema()).is_err() {
        return Ok(Ended::Unwanted);
    }
    let failures = Failures::running(&inner.settings);
    let rows = execute_stream(plan, context);
    let mut rows = rows.map_err(|error| failures.explain(&error))?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|error| failures.explain(&error))?;
        if batch.num_rows() > 0 && batches.send(batch).await.is_err() {
            return Ok(Ended::Unwanted);
        }
    }
    Ok(Ended::Complete)
}

/// Counts how a query ended, even if it panics or is cut off.
struct Outcome<'a> {
    counting: &'a Counting,
    /// Where it counts; until it ends by itself, it was cut off.
    counter: &'a AtomicU64,
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        let panicked = std::thread::panicking();
        let counter = if panicked { &self.counting.failed } else { self.counter };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
