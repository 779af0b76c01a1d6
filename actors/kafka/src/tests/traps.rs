//! What other servers of this protocol got wrong: one test for each trap that is not
//! in another file. (ApiVersions: `versions`. Auto-creation: `logs`. Formats:
//! `producing`. Groups: `groups`.)

use super::admin::internal_log;
use super::harness::{Harness, batch, fetch, produce, topic_name};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::*;
use pyralog_model::{BatchBuilder, PartitionId, split_batches};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_fetch_12_has_an_empty_record_field_and_no_null() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let response = client.call(12, &fetch("flights", 0, 0)).await;
    let records = response.responses[0].partitions[0].records.as_ref();
    assert!(records.expect("not null").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_a_fetch_from_the_middle_of_a_batch_loses_no_record() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.call(7, &produce("flights", 0, -1, Some(batch(&["a", "b", "c"])))).await;
    for offset in 0..3 {
        let response = client.call(11, &fetch("flights", 0, offset)).await;
        let records = response.responses[0].partitions[0].records.clone().unwrap();
        let (header, _) = &split_batches(records).unwrap()[0];
        assert_eq!((header.base_offset, header.record_count), (0, 3), "from {offset}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_create_partitions_creates_partitions_that_metadata_tells() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 2).await;
    let topic = CreatePartitionsTopic::default().with_name(topic_name("flights")).with_count(5);
    let request = CreatePartitionsRequest::default()
        .with_topics(vec![topic.with_assignments(None)])
        .with_timeout_ms(10_000);
    assert_eq!(client.call(1, &request).await.results[0].error_code, 0);
    let told = client.call(9, &MetadataRequest::default().with_topics(None)).await;
    let partitions = &told.topics[0].partitions;
    assert_eq!(partitions.len(), 5);
    assert!(partitions.iter().all(|one| one.error_code == 0 && one.leader_id.0 > 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_describe_configs_is_not_empty() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for name in ["flights", ""] {
        let kind = if name.is_empty() { 4 } else { 2 };
        let name = if name.is_empty() { harness.shen.node().0.to_string() } else { name.into() };
        let resource = DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(name.into())
            .with_configuration_keys(None);
        let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
        let result = client.call(1, &request).await.results.remove(0);
        assert_eq!(result.error_code, 0);
        assert!(result.configs.iter().all(|row| row.value.is_some()) && result.configs.len() > 8);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_max_message_bytes_is_enforced_as_soon_as_it_is_changed() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let large = produce("flights", 0, -1, Some(batch(&[&"x".repeat(5_000)])));
    let number = harness.shen.log("flights").unwrap().number;
    for (bytes, error) in [(None, 0), (Some("2000"), 10), (Some("6000"), 0)] {
        let change = ("max.message.bytes".to_owned(), bytes.map(str::to_owned));
        harness.shen.alter_settings(number, vec![change], false).await.unwrap();
        let answer = client.call(7, &large).await;
        assert_eq!(answer.responses[0].partition_responses[0].error_code, error, "{bytes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_what_would_not_be_kept_is_not_promised() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    let create = |key: &'static str, value: &'static str| {
        let config =
            CreatableTopicConfig::default().with_name(key.into()).with_value(Some(value.into()));
        let topic = CreatableTopic::default()
            .with_name(topic_name("flights"))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs(vec![config]);
        CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000)
    };
    for (key, value, told) in [
        ("min.insync.replicas", "2", "until replicas are there"),
        ("pyralog.durability", "hope", "'page-cache'"),
    ] {
        let result = client.call(5, &create(key, value)).await.topics.remove(0);
        assert_eq!(result.error_code, 40);
        let message = result.error_message.unwrap();
        assert!(message.contains(key) && message.contains(told), "{message:?}");
    }
    let made = client.call(5, &create("pyralog.durability", "memory")).await.topics.remove(0);
    assert_eq!(made.error_code, 0, "{:?}", made.error_message);
    let number = harness.shen.log("flights").unwrap().number;
    let stronger = vec![("pyralog.durability".to_owned(), Some("fsync".to_owned()))];
    let refused = harness.shen.alter_settings(number, stronger, false).await.unwrap_err();
    assert!(refused.message.contains("since the log was made"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_a_compacted_topic_takes_no_record_without_a_key() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let number = harness.shen.log("flights").unwrap().number;
    let mut keyed = BatchBuilder::new();
    keyed.push(1, Some(b"k"), Some(b"v"), &[]);
    let keyed = keyed.finish().unwrap();
    for (policy, error) in [("compact", 87), ("delete", 0), ("compact,delete", 87)] {
        let change = ("cleanup.policy".to_owned(), Some(policy.to_owned()));
        harness.shen.alter_settings(number, vec![change], false).await.unwrap();
        let keyless = client.call(8, &produce("flights", 0, -1, Some(batch(&["v"])))).await;
        let answer = &keyless.responses[0].partition_responses[0];
        assert_eq!(answer.error_code, error, "{policy}: {:?}", answer.error_message);
        let taken = client.call(8, &produce("flights", 0, -1, Some(keyed.clone()))).await;
        assert_eq!(taken.responses[0].partition_responses[0].error_code, 0, "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_list_offsets_by_time_finds_nothing_before_the_start() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    // Times 1000 to 1004, and then 1000 and 1001 again.
    for values in [&["a", "b", "c", "d", "e"][..], &["f", "g"]] {
        client.call(7, &produce("flights", 0, -1, Some(batch(values)))).await;
    }
    let partition = DeleteRecordsPartition::default().with_partition_index(0).with_offset(3);
    let topic = DeleteRecordsTopic::default()
        .with_name(topic_name("flights"))
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    assert_eq!(client.call(1, &request).await.topics[0].partitions[0].error_code, 0);
    for (time, offset) in [(-2, 3), (0, 3), (1001, 3), (1004, 4), (1005, -1), (-1, 7)] {
        let partition = ListOffsetsPartition::default().with_timestamp(time);
        let topic = ListOffsetsTopic::default()
            .with_name(topic_name("flights"))
            .with_partitions(vec![partition]);
        let request =
            ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let found = client.call(5, &request).await.topics[0].partitions[0].offset;
        assert_eq!(found, offset, "at {time}");
    }
    let id = PartitionId::new(harness.shen.log("flights").unwrap().number.0, 0);
    harness.shen.delete_records(id, pyralog_model::Offset(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_the_clusters_own_logs_are_read_and_not_written() {
    let harness = Harness::start().await;
    let name = internal_log(&harness).await;
    let mut client = harness.dial().await;
    let refused = client.call(7, &produce(&name, 0, -1, Some(batch(&["x"])))).await;
    assert_eq!(refused.responses[0].partition_responses[0].error_code, 17);
    let read = client.call(11, &fetch(&name, 0, 0)).await;
    assert_eq!(read.responses[0].partitions[0].error_code, 0);
    let told = client.call(4, &MetadataRequest::default().with_topics(None)).await;
    let topic = told.topics.iter().find(|topic| topic.name.as_ref().unwrap().0 == *name).unwrap();
    assert!(topic.is_internal);
}
