//! What admin tools ask for beside settings: partitions, nodes, room, old records
//! and old epochs.

use super::client::Client;
use super::harness::{Harness, batch, fetch, produce, topic_name};
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::*;
use pyralog_model::{LogName, LogSettings, PartitionId};

fn grow(name: &str, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic::default()
        .with_name(topic_name(name))
        .with_count(count)
        .with_assignments(None)
}

fn grow_all(topics: Vec<CreatePartitionsTopic>) -> CreatePartitionsRequest {
    CreatePartitionsRequest::default().with_topics(topics).with_timeout_ms(10_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_create_partitions_adds_to_what_is_there() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.call(7, &produce("flights", 0, -1, Some(batch(&["kept"])))).await;
    for version in 0..=3 {
        let count = 3 + i32::from(version);
        let mut request = grow_all(vec![grow("flights", count)]);
        // As some clients say "none".
        request.topics[0].assignments = (version % 2 == 0).then(Vec::new);
        let checked = request.clone().with_validate_only(true);
        assert_eq!(client.call(version, &checked).await.results[0].error_code, 0);
        let present = harness.shen.log("flights").unwrap().partitions;
        assert_eq!(present, if version == 0 { 1 } else { count as u32 - 1 }, "only checked");
        let result = client.call(version, &request).await.results.remove(0);
        assert_eq!((result.error_code, result.error_message), (0, None));
        // It serves when it is answered.
        let request = produce("flights", count - 1, -1, Some(batch(&["new"])));
        let stored = client.call(7, &request).await;
        assert_eq!(stored.responses[0].partition_responses[0].error_code, 0);
    }
    let kept = client.call(11, &fetch("flights", 0, 0)).await;
    assert!(!kept.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_of_partitions_has_its_number_and_leaves_the_others_alone() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 3).await;
    let _ = harness.with_log("twice", 1).await;
    let assigned = CreatePartitionsAssignment::default().with_broker_ids(vec![BrokerId(1)]);
    let internal = internal_log(&harness).await;
    let topics = vec![
        grow("flights", 3),
        grow("twice", 2),
        grow("twice", 2),
        grow("missing", 2),
        grow(&internal, 9),
    ];
    let response = client.call(3, &grow_all(topics)).await;
    let errors: Vec<(String, i16)> =
        response.results.iter().map(|one| (one.name.to_string(), one.error_code)).collect();
    let expect = [("flights", 37), ("twice", 42), ("missing", 3), (&internal, 17)];
    assert_eq!(errors, expect.map(|(name, error)| (name.to_owned(), error)));
    for (topic, error) in [
        (grow("flights", 2), 37),
        (grow("flights", -1), 37),
        (grow("flights", 2_000), 37),
        (grow("flights", 4).with_assignments(Some(vec![assigned])), 39),
        (grow("flights", 4), 0),
    ] {
        let result = client.call(3, &grow_all(vec![topic])).await.results.remove(0);
        assert_eq!(result.error_code, error, "{:?}", result.error_message);
        assert_eq!(result.error_message.is_some(), error != 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn describe_cluster_tells_what_metadata_tells() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    let metadata = client.call(9, &MetadataRequest::default()).await;
    for version in 0..=1 {
        let mut request = DescribeClusterRequest::default();
        request.endpoint_type = 1;
        let told = client.call(version, &request).await;
        assert_eq!((told.error_code, told.endpoint_type), (0, 1));
        assert_eq!(Some(&told.cluster_id), metadata.cluster_id.as_ref());
        assert_eq!(told.controller_id, metadata.controller_id);
        let (broker, expect) = (&told.brokers[0], &metadata.brokers[0]);
        assert_eq!(broker.broker_id, expect.node_id);
        assert_eq!((&broker.host, broker.port), (&expect.host, expect.port));
    }
    for (endpoint_type, error) in [(2, 114), (9, 115)] {
        let request = DescribeClusterRequest::default().with_endpoint_type(endpoint_type);
        assert_eq!(client.call(1, &request).await.error_code, error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn describe_log_dirs_tells_how_much_room_partitions_take() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 2).await;
    let _ = harness.with_log("other", 1).await;
    client.call(7, &produce("flights", 1, -1, Some(batch(&[&"x".repeat(5_000)])))).await;
    for version in 1..=4 {
        let all = DescribeLogDirsRequest::default().with_topics(None);
        let mut response = client.call(version, &all).await;
        let directory = response.results.remove(0);
        assert_eq!((directory.error_code, &*directory.log_dir), (0, "/data/pyramid"));
        let names: Vec<_> = directory.topics.iter().map(|topic| topic.name.to_string()).collect();
        assert_eq!(names, ["flights", "other"]);
        let sizes: Vec<_> = directory.topics[0]
            .partitions
            .iter()
            .map(|one| (one.partition_index, one.partition_size > 5_000))
            .collect();
        assert_eq!(sizes, [(0, false), (1, true)]);
        if version >= 4 {
            assert_eq!(directory.total_bytes, -1);
            assert!(directory.usable_bytes > 0);
        }
        let named = |name: &str, partitions| {
            DescribableLogDirTopic::default()
                .with_topic(topic_name(name))
                .with_partitions(partitions)
        };
        let topics = vec![
            named("flights", vec![1, 1, 7]),
            named("missing", vec![0]),
            named("flights", vec![0]),
        ];
        let some = DescribeLogDirsRequest::default().with_topics(Some(topics));
        let response = client.call(version, &some).await;
        let topics = &response.results[0].topics;
        assert_eq!((topics.len(), topics[0].partitions.len()), (1, 1));
        assert_eq!(topics[0].partitions[0].partition_index, 1);
    }
}

/// Error and beginning for each partition that is named.
async fn delete(client: &mut Client, version: i16, wishes: &[(&str, i32, i64)]) -> Vec<(i16, i64)> {
    let topic = |&(name, partition, offset): &(&str, i32, i64)| {
        let partition =
            DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
        DeleteRecordsTopic::default().with_name(topic_name(name)).with_partitions(vec![partition])
    };
    let topics = wishes.iter().map(topic).collect();
    let request = DeleteRecordsRequest::default().with_topics(topics).with_timeout_ms(10_000);
    let response = client.call(version, &request).await;
    let answer = |one: &delete_records_response::DeleteRecordsTopicResult| {
        (one.partitions[0].error_code, one.partitions[0].low_watermark)
    };
    response.topics.iter().map(answer).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_delete_records_lets_a_partition_begin_later() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let request = produce("flights", 0, -1, Some(batch(&["a", "b", "c", "d", "e"])));
    client.call(7, &request).await;
    for version in 0..=2 {
        let before = 1 + i64::from(version);
        assert_eq!(delete(&mut client, version, &[("flights", 0, before)]).await, [(0, before)]);
        let below = client.call(11, &fetch("flights", 0, before - 1)).await;
        let below = &below.responses[0].partitions[0];
        assert_eq!((below.error_code, below.log_start_offset), (1, before));
        let at = client.call(11, &fetch("flights", 0, before)).await;
        assert_eq!(at.responses[0].partitions[0].error_code, 0);
    }
    let stored = client.call(7, &request).await;
    assert_eq!(stored.responses[0].partition_responses[0].log_start_offset, 3);
    assert_eq!(delete(&mut client, 2, &[("flights", 0, 2)]).await, [(0, 3)], "it never goes back");
    assert_eq!(delete(&mut client, 2, &[("flights", 0, -1)]).await, [(0, 10)], "to the end");
    let stored = client.call(7, &request).await;
    assert_eq!(stored.responses[0].partition_responses[0].base_offset, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_to_delete_records_has_its_number() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.call(7, &produce("flights", 0, -1, Some(batch(&["a"])))).await;
    let internal = internal_log(&harness).await;
    let wishes = [
        ("flights", 0, 2),
        ("flights", 0, 1),
        ("flights", 1, 0),
        ("missing", 0, 0),
        (internal.as_str(), 0, 0),
    ];
    let answers = delete(&mut client, 2, &wishes).await;
    assert_eq!(answers, [(1, -1), (42, -1), (3, -1), (3, -1), (17, -1)]);
    assert_eq!(delete(&mut client, 2, &[("flights", 0, -2)]).await, [(1, -1)]);
}

/// Error, epoch and end of an epoch.
async fn epoch_end(
    client: &mut Client,
    version: i16,
    (current, epoch): (i32, i32),
) -> (i16, i32, i64) {
    let partition = OffsetForLeaderPartition::default()
        .with_partition(0)
        .with_current_leader_epoch(current)
        .with_leader_epoch(epoch);
    let topic = OffsetForLeaderTopic::default()
        .with_topic(topic_name("flights"))
        .with_partitions(vec![partition]);
    let request = OffsetForLeaderEpochRequest::default()
        .with_replica_id(BrokerId(if version >= 3 { -1 } else { -2 }))
        .with_topics(vec![topic]);
    let response = client.call(version, &request).await;
    let answer = &response.topics[0].partitions[0];
    (answer.error_code, answer.leader_epoch, answer.end_offset)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_offset_for_leader_epoch_tells_where_epochs_end() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.call(7, &produce("flights", 0, -1, Some(batch(&["a", "b"])))).await;
    let log = harness.shen.log("flights").unwrap().number.0;
    let id = PartitionId::new(log, 0);
    let now = harness.shen.watermarks(id).unwrap().epoch.0 as i32;
    for version in 2..=4 {
        assert_eq!(epoch_end(&mut client, version, (-1, now)).await, (0, now, 2));
        assert_eq!(epoch_end(&mut client, version, (now, now)).await, (0, now, 2));
        assert_eq!(epoch_end(&mut client, version, (-1, now - 1)).await, (0, now - 1, 0));
        assert_eq!(epoch_end(&mut client, version, (-1, now + 1)).await, (0, -1, -1));
        assert_eq!(epoch_end(&mut client, version, (-1, -1)).await, (0, -1, -1));
        assert_eq!(epoch_end(&mut client, version, (now + 1, now)).await, (75, -1, -1));
        assert_eq!(epoch_end(&mut client, version, (now - 1, now)).await, (74, -1, -1));
    }
}

/// One of the cluster's own logs.
pub async fn internal_log(harness: &Harness) -> String {
    let name: LogName = "__own".parse().unwrap();
    let settings = LogSettings::default();
    let log = harness.shen.create_internal_log(name, 1, settings).await.unwrap();
    log.name.to_string()
}
