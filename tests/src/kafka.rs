//! A small Kafka client over a blocking socket. Only the codec is a library's.

use crate::batch::{self, Batch};
use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Kafka's error codes that tests name.
pub mod code {
    /// No error.
    pub const NONE: i16 = 0;
    /// No such offset.
    pub const OFFSET_OUT_OF_RANGE: i16 = 1;
    /// No such topic.
    pub const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
    /// Ask again.
    pub const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
    /// Nobody can answer now.
    pub const COORDINATOR_NOT_AVAILABLE: i16 = 15;
    /// The name cannot be.
    pub const INVALID_TOPIC: i16 = 17;
    /// It is there already.
    pub const TOPIC_ALREADY_EXISTS: i16 = 36;
    /// A batch of a session does not follow its last one.
    pub const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
    /// A batch of a session was stored before.
    pub const DUPLICATE_SEQUENCE_NUMBER: i16 = 46;
    /// A newer epoch of the session has written.
    pub const INVALID_PRODUCER_EPOCH: i16 = 47;
    /// A session that the partition does not know.
    pub const UNKNOWN_PRODUCER_ID: i16 = 59;
    /// The disk failed or is full.
    pub const KAFKA_STORAGE_ERROR: i16 = 56;
}

const PRODUCE: i16 = 7;
const FETCH: i16 = 11;
const LIST_OFFSETS: i16 = 2;
const METADATA: i16 = 4;
const CREATE_TOPICS: i16 = 4;
const INIT_PRODUCER_ID: i16 = 1;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    correlation: i32,
}

/// The answer of one partition to a fetch.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Kafka's error code.
    pub code: i16,
    /// The high watermark.
    pub high: i64,
    /// Whole batches.
    pub batches: Vec<Batch>,
}

/// The answer of one partition to a produce request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Produced {
    /// Kafka's error code.
    pub code: i16,
    /// Offset of the first record.
    pub base_offset: i64,
}

impl Client {
    /// Connects.
    pub fn dial(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { stream, correlation: 0 })
    }

    /// Asks and waits for the answer.
    pub fn call<R: Request>(&mut self, version: i16, request: &R) -> Result<R::Response> {
        self.send(version, request)?;
        self.receive::<R>(version)
    }

    /// Asks; answers come in order.
    pub fn send<R: Request>(&mut self, version: i16, request: &R) -> Result<()> {
        self.correlation += 1;
        let header = RequestHeader::default()
            .with_request_api_key(R::KEY)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(StrBytes::from_static_str("pyralog-tests")));
        let mut frame = BytesMut::zeroed(4);
        header.encode(&mut frame, R::header_version(version))?;
        request.encode(&mut frame, version)?;
        let length = i32::try_from(frame.len() - 4)?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream.write_all(&frame)?;
        Ok(())
    }

    /// The next answer.
    pub fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length))?];
        self.stream.read_exact(&mut frame)?;
        let mut frame = Bytes::from(frame);
        let header = ResponseHeader::decode(&mut frame, R::Response::header_version(version))?;
        ensure!(header.correlation_id <= self.correlation, "an answer to nobody's question");
        R::Response::decode(&mut frame, version)
    }

    /// Makes a topic and gives Kafka's error code.
    pub fn create(&mut self, name: &str, partitions: i32) -> Result<i16> {
        let topic = CreatableTopic::default()
            .with_name(topic(name))
            .with_num_partitions(partitions)
            .with_replication_factor(-1);
        let request =
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
        let response = self.call(CREATE_TOPICS, &request)?;
        Ok(response.topics.first().context("no topic in the answer")?.error_code)
    }

    /// A new session: Kafka's error code, the producer id and its epoch.
    pub fn init_producer(&mut self) -> Result<(i16, i64, i16)> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(60_000);
        let response = self.call(INIT_PRODUCER_ID, &request)?;
        Ok((response.error_code, response.producer_id.0, response.producer_epoch))
    }

    /// Error code and number of partitions of a topic.
    pub fn metadata(&mut self, name: &str, create: bool) -> Result<(i16, usize)> {
        let topic = MetadataRequestTopic::default().with_name(Some(topic(name)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(create);
        let response = self.call(METADATA, &request)?;
        let topic = response.topics.first().context("no topic in the answer")?;
        Ok((topic.error_code, topic.partitions.len()))
    }

    /// Appends a batch with `acks=all` and waits.
    pub fn produce(&mut self, name: &str, partition: i32, batch: Vec<u8>) -> Result<Produced> {
        self.send_produce(name, partition, batch)?;
        self.receive_produced()
    }

    /// Sends a batch with `acks=all`.
    pub fn send_produce(&mut self, name: &str, partition: i32, batch: Vec<u8>) -> Result<()> {
        let data =
            PartitionProduceData::default().with_index(partition).with_records(Some(batch.into()));
        let topic =
            TopicProduceData::default().with_name(topic(name)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(30_000)
            .with_topic_data(vec![topic]);
        self.send(PRODUCE, &request)
    }

    /// The answer to the oldest batch sent.
    pub fn receive_produced(&mut self) -> Result<Produced> {
        let response = self.receive::<ProduceRequest>(PRODUCE)?;
        let topic = response.responses.first().context("no topic in the answer")?;
        let partition = topic.partition_responses.first().context("no partition in the answer")?;
        Ok(Produced { code: partition.error_code, base_offset: partition.base_offset })
    }

    /// What a partition has from `offset` on, at once.
    pub fn fetch(&mut self, name: &str, partition: i32, offset: i64) -> Result<Fetched> {
        let partition = FetchPartition::default()
            .with_partition(partition)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default().with_topic(topic(name)).with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_min_bytes(0)
            .with_max_bytes(50 << 20)
            .with_session_epoch(-1)
            .with_topics(vec![topic]);
        let response = self.call(FETCH, &request)?;
        ensure!(response.error_code == code::NONE, "the fetch failed with {}", response.error_code);
        let topic = response.responses.first().context("no topic in the answer")?;
        let data = topic.partitions.first().context("no partition in the answer")?;
        let batches = batch::split(data.records.as_deref().unwrap_or_default())?;
        Ok(Fetched { code: data.error_code, high: data.high_watermark, batches })
    }

    /// Everything in a partition, batch by batch up to its high watermark.
    pub fn read_all(&mut self, name: &str, partition: i32) -> Result<Vec<Batch>> {
        let mut next = 0;
        let mut all = Vec::new();
        loop {
            let fetched = self.fetch(name, partition, next)?;
            ensure!(
                fetched.code == code::NONE,
                "reading {name}/{partition} at {next}: code {}",
                fetched.code
            );
            let high = fetched.high;
            ensure!(
                next >= high || !fetched.batches.is_empty(),
                "nothing at {next} of {name}/{partition}, high is {high}"
            );
            for batch in fetched.batches {
                next = batch.base_offset + i64::from(batch.record_count);
                all.push(batch);
            }
            if next >= high {
                return Ok(all);
            }
        }
    }

    /// Code and offset for a timestamp; -1 asks for the end, -2 for the start.
    pub fn offset_at(&mut self, name: &str, partition: i32, timestamp: i64) -> Result<(i16, i64)> {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(partition)
            .with_timestamp(timestamp);
        let topic =
            ListOffsetsTopic::default().with_name(topic(name)).with_partitions(vec![partition]);
        let request =
            ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let response = self.call(LIST_OFFSETS, &request)?;
        let topic = response.topics.first().context("no topic in the answer")?;
        let partition = topic.partitions.first().context("no partition in the answer")?;
        Ok((partition.error_code, partition.offset))
    }
}

fn topic(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}
