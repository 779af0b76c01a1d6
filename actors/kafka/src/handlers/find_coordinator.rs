//! FindCoordinator: there is none yet, and a client is told to ask again. An error
//! that does not pass would be kinder to those who want a group, but librdkafka
//! asks for one on behalf of consumers that only assign partitions to themselves,
//! and hands such an error to the application. So the operator is told instead.
//!
//! It is served all the same: librdkafka takes a broker without it for one that
//! is too old for LZ4, and quietly sends its batches uncompressed.

use crate::kafka_errors::{COORDINATOR_NOT_AVAILABLE, TRANSACTIONAL_ID_AUTHORIZATION_FAILED};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use std::sync::Once;

/// Kafka's number for the coordinator of a transaction.
const TRANSACTION: i8 = 1;

/// Answers that no group or transaction is coordinated here.
pub(crate) fn handle(request: &Request) -> Result<Reply, CloseReason> {
    let question = request.decode::<FindCoordinatorRequest>()?;
    if question.key_type == TRANSACTION {
        // The one refusal after which every client gives up at once.
        let message = "transactions are not served by this version";
        return refuse(request, TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message);
    }
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!("a client asks for a consumer group; this version has none, it will wait");
    });
    let message = "consumer groups are not served by this version";
    refuse(request, COORDINATOR_NOT_AVAILABLE, message)
}

fn refuse(request: &Request, error: i16, message: &'static str) -> Result<Reply, CloseReason> {
    let response = FindCoordinatorResponse::default()
        .with_error_code(error)
        .with_error_message(Some(message.into()))
        .with_node_id(BrokerId(-1))
        .with_port(-1);
    Reply::encoded(request, &response)
}
