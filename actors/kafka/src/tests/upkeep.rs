//! Old records through the door: they go by age and size, of every key the last one
//! stays, and clients read on over what is missing.

use super::client::Client;
use super::harness::{Harness, eventually, fetch, produce, topic_name};
use bytes::Bytes;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest};
use pyralog_model::{BatchBuilder, decode_records, stored_batches};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Has old records looked after until `holds`: a change of settings wakes who does.
async fn looked_after<F: Future<Output = bool>>(
    harness: &Harness,
    what: &str,
    mut holds: impl FnMut() -> F,
) {
    let looks = AtomicU64::new(1);
    eventually(what, || {
        let (look, holds) = (looks.fetch_add(1, Ordering::Relaxed), holds());
        async move {
            set(harness, &[("delete.retention.ms", &(1_000_000 + look).to_string())]).await;
            holds.await
        }
    })
    .await;
}

async fn set(harness: &Harness, changes: &[(&str, &str)]) {
    let number = harness.shen.log("flights").unwrap().number;
    let change = |(key, value): &(&str, &str)| ((*key).to_owned(), Some((*value).to_owned()));
    let changes = changes.iter().map(change).collect();
    harness.shen.alter_settings(number, changes, false).await.unwrap();
}

fn keyed(key: &str, value: Option<&str>, time: i64) -> Bytes {
    let mut batch = BatchBuilder::new();
    batch.push(time, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
    batch.finish().unwrap()
}

async fn put(client: &mut Client, batch: Bytes) -> i64 {
    let answer = client.call(7, &produce("flights", 0, -1, Some(batch))).await;
    let answer = &answer.responses[0].partition_responses[0];
    assert_eq!(answer.error_code, 0);
    answer.base_offset
}

async fn offset_at(client: &mut Client, time: i64) -> i64 {
    let partition = ListOffsetsPartition::default().with_timestamp(time);
    let topic = ListOffsetsTopic::default()
        .with_name(topic_name("flights"))
        .with_partitions(vec![partition]);
    let request =
        ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    client.call(5, &request).await.topics[0].partitions[0].offset
}

/// What a consumer sees that begins at the earliest offset, and where it ends.
async fn consumed(client: &mut Client) -> (BTreeMap<i64, String>, i64) {
    let (mut next, end) = (offset_at(client, -2).await, offset_at(client, -1).await);
    let mut seen = BTreeMap::new();
    while next < end {
        let answer = client.call(11, &fetch("flights", 0, next)).await;
        let partition = &answer.responses[0].partitions[0];
        assert_eq!(partition.error_code, 0);
        let records = partition.records.clone().unwrap();
        for (header, batch) in stored_batches(records).unwrap() {
            for record in decode_records(&header, &batch, 1 << 20).unwrap() {
                let record = record.unwrap();
                let value = record.value.map(|value| String::from_utf8_lossy(&value).into_owned());
                let offset = header.base_offset + i64::from(record.offset_delta);
                seen.insert(offset, value.unwrap_or_default());
            }
            next = header.base_offset + header.offsets() as i64;
        }
    }
    (seen, next)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_go_by_age_and_their_readers_are_told() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for n in 0..10 {
        put(&mut client, keyed("k", Some("old"), 1_000 + n)).await;
    }
    set(&harness, &[("retention.ms", "60000")]).await;
    let shen = harness.shen.clone();
    let id = pyralog_model::PartitionId::new(shen.log("flights").unwrap().number.0, 0);
    eventually("the records go", || async { shen.watermarks(id).unwrap().log_start.0 == 10 }).await;
    let answer = client.call(11, &fetch("flights", 0, 3)).await;
    let partition = &answer.responses[0].partitions[0];
    assert_eq!((partition.error_code, partition.log_start_offset), (1, 10));
    assert_eq!((offset_at(&mut client, -2).await, offset_at(&mut client, -1).await), (10, 10));
    assert_eq!(put(&mut client, keyed("k", Some("new"), i64::MAX / 2)).await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_becomes_no_larger_than_it_may() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    set(&harness, &[("segment.bytes", "65536")]).await;
    for n in 0..60 {
        put(&mut client, keyed("k", Some(&"v".repeat(10_000)), 1_000 + n)).await;
    }
    // What is in no segment yet is in none that could go.
    set(&harness, &[("segment.ms", "1"), ("retention.bytes", "100000")]).await;
    let shen = harness.shen.clone();
    let id = pyralog_model::PartitionId::new(shen.log("flights").unwrap().number.0, 0);
    let start = || async { shen.watermarks(id).unwrap().log_start.0 };
    looked_after(&harness, "segments go", || async { start().await > 40 }).await;
    let (seen, end) = consumed(&mut client).await;
    assert!(end == 60 && (6..20).contains(&seen.len()), "{} up to {end}", seen.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_every_key_the_last_record_stays_and_consumers_get_past_the_rest() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for n in 0..40 {
        let (key, value) = (format!("k{}", n % 5), format!("value {n}"));
        put(&mut client, keyed(&key, Some(&value), 1_000 + n)).await;
    }
    put(&mut client, keyed("k3", None, 1_040)).await;
    let compact =
        [("cleanup.policy", "compact"), ("segment.ms", "1"), ("min.cleanable.dirty.ratio", "0")];
    set(&harness, &compact).await;
    let expect: BTreeMap<i64, String> = [35, 36, 37, 39]
        .into_iter()
        .map(|n| (n, format!("value {n}")))
        .chain([(40, String::new())])
        .collect();
    let shen = harness.shen.clone();
    let id = pyralog_model::PartitionId::new(shen.log("flights").unwrap().number.0, 0);
    let view = || shen.partition(id).unwrap();
    // Before it is in segments it is small too.
    let is_compacted = || view().has_gaps && view().sizes.segment_bytes < 2_000;
    looked_after(&harness, "it is compacted", || async { is_compacted() }).await;
    assert_eq!(consumed(&mut client).await, (expect, 41));
    // Times of records that are gone lead to the next one that is there.
    for (time, offset) in [(0, 35), (1_035, 35), (1_038, 39), (1_040, 40), (1_041, -1)] {
        assert_eq!(offset_at(&mut client, time).await, offset, "at {time}");
    }
}
