//! FindCoordinator: there is none yet, and a client is told so in a way that it
//! does not try again for ever.
//!
//! It is served all the same: librdkafka takes a broker without it for one that
//! is too old for LZ4, and quietly sends its batches uncompressed.

use crate::kafka_errors::UNSUPPORTED_VERSION;
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};

/// Answers that no group or transaction is coordinated here.
pub(crate) fn handle(request: &Request) -> Result<Reply, CloseReason> {
    request.decode::<FindCoordinatorRequest>()?;
    tracing::warn!("a client asks for a consumer group; this version has none");
    let message = "consumer groups and transactions are not served by this version";
    let response = FindCoordinatorResponse::default()
        .with_error_code(UNSUPPORTED_VERSION)
        .with_error_message(Some(message.into()))
        .with_node_id(BrokerId(-1))
        .with_port(-1);
    Reply::encoded(request, &response)
}
