//! A door on a port of its own, in a tree of its own.

use super::client::Client;
use super::node;
use crate::{KafkaArguments, KafkaSettings, Sessions, kafka_children};
use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use pyralog_behaviour::{Supervisor, SupervisorSpec, Tree, TreeNode};
use pyralog_env::RealClock;
use pyralog_model::{ApiError, BatchBuilder, SessionId, batch_crc};
use pyralog_partition::Shen;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sessions from a counter, beginning at 1,000.
#[derive(Default)]
struct Counted(AtomicU64);

impl Sessions for Counted {
    fn next(&self) -> Pin<Box<dyn Future<Output = Result<SessionId, ApiError>> + Send>> {
        let session = 1_000 + self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(ready(Ok(SessionId(session))))
    }
}

/// A running door.
pub struct Harness {
    pub address: SocketAddr,
    pub tree: Tree,
    pub shen: Shen,
}

impl Harness {
    pub async fn start() -> Harness {
        Harness::with(KafkaSettings::default()).await
    }

    pub async fn with(settings: KafkaSettings) -> Harness {
        Harness::with_sessions(settings, Arc::new(Counted::default())).await
    }

    /// A door with another source of sessions.
    pub async fn with_sessions(settings: KafkaSettings, sessions: Arc<dyn Sessions>) -> Harness {
        let (mut children, shen, groups) = node::children();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Arc::new(listener);
        let shen_behind = shen.clone();
        let arguments = KafkaArguments { listener, shen: shen_behind, groups, sessions, settings };
        children.extend(kafka_children(arguments));
        let spec = SupervisorSpec::rest_for_one(children);
        let clock = Arc::new(RealClock::default());
        let (root, _) = Supervisor::start("root", spec, clock, None).await.unwrap();
        Harness { address, tree: Tree::new(root), shen }
    }

    pub async fn dial(&self) -> Client {
        Client::dial(self.address).await
    }

    /// A client, and a log of so many partitions to work with.
    pub async fn with_log(&self, name: &str, partitions: i32) -> Client {
        let mut client = self.dial().await;
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(-1);
        let create =
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
        let created = client.call(4, &create).await;
        assert_eq!(created.topics[0].error_code, 0, "{:?}", created.topics[0].error_message);
        client
    }

    /// The children of `kafka-connections`.
    pub async fn connections(&self) -> Vec<TreeNode> {
        let root = self.tree.snapshot(Duration::from_secs(5)).await;
        root.children.into_iter().find(|child| child.id == "kafka-connections").unwrap().children
    }
}

/// Asks `condition` again until it holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holds).await.unwrap_or_else(|_| panic!("{what}"));
}

pub fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A batch of records with these values, at timestamps 1000, 1001, ….
pub fn batch(values: &[&str]) -> Bytes {
    let mut batch = BatchBuilder::new();
    for (at, value) in values.iter().enumerate() {
        batch.push(1000 + at as i64, None, Some(value.as_bytes()), &[]);
    }
    batch.finish().unwrap()
}

/// `batch` as one of a producer's session.
pub fn in_session(batch: &Bytes, session: i64, epoch: i16, sequence: i32) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[43..51].copy_from_slice(&session.to_be_bytes());
    bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

/// A produce request of one record field.
pub fn produce(name: &str, partition: i32, acks: i16, records: Option<Bytes>) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(records);
    let topic =
        TopicProduceData::default().with_name(topic_name(name)).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(10_000).with_topic_data(vec![topic])
}

/// A fetch request of one partition that does not wait.
pub fn fetch(name: &str, partition: i32, offset: i64) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(topic_name(name)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_topics(vec![topic])
}
