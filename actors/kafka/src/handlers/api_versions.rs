//! ApiVersions: what a client may send. The first request of almost every
//! connection, and the one that must be answered in any version.

use crate::kafka_errors::UNSUPPORTED_VERSION;
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::versions::{SERVED, Served};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};

/// Answers with the table of versions.
pub(crate) fn handle(request: &Request) -> Result<Reply, CloseReason> {
    request.decode::<ApiVersionsRequest>()?;
    let response = ApiVersionsResponse::default().with_api_keys(SERVED.iter().map(row).collect());
    Reply::encoded(request, &response)
}

/// Answers a version that is not known: the body of version 0, so that any
/// client can read it, with the one row that lets it ask again.
pub(crate) fn too_new(correlation: i32) -> Result<Reply, CloseReason> {
    let rows = SERVED.iter().filter(|served| served.key == ApiKey::ApiVersions).map(row);
    let response = ApiVersionsResponse::default()
        .with_error_code(UNSUPPORTED_VERSION)
        .with_api_keys(rows.collect());
    Reply::encoded_as(correlation, 0, false, &response)
}

fn row(served: &Served) -> ApiVersion {
    ApiVersion::default()
        .with_api_key(served.key as i16)
        .with_min_version(advertised_min(served))
        .with_max_version(served.max)
}

/// The least version that clients are told.
fn advertised_min(served: &Served) -> i16 {
    match served.key {
        // librdkafka compresses with gzip, Snappy or LZ4 only for brokers that
        // claim version 0, which it then never sends. Kafka 4 claims it too.
        ApiKey::Produce => 0,
        _ => served.min,
    }
}
