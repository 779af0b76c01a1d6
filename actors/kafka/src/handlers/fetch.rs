//! Fetch: batches out, from an offset on, waiting for them if need be.
//!
//! ```text
//!   read what is there ──▶ enough? ──yes──▶ answer
//!        ▲                    │no
//!        └── a partition grew ┴── the client's wait is over ──▶ answer
//! ```
//!
//! The batches go from the store to the socket as they are. The first one may
//! begin before the asked offset, and may be larger than the limits: else a
//! reader would be stuck before it for ever.

mod answer;
mod question;
mod reading;
mod watching;

pub(crate) use question::{Partition, Question, Topic};
pub(crate) use reading::check_epoch;

use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use reading::Reading;
use std::time::Duration;
use tokio::time::Instant;
use watching::Watching;

/// Bytes of records in one response, whatever the client would take.
const RESPONSE_BYTES_MAX: usize = 32 << 20;

/// After a wake-up that was not enough, this long for more to come: a reader
/// that asks for many bytes must not be read for at every record.
const GATHER: Duration = Duration::from_millis(5);

/// Answers with records, or with none when the wait is over.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question = Question::read(request)?;
    // Sessions are never given out, so there is none to continue.
    if question.session_epoch > 0 {
        return Ok(answer::session_unknown(request));
    }
    let deadline = Instant::now() + Duration::from_millis(question.wait_ms_max);
    let mut watching = Watching::default();
    let enough = question.bytes_min.min(question.bytes_max);
    loop {
        if question.wait_ms_max > 0 {
            // Looked at before reading, so that what comes while reading wakes.
            watching.mark(service, &question);
        }
        let reading = Reading::take(service, request, &question, RESPONSE_BYTES_MAX).await;
        if reading.failed || reading.bytes >= enough || Instant::now() >= deadline {
            return Ok(reading.into_reply(request));
        }
        let some = reading.bytes > 0;
        // What was read is let go of: a waiting reader holds no memory.
        drop(reading);
        watching.wait(deadline).await;
        if some {
            tokio::time::sleep_until((Instant::now() + GATHER).min(deadline)).await;
        }
    }
}
