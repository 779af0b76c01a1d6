//! Metadata, CreateTopics and DeleteTopics.

use super::harness::{Harness, topic_name};
use crate::KafkaSettings;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::*;
use uuid::Uuid;

fn ask(names: &[&str]) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    MetadataRequest::default().with_topics(Some(names.iter().map(topic).collect()))
}

fn names(response: &MetadataResponse) -> Vec<String> {
    response.topics.iter().map(|topic| topic.name.as_ref().unwrap().to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_metadata_tells_of_brokers_and_partitions() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 3).await;
    for version in 0..=9 {
        let response = client.call(version, &ask(&["flights"])).await;
        let broker = &response.brokers[0];
        assert_eq!(response.brokers.len(), 1);
        assert_eq!((&*broker.host, broker.port), ("127.0.0.1", harness.address.port() as i32));
        if version >= 1 {
            assert_eq!(response.controller_id, broker.node_id);
        }
        let topic = &response.topics[0];
        assert_eq!((topic.error_code, topic.partitions.len()), (0, 3));
        for (at, partition) in topic.partitions.iter().enumerate() {
            assert_eq!((partition.error_code, partition.partition_index), (0, at as i32));
            assert_eq!(partition.leader_id, broker.node_id);
            assert_eq!(partition.isr_nodes, [broker.node_id]);
            assert_eq!(partition.replica_nodes, [broker.node_id]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn null_asks_for_all_and_empty_for_none_but_in_version_0() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let all = MetadataRequest::default().with_topics(None);
    for version in 1..=9 {
        assert_eq!(names(&client.call(version, &all).await), ["flights"]);
        assert!(client.call(version, &ask(&[])).await.topics.is_empty());
    }
    assert_eq!(names(&client.call(0, &ask(&[])).await), ["flights"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_creates_when_node_and_client_agree() {
    let settings = KafkaSettings { default_partitions: 5, ..KafkaSettings::default() };
    let harness = Harness::with(settings).await;
    let mut client = harness.dial().await;
    let no = ask(&["shy"]).with_allow_auto_topic_creation(false);
    assert_eq!(client.call(4, &no).await.topics[0].error_code, 3);
    let created = client.call(4, &ask(&["bold"]).with_allow_auto_topic_creation(true)).await;
    assert_eq!((created.topics[0].error_code, created.topics[0].partitions.len()), (0, 5));
    // Before version 4 there was no way to say no.
    assert_eq!(client.call(1, &ask(&["old"])).await.topics[0].partitions.len(), 5);
    for (bad, error) in [("../etc", 17), ("", 17), ("..", 17), ("a b", 17), ("__groups", 3)] {
        assert_eq!(client.call(4, &ask(&[bad])).await.topics[0].error_code, error, "{bad:?}");
    }
    let off = KafkaSettings { auto_create_logs: false, ..KafkaSettings::default() };
    let mut client = Harness::with(off).await.dial().await;
    assert_eq!(client.call(4, &ask(&["x"])).await.topics[0].error_code, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_asked_often_is_answered_once() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let response = client.call(9, &ask(&["flights"; 500])).await;
    assert_eq!(response.topics.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_advertised_address_is_told() {
    let advertised = Some(("kafka.example".to_owned(), 9));
    let harness = Harness::with(KafkaSettings { advertised, ..KafkaSettings::default() }).await;
    let response = harness.dial().await.call(1, &ask(&[])).await;
    assert_eq!((&*response.brokers[0].host, response.brokers[0].port), ("kafka.example", 9));
}

fn topic(name: &str, partitions: i32, replicas: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas)
}

fn config(name: &'static str, value: Option<&'static str>) -> Vec<CreatableTopicConfig> {
    let config = CreatableTopicConfig::default().with_name(name.into());
    vec![config.with_value(value.map(Into::into))]
}

fn create(topics: Vec<CreatableTopic>) -> CreateTopicsRequest {
    CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(10_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_created_and_deleted_in_every_version() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    for version in 2..=7 {
        let name = format!("log-{version}");
        let request =
            create(vec![topic(&name, 2, 1).with_configs(config("segment.bytes", Some("65536")))]);
        let result = client.call(version, &request).await.topics.remove(0);
        assert_eq!(result.error_code, 0);
        if version >= 5 {
            assert_eq!((result.num_partitions, result.replication_factor), (2, 1));
            let configs = result.configs.unwrap();
            let row = configs.iter().find(|row| &*row.name == "segment.bytes").unwrap();
            assert_eq!(row.value.as_deref(), Some("65536"));
        }
        let id = harness.shen.log(&name).unwrap().topic_id;
        if version >= 7 {
            assert_eq!(result.topic_id, Uuid::from_bytes(id));
        }
        assert_eq!(client.call(version, &request).await.topics[0].error_code, 36);
    }
    for version in 1..=5 {
        let name = topic_name(&format!("log-{}", version + 1));
        let request = DeleteTopicsRequest::default().with_topic_names(vec![name.clone()]);
        let request = request.with_timeout_ms(10_000);
        let response = client.call(version, &request).await;
        assert_eq!(
            (response.responses[0].error_code, &response.responses[0].name),
            (0, &Some(name))
        );
        assert_eq!(client.call(version, &request).await.responses[0].error_code, 3);
    }
    let log = harness.shen.log("log-7").unwrap();
    let by_id = DeleteTopicState::default().with_topic_id(Uuid::from_bytes(log.topic_id));
    let request = DeleteTopicsRequest::default().with_topics(vec![by_id]).with_timeout_ms(10_000);
    assert_eq!(client.call(6, &request).await.responses[0].error_code, 0);
    assert_eq!(client.call(6, &request).await.responses[0].error_code, 100);
    assert!(harness.shen.logs().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_has_its_number_and_leaves_the_others_alone() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    let assigned = CreatableReplicaAssignment::default().with_broker_ids(vec![BrokerId(1)]);
    let topics = vec![
        topic("good", -1, -1),
        topic("three", 1, 3),
        topic("zero", 1, 0),
        topic("none", 0, 1),
        topic("many", 1_000_000, 1),
        topic("../up", 1, 1),
        topic("placed", -1, -1).with_assignments(vec![assigned]),
        topic("unknown", 1, 1).with_configs(config("segmnt.bytes", Some("1"))),
        topic("valueless", 1, 1).with_configs(config("segment.bytes", None)),
        topic("twice", 1, 1),
        topic("twice", 1, 1),
    ];
    let response = client.call(7, &create(topics)).await;
    let errors: Vec<_> =
        response.topics.iter().map(|topic| (topic.name.to_string(), topic.error_code)).collect();
    let expect = [
        ("good", 0),
        ("three", 38),
        ("zero", 38),
        ("none", 37),
        ("many", 37),
        ("../up", 17),
        ("placed", 39),
        ("unknown", 40),
        ("valueless", 40),
        ("twice", 42),
    ];
    assert_eq!(errors, expect.map(|(name, error)| (name.to_owned(), error)));
    assert!(
        response
            .topics
            .iter()
            .all(|topic| (topic.error_code == 0) == topic.error_message.is_none())
    );
    let dry = create(vec![topic("dry", 1, 1)]).with_validate_only(true);
    assert_eq!(client.call(4, &dry).await.topics[0].error_code, 0);
    let left: Vec<_> = harness.shen.logs().iter().map(|log| log.name.to_string()).collect();
    assert_eq!(left, ["good"]);
}
