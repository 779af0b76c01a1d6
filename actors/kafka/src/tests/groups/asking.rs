//! What members ask, in any version.

use super::super::client::Client;
use super::super::harness::{Harness, eventually, topic_name};
use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;

pub fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub fn group_id(name: &str) -> GroupId {
    GroupId(text(name))
}

/// What a consumer of "flights" says with the assignor "range".
pub fn metadata() -> Bytes {
    [&[0, 1, 0, 0, 0, 1, 0, 7][..], b"flights", &[0xff; 4]].concat().into()
}

/// A consumer that supports "range".
pub fn join(version: i16, group: &str, member: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
    let request = JoinGroupRequest::default()
        .with_group_id(group_id(group))
        .with_session_timeout_ms(30_000)
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol.with_metadata(metadata())]);
    if version == 0 { request } else { request.with_rebalance_timeout_ms(30_000) }
}

/// `assigned` is empty for all but the leader.
pub fn sync(
    version: i16,
    group: &str,
    joined: &JoinGroupResponse,
    assigned: &[(&str, &str)],
) -> SyncGroupRequest {
    let assignment = |(member, assigned): &(&str, &str)| {
        let assigned = Bytes::copy_from_slice(assigned.as_bytes());
        let assignment = SyncGroupRequestAssignment::default().with_member_id(text(member));
        assignment.with_assignment(assigned)
    };
    let request = SyncGroupRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(assigned.iter().map(assignment).collect());
    match version {
        ..5 => request,
        _ => request
            .with_protocol_type(Some(text("consumer")))
            .with_protocol_name(Some(text("range"))),
    }
}

pub fn heartbeat(group: &str, generation: i32, member: &str) -> HeartbeatRequest {
    HeartbeatRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id(generation)
        .with_member_id(text(member))
}

pub fn leave(version: i16, group: &str, member: &str) -> LeaveGroupRequest {
    let request = LeaveGroupRequest::default().with_group_id(group_id(group));
    match version {
        ..3 => request.with_member_id(text(member)),
        _ => request.with_members(vec![MemberIdentity::default().with_member_id(text(member))]),
    }
}

/// Offset and metadata for one partition, from one who is no member.
pub fn commit(group: &str, topic: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_metadata(Some(text(&format!("at {offset}"))));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name(topic))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic])
}

/// Some partitions of one topic, or everything.
pub fn fetch(version: i16, group: &str, asked: Option<(&str, &[i32])>) -> OffsetFetchRequest {
    if version >= 8 {
        let group = OffsetFetchRequestGroup::default().with_group_id(group_id(group));
        let topics = asked.map(|(name, partitions)| {
            let topic = OffsetFetchRequestTopics::default().with_name(topic_name(name));
            vec![topic.with_partition_indexes(partitions.to_vec())]
        });
        return OffsetFetchRequest::default().with_groups(vec![group.with_topics(topics)]);
    }
    let topics = asked.map(|(name, partitions)| {
        let topic = OffsetFetchRequestTopic::default().with_name(topic_name(name));
        vec![topic.with_partition_indexes(partitions.to_vec())]
    });
    OffsetFetchRequest::default().with_group_id(group_id(group)).with_topics(topics)
}

/// A door behind which all coordinators serve: the first search for one makes the
/// internal log, and those of other groups may be reading it still.
pub async fn start() -> Harness {
    let harness = Harness::start().await;
    let search = FindCoordinatorRequest::default().with_key(text("first"));
    assert_eq!(harness.dial().await.call(0, &search).await.error_code, 0);
    let all_serve = async || {
        let mut client = harness.dial().await;
        client.call(0, &ListGroupsRequest::default()).await.error_code == 0
    };
    eventually("all coordinators serve", all_serve).await;
    harness
}

/// Joins as a new member; gives the answer that lets it in.
pub async fn enter(client: &mut Client, version: i16, group: &str) -> JoinGroupResponse {
    let answer = client.call(version, &join(version, group, "")).await;
    if version < 4 {
        return answer;
    }
    assert_eq!((answer.error_code, answer.generation_id), (79, -1));
    assert!(answer.member_id.starts_with("test-"), "{:?}", answer.member_id);
    client.call(version, &join(version, group, &answer.member_id)).await
}

/// Joins a group that nobody else is in, and gets `assigned`.
pub async fn settle(client: &mut Client, group: &str, assigned: &str) -> JoinGroupResponse {
    let joined = enter(client, 5, group).await;
    assert_eq!((joined.error_code, &joined.leader), (0, &joined.member_id));
    let everything = [(&*joined.member_id, assigned)];
    let synced = client.call(3, &sync(3, group, &joined, &everything)).await;
    assert_eq!((synced.error_code, &synced.assignment[..]), (0, assigned.as_bytes()));
    joined
}
