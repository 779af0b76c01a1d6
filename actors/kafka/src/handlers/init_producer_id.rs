//! InitProducerId: a session for a producer, so that its retries are known.
//!
//! Every call without a transactional id gives a new session in its epoch 0, also
//! to a producer that had one: what it passes is its wish to go on after an error,
//! and a new session is the safest way. It is what Kafka does.
//!
//! While no Obelisk answers, the client is told that a coordinator is loading, as
//! Kafka's brokers do when they have no more ids to give: every client asks again.
//! Of "no coordinator" some make a search for one, by the name of a transaction
//! that they do not have. A transactional id is refused with an error that ends
//! the producer, since nothing that it could try would help.

use crate::kafka_errors::{
    COORDINATOR_LOAD_IN_PROGRESS, NONE, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, kafka_error,
};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::Writer;
use pyralog_model::{ErrorCode, SessionId};
use std::time::Duration;

/// How long a client waits for its session before it is told to ask again.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked.
pub(crate) struct Question {
    is_transactional: bool,
}

impl Question {
    pub(crate) fn read(request: &Request) -> Result<Question, CloseReason> {
        let mut reader = request.reader();
        let is_transactional = reader.nullable_text()?.is_some();
        reader.i32()?; // timeout of a transaction
        if request.version >= 3 {
            reader.i64()?; // the session there was
            reader.i16()?; // and its epoch
        }
        reader.skip_tags()?;
        Ok(Question { is_transactional })
    }
}

/// Gives a session.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let question = Question::read(request)?;
    let session = match question.is_transactional {
        true => Err(TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
        false => next(service).await,
    };
    let (error, producer_id, epoch) = match session {
        Ok(SessionId(session)) => (NONE, session as i64, 0),
        Err(error) => (error, -1, -1),
    };
    let mut out = Writer::new(request.is_flexible(), 24);
    out.i32(0); // throttle time
    out.i16(error);
    out.i64(producer_id);
    out.i16(epoch);
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}

async fn next(service: &Service) -> Result<SessionId, i16> {
    match tokio::time::timeout(PATIENCE, service.sessions.next()).await {
        Ok(Ok(session)) => Ok(session),
        Err(_) => Err(COORDINATOR_LOAD_IN_PROGRESS),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a producer gets no session");
            Err(match error.code {
                // An operator can put the right directory back while clients wait.
                ErrorCode::ObeliskAway
                | ErrorCode::Unavailable
                | ErrorCode::Timeout
                | ErrorCode::DirectoryDiverged => COORDINATOR_LOAD_IN_PROGRESS,
                code => kafka_error(code),
            })
        }
    }
}
