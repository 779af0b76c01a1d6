//! Fetch in every version: bytes, limits, waiting, errors.

use super::client::Client;
use super::harness::{Harness, batch, fetch, produce, topic_name};
use bytes::Bytes;
use kafka_protocol::messages::fetch_request::FetchTopic;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::*;
use pyralog_model::split_batches;
use std::time::Duration;
use tokio::time::Instant;

async fn append(client: &mut Client, partition: i32, records: Bytes) {
    let response = client.call(7, &produce("flights", partition, -1, Some(records))).await;
    assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
}

async fn fetch_one(client: &mut Client, version: i16, request: &FetchRequest) -> PartitionData {
    let mut response = client.call(version, request).await;
    assert_eq!((response.error_code, response.session_id), (0, 0));
    response.responses.remove(0).partitions.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stored_bytes_are_the_sent_ones_in_every_version() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let sent = [batch(&["a", "b"]), batch(&["c"])];
    for records in &sent {
        append(&mut client, 0, records.clone()).await;
    }
    for version in 4..=12 {
        let part = fetch_one(&mut client, version, &fetch("flights", 0, 0)).await;
        assert_eq!((part.error_code, part.high_watermark, part.last_stable_offset), (0, 3, 3));
        let stored = split_batches(part.records.unwrap()).unwrap();
        assert_eq!(stored.iter().map(|(header, _)| header.base_offset).collect::<Vec<_>>(), [0, 2]);
        for ((_, stored), sent) in stored.iter().zip(&sent) {
            // All but base offset and leader epoch.
            assert_eq!((&stored[8..12], &stored[16..]), (&sent[8..12], &sent[16..]));
        }
        // From the middle of a batch, that batch is given whole.
        let part = fetch_one(&mut client, version, &fetch("flights", 0, 1)).await;
        assert_eq!(split_batches(part.records.unwrap()).unwrap()[0].0.base_offset, 0);
        // At the end there is an empty field, not a null one.
        let part = fetch_one(&mut client, version, &fetch("flights", 0, 3)).await;
        assert_eq!((part.error_code, part.records), (0, Some(Bytes::new())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_error_has_its_number() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    append(&mut client, 0, batch(&["a"])).await;
    for (name, partition, offset, error) in
        [("flights", 0, 2, 1), ("flights", 0, -1, 1), ("flights", 9, 0, 3), ("none", 0, 0, 3)]
    {
        // An error is told at once, however long the client would wait.
        let request = fetch(name, partition, offset).with_max_wait_ms(60_000);
        let part = fetch_one(&mut client, 12, &request).await;
        assert_eq!(part.error_code, error, "{name} {partition} {offset}");
        assert_eq!(part.records, Some(Bytes::new()));
    }
    let log = harness.shen.log("flights").unwrap();
    let id = pyralog_model::PartitionId::new(log.number.0, 0);
    let current = harness.shen.watermarks(id).unwrap().epoch.0 as i32;
    for (epoch, error) in [(current - 1, 74), (current, 0), (current + 1, 75)] {
        if epoch >= 0 {
            let mut request = fetch("flights", 0, 0);
            request.topics[0].partitions[0].current_leader_epoch = epoch;
            assert_eq!(fetch_one(&mut client, 9, &request).await.error_code, error);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_never_given_out_and_so_never_continued() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let fresh = fetch("flights", 0, 0).with_session_id(0).with_session_epoch(0);
    let response = client.call(11, &fresh).await;
    assert_eq!((response.error_code, response.session_id, response.responses.len()), (0, 0, 1));
    let continued = FetchRequest::default().with_session_id(7).with_session_epoch(1);
    for version in [7, 11, 12] {
        let response = client.call(version, &continued).await;
        assert_eq!((response.error_code, response.responses.len()), (70, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_batch_comes_whatever_the_limits_and_the_rest_within_them() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 3).await;
    let large = batch(&[&"x".repeat(10_000)]);
    for partition in 0..3 {
        append(&mut client, partition, large.clone()).await;
    }
    let mut request = fetch("flights", 0, 0);
    let one = request.topics[0].partitions[0].clone().with_partition_max_bytes(100);
    request.topics[0].partitions = (0..3).map(|at| one.clone().with_partition(at)).collect();
    let sizes = |response: &FetchResponse| -> Vec<usize> {
        let parts = &response.responses[0].partitions;
        parts.iter().map(|part| part.records.as_ref().unwrap().len()).collect()
    };
    // Each partition's limit is too small: only the first one gives its batch.
    let response = client.call(11, &request.clone().with_max_bytes(1 << 20)).await;
    assert_eq!(sizes(&response), [large.len(), 0, 0]);
    // Room for two of three.
    for partition in &mut request.topics[0].partitions {
        partition.partition_max_bytes = 1 << 20;
    }
    let room = 2 * large.len() as i32 + 10;
    let response = client.call(11, &request.clone().with_max_bytes(room)).await;
    assert_eq!(sizes(&response), [large.len(), large.len(), 0]);
    let response = client.call(11, &request.with_max_bytes(0)).await;
    assert_eq!(sizes(&response), [large.len(), 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_at_the_end_waits_for_a_record() {
    let harness = Harness::start().await;
    let mut reader = harness.with_log("flights", 2).await;
    let mut writer = harness.dial().await;
    let mut request = fetch("flights", 0, 0).with_max_wait_ms(60_000);
    let other = request.topics[0].partitions[0].clone().with_partition(1);
    request.topics[0].partitions.push(other);
    reader.send(11, &request).await;
    append(&mut writer, 1, batch(&["a"])).await;
    let response = reader.receive::<FetchRequest>(11).await;
    let parts = &response.responses[0].partitions;
    assert_eq!((parts[0].high_watermark, parts[1].high_watermark), (0, 1));
    assert!(!parts[1].records.as_ref().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wait_ends_without_records_and_with_fewer_than_wanted() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let started = Instant::now();
    let request = fetch("flights", 0, 0).with_max_wait_ms(120).with_min_bytes(1 << 20);
    let part = fetch_one(&mut client, 11, &request).await;
    assert_eq!(part.records, Some(Bytes::new()));
    append(&mut client, 0, batch(&["a"])).await;
    let part = fetch_one(&mut client, 11, &request).await;
    assert!(!part.records.unwrap().is_empty());
    assert!(started.elapsed() >= Duration::from_millis(240), "both waited");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_bytes_are_waited_for() {
    let harness = Harness::start().await;
    let mut reader = harness.with_log("flights", 1).await;
    let mut writer = harness.dial().await;
    let request = fetch("flights", 0, 0).with_max_wait_ms(60_000).with_min_bytes(5_000);
    reader.send(11, &request).await;
    let mut bytes = 0;
    while bytes < 5_000 {
        let records = batch(&[&"x".repeat(1_000)]);
        bytes += records.len();
        append(&mut writer, 0, records).await;
    }
    let response = reader.receive::<FetchRequest>(11).await;
    assert!(response.responses[0].partitions[0].records.as_ref().unwrap().len() >= 5_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_asked_for_is_answered_after_the_wait() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let nothing = FetchTopic::default().with_topic(topic_name("flights"));
    let request = FetchRequest::default().with_max_wait_ms(10).with_topics(vec![nothing]);
    let response = client.call(11, &request).await;
    assert!(response.responses[0].partitions.is_empty());
}
