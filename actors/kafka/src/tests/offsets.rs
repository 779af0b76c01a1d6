//! ListOffsets: ends, beginnings, times.

use super::client::Client;
use super::harness::{Harness, produce, topic_name};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::*;
use pyralog_model::{BatchBuilder, Compression};

/// Error, offset and timestamp.
async fn list(client: &mut Client, version: i16, partition: i32, time: i64) -> (i16, i64, i64) {
    let partition =
        ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(time);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name("flights"))
        .with_partitions(vec![partition]);
    let request =
        ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let response = client.call(version, &request).await;
    let answer = &response.topics[0].partitions[0];
    (answer.error_code, answer.offset, answer.timestamp)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_by_end_beginning_and_time_in_every_version() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 2).await;
    // Times 100, 110, 120 | 130, 140, 150 compressed | …: every codec is looked into.
    let codecs = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    let mut time = 100;
    for codec in codecs {
        let mut batch = BatchBuilder::new();
        for _ in 0..3 {
            batch.push(time, None, Some(b"x"), &[]);
            time += 10;
        }
        let records = batch.finish_compressed(codec);
        client.call(7, &produce("flights", 0, -1, records)).await;
    }
    for version in 1..=6 {
        assert_eq!(list(&mut client, version, 0, -1).await, (0, 15, -1));
        assert_eq!(list(&mut client, version, 0, -2).await, (0, 0, -1));
        assert_eq!(list(&mut client, version, 1, -1).await, (0, 0, -1));
        for offset in 0..15 {
            let time = 100 + 10 * offset;
            assert_eq!(list(&mut client, version, 0, time).await, (0, offset, time));
            assert_eq!(list(&mut client, version, 0, time - 9).await, (0, offset, time));
        }
        assert_eq!(list(&mut client, version, 0, 0).await, (0, 0, 100));
        assert_eq!(list(&mut client, version, 0, 241).await, (0, -1, -1));
        assert_eq!(list(&mut client, version, 1, 0).await, (0, -1, -1));
        assert_eq!(list(&mut client, version, 2, -1).await, (3, -1, -1));
        assert_eq!(list(&mut client, version, 0, -3).await, (35, -1, -1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_is_looked_up_once_in_a_request() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name("flights"))
        .with_partitions(vec![partition.clone(), partition]);
    let request =
        ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let response = client.call(5, &request).await;
    let errors: Vec<_> = response.topics[0].partitions.iter().map(|part| part.error_code).collect();
    assert_eq!(errors, [0, 42]);
}
