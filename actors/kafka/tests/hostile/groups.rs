//! Requests of members of groups and of their tools. None waits: whoever joins says
//! that it is a member, and is told that it is not.

use super::{encode, name, text};
use kafka_protocol::messages::delete_groups_request::DeleteGroupsRequest;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;

/// The body of a request, if it is one of these.
pub fn body(key: ApiKey, version: i16, size: usize) -> Option<Vec<u8>> {
    Some(match key {
        ApiKey::FindCoordinator => encode(&find_coordinator(version, size), version),
        ApiKey::JoinGroup => encode(&join_group(version, size), version),
        ApiKey::SyncGroup => encode(&sync_group(version, size), version),
        ApiKey::Heartbeat => encode(&heartbeat(version), version),
        ApiKey::LeaveGroup => encode(&leave_group(version, size), version),
        ApiKey::OffsetCommit => encode(&offset_commit(version, size), version),
        ApiKey::OffsetFetch => encode(&offset_fetch(version, size), version),
        ApiKey::OffsetDelete => encode(&offset_delete(size), version),
        ApiKey::ListGroups => encode(&list_groups(version), version),
        ApiKey::DescribeGroups => encode(&describe_groups(version, size), version),
        ApiKey::DeleteGroups => encode(&delete_groups(size), version),
        _ => return None,
    })
}

fn group(at: usize) -> GroupId {
    GroupId(text(format!("readers-of-flights-{at}")))
}

fn member(at: usize) -> StrBytes {
    text(format!("rdkafka-67df0dd5-96ec-4a5c-9d34-{at:012}"))
}

fn instance(version: i16, since: i16) -> Option<StrBytes> {
    (version >= since).then(|| text("reader-1".to_owned()))
}

fn find_coordinator(version: i16, size: usize) -> FindCoordinatorRequest {
    let request = FindCoordinatorRequest::default();
    match version {
        0 => request.with_key(group(0).0),
        1..4 => request.with_key(group(0).0).with_key_type((size % 2) as i8),
        _ => request.with_coordinator_keys((0..size).map(|at| group(at).0).collect()),
    }
}

fn join_group(version: i16, size: usize) -> JoinGroupRequest {
    let protocol = |at: usize| {
        JoinGroupRequestProtocol::default()
            .with_name(text(format!("cooperative-sticky-{at}")))
            .with_metadata([&[0, 1, 0, 0, 0, 1, 0, 7][..], b"flights"].concat().into())
    };
    let request = JoinGroupRequest::default()
        .with_group_id(group(0))
        .with_session_timeout_ms(45_000)
        .with_member_id(member(0))
        .with_group_instance_id(instance(version, 5))
        .with_protocol_type(text("consumer".to_owned()))
        .with_protocols((0..size).map(protocol).collect());
    let timeouts = [300_000, 0, -1, 1, i32::MAX, i32::MIN];
    let rebalance_ms = timeouts[size % timeouts.len()];
    if version == 0 { request } else { request.with_rebalance_timeout_ms(rebalance_ms) }
}

fn sync_group(version: i16, size: usize) -> SyncGroupRequest {
    let assignment = |at: usize| {
        SyncGroupRequestAssignment::default()
            .with_member_id(member(at))
            .with_assignment(vec![0; 40].into())
    };
    let request = SyncGroupRequest::default()
        .with_group_id(group(0))
        .with_generation_id(3)
        .with_member_id(member(0))
        .with_group_instance_id(instance(version, 3))
        .with_assignments((0..size).map(assignment).collect());
    if version < 5 {
        return request;
    }
    request
        .with_protocol_type(Some(text("consumer".to_owned())))
        .with_protocol_name(Some(text("range".to_owned())))
}

fn heartbeat(version: i16) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group(0))
        .with_generation_id(3)
        .with_member_id(member(0))
        .with_group_instance_id(instance(version, 3))
}

fn leave_group(version: i16, size: usize) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(group(0));
    if version < 3 {
        return request.with_member_id(member(0));
    }
    let leaving = |at: usize| {
        let leaving = MemberIdentity::default().with_member_id(member(at));
        let reason = (version >= 5).then(|| text("the consumer is being closed".to_owned()));
        leaving.with_group_instance_id(instance(version, 3)).with_reason(reason)
    };
    request.with_members((0..size).map(leaving).collect())
}

fn offset_commit(version: i16, size: usize) -> OffsetCommitRequest {
    let partition = |index: usize| {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(index as i32)
            .with_committed_offset(12_345)
            .with_committed_metadata(Some(text(String::new())));
        if version >= 6 { partition.with_committed_leader_epoch(2) } else { partition }
    };
    let topic = OffsetCommitRequestTopic::default()
        .with_name(name(0))
        .with_partitions((0..size).map(partition).collect());
    OffsetCommitRequest::default()
        .with_group_id(group(0))
        .with_generation_id_or_member_epoch(3)
        .with_member_id(member(0))
        .with_group_instance_id(instance(version, 7))
        .with_topics(vec![topic])
}

fn offset_fetch(version: i16, size: usize) -> OffsetFetchRequest {
    let indexes: Vec<i32> = (0..size as i32).collect();
    if version < 8 {
        let topic = OffsetFetchRequestTopic::default();
        let topics = vec![topic.with_name(name(0)).with_partition_indexes(indexes)];
        let topics = Some(topics).filter(|_| version < 2 || size > 0);
        return OffsetFetchRequest::default().with_group_id(group(0)).with_topics(topics);
    }
    let topic = OffsetFetchRequestTopics::default().with_name(name(0));
    let topics = Some(vec![topic.with_partition_indexes(indexes)]);
    let asked = |at| OffsetFetchRequestGroup::default().with_group_id(group(at));
    let groups = vec![asked(0).with_topics(topics), asked(1).with_topics(None)];
    OffsetFetchRequest::default().with_groups(groups)
}

fn offset_delete(size: usize) -> OffsetDeleteRequest {
    let partition =
        |index: usize| OffsetDeleteRequestPartition::default().with_partition_index(index as i32);
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(name(0))
        .with_partitions((0..size).map(partition).collect());
    OffsetDeleteRequest::default().with_group_id(group(0)).with_topics(vec![topic])
}

fn list_groups(version: i16) -> ListGroupsRequest {
    let mut request = ListGroupsRequest::default();
    if version >= 4 {
        request.states_filter = vec![text("Stable".to_owned()), text("Empty".to_owned())];
    }
    if version >= 5 {
        request.types_filter = vec![text("classic".to_owned())];
    }
    request
}

fn describe_groups(version: i16, size: usize) -> DescribeGroupsRequest {
    let request = DescribeGroupsRequest::default().with_groups((0..size).map(group).collect());
    if version >= 3 { request.with_include_authorized_operations(true) } else { request }
}

fn delete_groups(size: usize) -> DeleteGroupsRequest {
    DeleteGroupsRequest::default().with_groups_names((0..size).map(group).collect())
}
