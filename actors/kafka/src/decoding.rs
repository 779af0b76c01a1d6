//! Decoding without serving: what the tests with hostile bytes call a million
//! times over.

use crate::handlers::{fetch, init_producer_id, metadata};
use crate::request::{CloseReason, Parsed, parse};
use bytes::Bytes;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, FindCoordinatorRequest,
};

/// Takes a request (without its length) as far as a handler would see it, and
/// lets go of it. The error says why the connection would be closed.
pub fn decode_request(frame: Bytes) -> Result<(), String> {
    decode(frame).map_err(|reason| reason.to_string())
}

fn decode(frame: Bytes) -> Result<(), CloseReason> {
    let request = match parse(frame)? {
        Parsed::Request(request) => request,
        Parsed::ApiVersionsTooNew { .. } => return Ok(()),
    };
    match request.served.key {
        ApiKey::Fetch => drop(fetch::Question::read(&request)?),
        ApiKey::Metadata => drop(metadata::read(&request)?),
        ApiKey::InitProducerId => {
            init_producer_id::Question::read(&request)?;
        }
        ApiKey::FindCoordinator => drop(request.decode::<FindCoordinatorRequest>()?),
        ApiKey::ApiVersions => drop(request.decode::<ApiVersionsRequest>()?),
        ApiKey::CreateTopics => drop(request.decode::<CreateTopicsRequest>()?),
        ApiKey::DeleteTopics => drop(request.decode::<DeleteTopicsRequest>()?),
        // Produce and ListOffsets are read while they are handled.
        _ => {}
    }
    Ok(())
}
