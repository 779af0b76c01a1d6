//! Requests of admin tools. What they change is not there, or is only checked.

use super::{encode, name, text};
use kafka_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::*;
use kafka_protocol::messages::{alter_configs_request, incremental_alter_configs_request};

/// The body of a request, if it is one of these.
pub fn body(key: ApiKey, version: i16, size: usize) -> Option<Vec<u8>> {
    Some(match key {
        ApiKey::CreatePartitions => encode(&create_partitions(size), version),
        ApiKey::DescribeConfigs => encode(&describe_configs(version, size), version),
        ApiKey::IncrementalAlterConfigs => encode(&incremental_alter_configs(size), version),
        ApiKey::AlterConfigs => encode(&alter_configs(size), version),
        ApiKey::DescribeCluster => encode(&DescribeClusterRequest::default(), version),
        ApiKey::DescribeLogDirs => encode(&describe_log_dirs(size), version),
        ApiKey::DeleteRecords => encode(&delete_records(size), version),
        ApiKey::OffsetForLeaderEpoch => encode(&offset_for_leader_epoch(version, size), version),
        _ => return None,
    })
}

fn create_partitions(size: usize) -> CreatePartitionsRequest {
    let assignment = CreatePartitionsAssignment::default().with_broker_ids(vec![BrokerId(1)]);
    let topic = |at: usize| {
        CreatePartitionsTopic::default()
            .with_name(name(at))
            .with_count(8)
            .with_assignments((at % 2 == 1).then(|| vec![assignment.clone()]))
    };
    CreatePartitionsRequest::default()
        .with_topics((0..size).map(topic).collect())
        .with_timeout_ms(30_000)
        .with_validate_only(true)
}

fn describe_configs(version: i16, size: usize) -> DescribeConfigsRequest {
    let keys = vec![text("segment.bytes".to_owned()), text("retention.ms".to_owned())];
    let resource = |at: usize| {
        DescribeConfigsResource::default()
            .with_resource_type([2, 4][at % 2])
            .with_resource_name(name(at).0)
            .with_configuration_keys((!at.is_multiple_of(3)).then(|| keys.clone()))
    };
    let request = DescribeConfigsRequest::default()
        .with_resources((0..size).map(resource).collect())
        .with_include_synonyms(true);
    if version >= 3 { request.with_include_documentation(true) } else { request }
}

fn incremental_alter_configs(size: usize) -> IncrementalAlterConfigsRequest {
    use incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let config = AlterableConfig::default()
        .with_name(text("segment.bytes".to_owned()))
        .with_value(Some(text("65536".to_owned())));
    let resource = |at: usize| {
        AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(name(at).0)
            .with_configs(vec![config.clone()])
    };
    let resources = (0..size).map(resource).collect();
    IncrementalAlterConfigsRequest::default().with_resources(resources).with_validate_only(true)
}

fn alter_configs(size: usize) -> AlterConfigsRequest {
    use alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let config =
        AlterableConfig::default().with_name(text("segment.bytes".to_owned())).with_value(None);
    let resource = |at: usize| {
        AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(name(at).0)
            .with_configs(vec![config.clone()])
    };
    let resources = (0..size).map(resource).collect();
    AlterConfigsRequest::default().with_resources(resources).with_validate_only(true)
}

fn describe_log_dirs(size: usize) -> DescribeLogDirsRequest {
    let topic = |at: usize| {
        DescribableLogDirTopic::default().with_topic(name(at)).with_partitions(vec![0, 1, 2])
    };
    let topics = (size > 0).then(|| (0..size).map(topic).collect());
    DescribeLogDirsRequest::default().with_topics(topics)
}

fn delete_records(size: usize) -> DeleteRecordsRequest {
    let partition = |index: usize| {
        DeleteRecordsPartition::default().with_partition_index(index as i32).with_offset(0)
    };
    let topic = DeleteRecordsTopic::default()
        .with_name(name(0))
        .with_partitions((0..size).map(partition).collect());
    DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000)
}

fn offset_for_leader_epoch(version: i16, size: usize) -> OffsetForLeaderEpochRequest {
    let partition = |index: usize| {
        OffsetForLeaderPartition::default()
            .with_partition(index as i32)
            .with_current_leader_epoch(3)
            .with_leader_epoch(2)
    };
    let topic = OffsetForLeaderTopic::default()
        .with_topic(name(0))
        .with_partitions((0..size).map(partition).collect());
    let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
    if version >= 3 { request.with_replica_id(BrokerId(-1)) } else { request }
}
