//! An answer as it comes: batches from the query's task, then what the task returned.

mod deadline;

pub(crate) use deadline::Deadline;

use crate::failure::bug;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use futures::Stream;
use pyralog_model::{ApiError, ErrorCode};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Sleep, timeout};

/// How long a query waits for a thread. Threads change from query to query many times a
/// second, unless each is held by one that does not pause.
const THREAD_WAIT_MAX: Duration = Duration::from_secs(3);

/// The rows of an answer, a few thousand at a time. Dropping it ends the query.
pub struct Rows {
    schema: SchemaRef,
    batches: mpsc::Receiver<RecordBatch>,
    query: Query,
    /// The query watches the time itself; this is for one that does not pause.
    last_call: Pin<Box<Sleep>>,
    deadline: Deadline,
    ended: bool,
}

/// The task, ended with its owner.
struct Query(JoinHandle<Result<(), ApiError>>);

impl Drop for Query {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Rows {
    /// Waits until a thread has taken the query up, and until the columns are known, which is when the query has been planned.
    pub(crate) async fn begin(
        task: JoinHandle<Result<(), ApiError>>,
        begun: oneshot::Receiver<()>,
        schema: oneshot::Receiver<SchemaRef>,
        batches: mpsc::Receiver<RecordBatch>,
        deadline: Deadline,
    ) -> Result<Rows, ApiError> {
        let mut query = Query(task);
        let taken_up = timeout(THREAD_WAIT_MAX, begun);
        if deadline.late().guard(taken_up).await?.is_err() {
            return Err(overloaded());
        }
        let planned = deadline.late().guard(schema).await?;
        let Ok(schema) = planned else {
            // It ended before it was planned, and says why.
            let ended = (&mut query.0).await;
            return Err(verdict(ended).err().unwrap_or_else(|| bug("it ended without a word")));
        };
        let last_call = Box::pin(deadline.late().sleep());
        Ok(Rows { schema, batches, query, last_call, deadline, ended: false })
    }

    /// The columns. Two may have one name.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next rows; `None` after the last and after an error.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, ApiError>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn poll_batch(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<RecordBatch, ApiError>>> {
        if let Poll::Ready(batch) = self.batches.poll_recv(context) {
            if let Some(batch) = batch {
                return Poll::Ready(Some(Ok(batch)));
            }
            let ended = ready!(Pin::new(&mut self.query.0).poll(context));
            return Poll::Ready(verdict(ended).err().map(Err));
        }
        ready!(self.last_call.as_mut().poll(context));
        self.query.0.abort();
        Poll::Ready(Some(Err(self.deadline.passed())))
    }
}

impl Stream for Rows {
    type Item = Result<RecordBatch, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.poll_batch(context));
        self.ended = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

fn overloaded() -> ApiError {
    let message = "all threads of queries are held by others, which do not pause; send it again, \
                   later";
    ApiError::new(ErrorCode::Overloaded, message)
}

/// What became of the task.
fn verdict(ended: Result<Result<(), ApiError>, JoinError>) -> Result<(), ApiError> {
    match ended {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Err(bug(panic_message(panic.as_ref()))),
            // Its threads have ended.
            Err(_cancelled) => Err(ApiError::unavailable("the query engine")),
        },
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}
