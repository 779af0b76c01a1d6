//! Requests as clients send them: every API in every version served, small and
//! large, encoded by the codec.

#[path = "admin.rs"]
mod admin;
#[path = "groups.rs"]
mod groups;

use bytes::BytesMut;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Encodable, StrBytes};
use pyralog_kafka::SERVED;
use pyralog_model::BatchBuilder;

/// One request without its length.
pub struct Recording {
    /// API, version and size.
    pub name: String,
    /// The bytes.
    pub frame: Vec<u8>,
}

/// Every recording.
pub fn all() -> Vec<Recording> {
    let mut all = Vec::new();
    for served in SERVED {
        for version in served.min..=served.max {
            for size in [0, 1, 3, 200] {
                let frame = frame(served.key, version, size);
                all.push(Recording {
                    name: format!("{:?} v{version} of {size}", served.key),
                    frame,
                });
            }
        }
    }
    all
}

/// Requests that claim what they do not hold: each must be refused before it
/// costs anything.
pub fn bombs() -> Vec<Vec<u8>> {
    let mut bombs = Vec::new();
    for (key, version) in [(ApiKey::Metadata, 1), (ApiKey::Metadata, 9)] {
        // Two billion topics, or four.
        let claim: &[u8] =
            if version == 1 { &[0x7f, 0xff, 0xff, 0xff] } else { &[0xff, 0xff, 0xff, 0xff, 0x0f] };
        bombs.push([header(key, version), claim.to_vec(), vec![0; 40]].concat());
    }
    for (key, version) in ADMIN_ARRAYS {
        // Two billion resources, topics or partitions.
        bombs.push([header(key, version), vec![0x7f, 0xff, 0xff, 0xff], vec![0; 40]].concat());
    }
    // A hundred thousand and more topics that are really there, of three bytes each.
    let mut tiny = header(ApiKey::Metadata, 1);
    tiny.extend_from_slice(&300_000_i32.to_be_bytes());
    tiny.extend_from_slice(&[0, 1, b'a'].repeat(300_000));
    bombs.push(tiny);
    // Produce v9: fifty thousand topics without name or partitions.
    let mut empty = header(ApiKey::Produce, 9);
    empty.extend_from_slice(&[0, 0, 1, 0, 0, 0, 1, 0xd1, 0x86, 0x03]);
    empty.extend_from_slice(&[1, 1, 0].repeat(50_000));
    empty.push(0);
    bombs.push(empty);
    // ApiVersions v3: a thousand tagged fields.
    let mut tags = header(ApiKey::ApiVersions, 3);
    tags.extend_from_slice(&[2, b'a', 2, b'b', 0xe8, 0x07]);
    (0..1000_u32).for_each(|tag| tags.extend_from_slice(&[0x80 | tag as u8, (tag >> 7) as u8, 0]));
    bombs.push(tags);
    bombs
}

/// What admin tools send that begins with an array.
const ADMIN_ARRAYS: [(ApiKey, i16); 7] = [
    (ApiKey::DeleteRecords, 0),
    (ApiKey::OffsetForLeaderEpoch, 2),
    (ApiKey::DescribeConfigs, 1),
    (ApiKey::AlterConfigs, 0),
    (ApiKey::DescribeLogDirs, 1),
    (ApiKey::CreatePartitions, 0),
    (ApiKey::IncrementalAlterConfigs, 0),
];

fn header(key: ApiKey, version: i16) -> Vec<u8> {
    let header = RequestHeader::default()
        .with_request_api_key(key as i16)
        .with_request_api_version(version)
        .with_correlation_id(7)
        .with_client_id(Some(text("kcat".to_owned())));
    encode(&header, key.request_header_version(version))
}

fn encode(message: &impl Encodable, version: i16) -> Vec<u8> {
    let mut out = BytesMut::new();
    message.encode(&mut out, version).expect("recordings fit their version");
    out.to_vec()
}

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}

fn name(at: usize) -> TopicName {
    TopicName(text(format!("flights-of-2013-{at}")))
}

fn frame(key: ApiKey, version: i16, size: usize) -> Vec<u8> {
    let body = match key {
        ApiKey::Produce => encode(&produce(version, size), version),
        ApiKey::Fetch => encode(&fetch(version, size), version),
        ApiKey::ListOffsets => encode(&list_offsets(version, size), version),
        ApiKey::Metadata => encode(&metadata(version, size), version),
        ApiKey::ApiVersions => encode(&api_versions(version), version),
        ApiKey::CreateTopics => encode(&create_topics(size), version),
        ApiKey::DeleteTopics => encode(&delete_topics(version, size), version),
        ApiKey::InitProducerId => encode(&init_producer_id(version, size), version),
        other => groups::body(other, version, size)
            .or_else(|| admin::body(other, version, size))
            .unwrap_or_else(|| panic!("{other:?} is served and has no recording")),
    };
    [header(key, version), body].concat()
}

fn produce(_: i16, size: usize) -> ProduceRequest {
    let partition = |index: usize| {
        let mut batch = BatchBuilder::new();
        batch.push(1_357_000_000_000, Some(b"N14228"), Some(b"2013,1,1,UA"), &[]);
        let data = PartitionProduceData::default().with_index(index as i32);
        data.with_records(batch.finish())
    };
    let topic = TopicProduceData::default()
        .with_name(name(0))
        .with_partition_data((0..size).map(partition).collect());
    ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![topic])
}

fn fetch(version: i16, size: usize) -> FetchRequest {
    let partition = |index: usize| {
        let partition = FetchPartition::default()
            .with_partition(index as i32)
            .with_fetch_offset(12_345)
            .with_partition_max_bytes(1 << 20);
        if version >= 9 { partition.with_current_leader_epoch(3) } else { partition }
    };
    let topic = |at: usize| {
        FetchTopic::default()
            .with_topic(name(at))
            .with_partitions((0..size.min(20)).map(partition).collect())
    };
    let mut fetch = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(5)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_topics((0..size.div_ceil(20)).map(topic).collect());
    if version >= 7 {
        fetch.session_epoch = -1;
        let forgotten = ForgottenTopic::default().with_topic(name(9)).with_partitions(vec![1, 2]);
        fetch.forgotten_topics_data = vec![forgotten];
    }
    if version >= 11 {
        fetch.rack_id = text("rack-1".to_owned());
    }
    fetch
}

fn init_producer_id(version: i16, size: usize) -> InitProducerIdRequest {
    let id = (size > 0).then(|| TransactionalId(text("t".repeat(size))));
    let request = InitProducerIdRequest::default()
        .with_transactional_id(id)
        .with_transaction_timeout_ms(60_000);
    match version {
        0..3 => request,
        _ => request.with_producer_id(ProducerId(7)).with_producer_epoch(1),
    }
}

fn list_offsets(version: i16, size: usize) -> ListOffsetsRequest {
    let partition = |index: usize| {
        let partition = ListOffsetsPartition::default().with_partition_index(index as i32);
        let partition = partition.with_timestamp([-1, -2, 1_357_000_000_000][index % 3]);
        if version >= 4 { partition.with_current_leader_epoch(1) } else { partition }
    };
    let topic = ListOffsetsTopic::default()
        .with_name(name(0))
        .with_partitions((0..size).map(partition).collect());
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic])
}

fn metadata(version: i16, size: usize) -> MetadataRequest {
    let topic = |at: usize| MetadataRequestTopic::default().with_name(Some(name(at)));
    let topics = Some((0..size).map(topic).collect());
    let topics = if size == 1 && version >= 1 { None } else { topics };
    MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(true)
}

fn api_versions(version: i16) -> ApiVersionsRequest {
    let request = ApiVersionsRequest::default();
    if version < 3 {
        return request;
    }
    request
        .with_client_software_name(text("librdkafka".to_owned()))
        .with_client_software_version(text("2.16.0".to_owned()))
}

fn create_topics(size: usize) -> CreateTopicsRequest {
    let config = CreatableTopicConfig::default()
        .with_name(text("segment.bytes".to_owned()))
        .with_value(Some(text("65536".to_owned())));
    let topic = |at: usize| {
        CreatableTopic::default()
            .with_name(name(at))
            .with_num_partitions(8)
            .with_replication_factor(-1)
            .with_configs(vec![config.clone()])
    };
    let topics = (0..size).map(topic).collect();
    CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

fn delete_topics(version: i16, size: usize) -> DeleteTopicsRequest {
    let request = DeleteTopicsRequest::default().with_timeout_ms(30_000);
    if version < 6 {
        return request.with_topic_names((0..size).map(name).collect());
    }
    let topic = |at: usize| DeleteTopicState::default().with_name(Some(name(at)));
    request.with_topics((0..size).map(topic).collect())
}
