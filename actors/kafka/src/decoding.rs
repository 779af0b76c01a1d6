//! Decoding without serving: what the tests with hostile bytes call a million
//! times over.

use crate::handlers::*;
use crate::request::{CloseReason, Parsed, parse};
use bytes::Bytes;
use kafka_protocol::messages::{
    AlterConfigsRequest, ApiKey, ApiVersionsRequest, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest,
    IncrementalAlterConfigsRequest,
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
        ApiKey::FindCoordinator => drop(find_coordinator::Question::read(&request)?),
        ApiKey::JoinGroup => drop(join_group::read(&request, "")?),
        ApiKey::SyncGroup => drop(sync_group::read(&request)?),
        ApiKey::Heartbeat => drop(heartbeat::read(&request)?),
        ApiKey::LeaveGroup => drop(leave_group::read(&request)?),
        ApiKey::OffsetCommit => _ = offset_commit::Question::read(&request)?,
        ApiKey::OffsetFetch => _ = offset_fetch::Question::read(&request)?,
        ApiKey::OffsetDelete => _ = offset_delete::Question::read(&request)?,
        ApiKey::DescribeGroups => drop(describe_groups::read(&request)?),
        ApiKey::ListGroups => drop(list_groups::Question::read(&request)?),
        ApiKey::DeleteGroups => drop(delete_groups::read(&request)?),
        ApiKey::DescribeLogDirs => _ = describe_log_dirs::read(&request)?,
        ApiKey::DeleteRecords => _ = delete_records::Question::read(&request)?,
        ApiKey::OffsetForLeaderEpoch => _ = offset_for_leader_epoch::read(&request)?,
        ApiKey::CreatePartitions => drop(request.decode::<CreatePartitionsRequest>()?),
        ApiKey::DescribeConfigs => drop(request.decode::<DescribeConfigsRequest>()?),
        ApiKey::AlterConfigs => drop(request.decode::<AlterConfigsRequest>()?),
        ApiKey::IncrementalAlterConfigs => {
            drop(request.decode::<IncrementalAlterConfigsRequest>()?);
        }
        ApiKey::DescribeCluster => drop(request.decode::<DescribeClusterRequest>()?),
        ApiKey::ApiVersions => drop(request.decode::<ApiVersionsRequest>()?),
        ApiKey::CreateTopics => drop(request.decode::<CreateTopicsRequest>()?),
        ApiKey::DeleteTopics => drop(request.decode::<DeleteTopicsRequest>()?),
        // Produce and ListOffsets are read while they are handled.
        _ => {}
    }
    Ok(())
}
