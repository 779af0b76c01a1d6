//! Produce in every version, its refusals, and its order.

use super::harness::{Harness, batch, eventually, fetch, in_session, produce};
use bytes::Bytes;
use kafka_protocol::messages::*;
use pyralog_model::{PartitionId, batch_crc};

/// `batch` with one byte changed and a checksum that says it is meant.
fn forged(batch: &Bytes, at: usize, byte: u8) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[at] = byte;
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    Bytes::from(bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_produce_appends() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 2).await;
    let mut expect = 0;
    for version in 3..=9 {
        for acks in [1, -1] {
            let request = produce("flights", 1, acks, Some(batch(&["a", "b"])));
            let response = client.call(version, &request).await;
            let partition = &response.responses[0].partition_responses[0];
            assert_eq!((partition.index, partition.error_code), (1, 0));
            assert_eq!((partition.base_offset, partition.log_append_time_ms), (expect, -1));
            if version >= 5 {
                assert_eq!(partition.log_start_offset, 0);
            }
            expect += 2;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_has_its_number() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let good = batch(&["a"]);
    let mut corrupt = good.to_vec();
    *corrupt.last_mut().unwrap() ^= 1;
    let large = batch(&[&"x".repeat(2 << 20)]);
    let two = Bytes::from([in_session(&good, 5, 0, 0), in_session(&good, 5, 0, 1)].concat());
    let cases: [(&str, i32, Option<Bytes>, i16); 14] = [
        ("flights", 0, Some(good.clone()), 0),
        ("no-such-log", 0, Some(good.clone()), 3),
        ("flights", 1, Some(good.clone()), 3),
        ("flights", -1, Some(good.clone()), 3),
        ("flights", 0, None, 87),
        ("flights", 0, Some(Bytes::new()), 87),
        ("flights", 0, Some(Bytes::from(corrupt)), 2),
        ("flights", 0, Some(good.slice(..40)), 2),
        ("flights", 0, Some(forged(&good, 16, 1)), 43),
        ("flights", 0, Some(large), 10),
        ("flights", 0, Some(forged(&good, 22, 0x20)), 87),
        // The producer id's bytes are -1 but for one: a session without a sequence.
        ("flights", 0, Some(forged(&good, 43, 0x7f)), 87),
        ("flights", 0, Some(in_session(&good, 5, 0, 3)), 59),
        ("flights", 0, Some(two), 87),
    ];
    for (name, partition, records, error) in cases {
        let response = client.call(8, &produce(name, partition, -1, records)).await;
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!(answer.error_code, error, "{:?}", answer.error_message);
        assert_eq!(answer.error_message.is_some(), error != 0);
        assert_eq!(answer.base_offset, if error == 0 { 0 } else { -1 });
    }
    let odd_acks = client.call(8, &produce("flights", 0, 2, Some(good.clone()))).await;
    assert_eq!(odd_acks.responses[0].partition_responses[0].error_code, 21);
    let mut transactional = produce("flights", 0, -1, Some(good));
    transactional.transactional_id = Some(TransactionalId("t".into()));
    let refused = client.call(8, &transactional).await;
    assert_eq!(refused.responses[0].partition_responses[0].error_code, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_keep_their_order() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    // More than the door takes in at once: the rest waits in the socket.
    for at in 0..200 {
        client.send(7, &produce("flights", 0, -1, Some(batch(&[&at.to_string()])))).await;
    }
    client.send(4, &fetch("flights", 0, 199)).await;
    for at in 0..200 {
        let response = client.receive::<ProduceRequest>(7).await;
        assert_eq!(response.responses[0].partition_responses[0].base_offset, at);
    }
    // The fetch came after them and sees them all.
    let fetched = client.receive::<FetchRequest>(4).await;
    assert_eq!(fetched.responses[0].partitions[0].high_watermark, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_acks_there_is_no_answer_and_a_failure_closes() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.send(7, &produce("flights", 0, 0, Some(batch(&["a"])))).await;
    // The next answer is that of the next request.
    let response = client.call(7, &produce("flights", 0, 1, Some(batch(&["b"])))).await;
    assert_eq!(response.responses[0].partition_responses[0].base_offset, 1);
    client.send(7, &produce("no-such-log", 0, 0, Some(batch(&["c"])))).await;
    assert!(client.is_closed().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_after_sending_has_still_sent() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.send(7, &produce("flights", 0, -1, Some(batch(&["a"])))).await;
    drop(client);
    let log = harness.shen.log("flights").unwrap();
    let id = PartitionId::new(log.number.0, 0);
    eventually("the record is there", async || harness.shen.watermarks(id).unwrap().high.0 == 1)
        .await;
}
