//! Produce: record batches in, offsets out.
//!
//! A request is handled in two halves. The first checks every batch and hands
//! it to its partition, in the order of the connection; the second waits until
//! all of it is durable. Between the two the connection takes the next request,
//! so that a producer with five requests in flight shares one sync.
//!
//! `acks` of 1 and of -1 promise the same: durable here. With `acks` of 0 there
//! is no response, and a failure closes the connection.

mod answer;
mod checking;

use crate::handlers::partition_id;
use crate::kafka_errors::{
    INVALID_REQUEST, INVALID_REQUIRED_ACKS, REQUEST_TIMED_OUT, UNKNOWN_PRODUCER_ID,
    UNKNOWN_TOPIC_OR_PARTITION, kafka_error,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Reader;
use answer::Answer;
use bytes::Bytes;
use checking::check;
use pyralog_model::{ApiError, BatchError, Offset};
use pyralog_partition::{Appended, LogEntry, PendingAppend};
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// A client's timeout is held between these: some send 0 and mean "as it comes".
const TIMEOUT_MIN: Duration = Duration::from_secs(1);
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// A produce request whose batches are on their way to the disk.
pub(crate) struct Pending {
    request: Request,
    acks: i16,
    deadline: Instant,
    topics: Vec<Topic>,
}

/// The part of a request for one log.
pub(crate) struct Topic {
    /// UTF-8, as the reader has checked; a part of the request's memory.
    name: Bytes,
    partitions: Vec<Partition>,
}

/// What became of the batches for one partition so far.
pub(crate) struct Partition {
    index: i32,
    outcome: Result<PendingAppend, Refused>,
}

/// An error for one partition.
struct Refused {
    code: i16,
    reason: Reason,
    /// The first offset that is kept, where the client decides by it.
    log_start: Option<Offset>,
}

/// Its sentence, put into words only when it is written.
#[derive(Debug, Error)]
enum Reason {
    #[error("{0}")]
    Plain(&'static str),
    #[error(transparent)]
    Batch(BatchError),
    #[error("the batch has {bytes} bytes, max.message.bytes of this log is {bytes_max}")]
    TooLarge { bytes: usize, bytes_max: u32 },
    #[error("{0}")]
    Api(Box<ApiError>),
}

impl Refused {
    fn plain(code: i16, reason: &'static str) -> Refused {
        Refused::new(code, Reason::Plain(reason))
    }

    fn new(code: i16, reason: Reason) -> Refused {
        Refused { code, reason, log_start: None }
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Refused {
        Refused::new(kafka_error(error.code), Reason::Api(Box::new(error)))
    }
}

/// The first half: checks the batches and enqueues them in order.
pub(crate) async fn begin(service: &Service, request: Request) -> Result<Pending, CloseReason> {
    let mut reader = request.reader();
    let transactional = reader.nullable_text()?.is_some();
    let acks = reader.i16()?;
    let timeout = Duration::from_millis(reader.i32()?.max(0) as u64);
    let deadline = Instant::now() + timeout.clamp(TIMEOUT_MIN, TIMEOUT_MAX);
    let objection = objection(transactional, acks);
    let count = reader.count()?;
    let mut topics = Vec::with_capacity(count.min(reader.remaining()));
    for _ in 0..count {
        let name = reader.text()?;
        let log = service.shen.log(name);
        let count = reader.count()?;
        let mut partitions = Vec::with_capacity(count.min(reader.remaining()));
        for _ in 0..count {
            let (index, records) = read_partition(&request, &mut reader)?;
            let outcome = match objection {
                Some((code, reason)) => Err(Refused::plain(code, reason)),
                None => append(service, log.as_deref(), index, records).await,
            };
            partitions.push(Partition { index, outcome });
        }
        reader.skip_tags()?;
        topics.push(Topic { name: request.body.slice_ref(name.as_bytes()), partitions });
    }
    Ok(Pending { request, acks, deadline, topics })
}

/// What is wrong with the request as a whole.
fn objection(transactional: bool, acks: i16) -> Option<(i16, &'static str)> {
    match acks {
        _ if transactional => {
            Some((INVALID_REQUEST, "transactions are not served by this version"))
        }
        -1..=1 => None,
        _ => Some((INVALID_REQUIRED_ACKS, "acks is 0, 1 or -1 (all)")),
    }
}

fn read_partition(request: &Request, reader: &mut Reader<'_>) -> Result<(i32, Bytes), CloseReason> {
    let index = reader.i32()?;
    // Null and empty are the same mistake.
    let records = reader.nullable_bytes()?.unwrap_or_default();
    reader.skip_tags()?;
    Ok((index, request.body.slice_ref(records)))
}

async fn append(
    service: &Service,
    log: Option<&LogEntry>,
    index: i32,
    records: Bytes,
) -> Result<PendingAppend, Refused> {
    let unknown = |reason| Refused::plain(UNKNOWN_TOPIC_OR_PARTITION, reason);
    let log = log.ok_or_else(|| unknown("no log has this name"))?;
    let id = partition_id(Some(log), index);
    let id = id.ok_or_else(|| unknown("the log has no partition of this number"))?;
    let batches = check(&log.settings, records)?;
    service.shen.append(id, batches).await.map_err(|error| {
        let mut refused = Refused::from(error);
        // A client whose session is unknown sends the same again and again until it
        // is told where the log begins.
        if refused.code == UNKNOWN_PRODUCER_ID {
            refused.log_start = service.shen.watermarks(id).ok().map(|marks| marks.log_start);
        }
        refused
    })
}

impl Pending {
    /// The second half: waits until everything is durable. `None` if the client
    /// wants no response.
    pub(crate) async fn finish(self) -> Result<Option<Reply>, CloseReason> {
        let mut answer = Answer::begin(&self.request, &self.topics);
        let mut failed = None;
        for topic in self.topics {
            answer.topic(&topic);
            for Partition { index, outcome } in topic.partitions {
                let settled = settle(outcome, self.deadline).await;
                if let (0, Err(refused)) = (self.acks, &settled) {
                    failed.get_or_insert_with(|| refused.reason.to_string());
                }
                answer.partition(index, settled);
            }
            answer.end_topic();
        }
        match (self.acks, failed) {
            (0, None) => Ok(None),
            (0, Some(reason)) => Err(CloseReason::Unanswerable(reason)),
            _ => Ok(Some(answer.into_reply(&self.request))),
        }
    }
}

async fn settle(
    outcome: Result<PendingAppend, Refused>,
    deadline: Instant,
) -> Result<Appended, Refused> {
    match tokio::time::timeout_at(deadline, outcome?).await {
        Ok(appended) => Ok(appended?),
        Err(_) => {
            let reason = "not durable within the request's timeout; it may still become so";
            Err(Refused::plain(REQUEST_TIMED_OUT, reason))
        }
    }
}
