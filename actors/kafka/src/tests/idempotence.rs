//! Sessions for producers, and what becomes of their retries.

use super::client::Client;
use super::harness::{Harness, batch, in_session, produce};
use crate::{KafkaSettings, Sessions};
use kafka_protocol::messages::*;
use pyralog_model::{ApiError, ErrorCode, SessionId};
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Arc;

type Answer = Pin<Box<dyn Future<Output = Result<SessionId, ApiError>> + Send>>;

fn asking(version: i16) -> InitProducerIdRequest {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(60_000);
    match version {
        0..3 => request,
        // A producer that had a session before gets another one.
        _ => request.with_producer_id(ProducerId(12)).with_producer_epoch(3),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_gives_a_new_session() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    for version in 0..=4 {
        let response = client.call(version, &asking(version)).await;
        let given = (response.error_code, response.producer_id.0, response.producer_epoch);
        assert_eq!(given, (0, 1_000 + i64::from(version), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_is_refused_for_good() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    for version in 0..=4 {
        let transactional =
            asking(version).with_transactional_id(Some(TransactionalId("t".into())));
        let response = client.call(version, &transactional).await;
        assert_eq!((response.error_code, response.producer_id.0), (53, -1));
    }
    let search = FindCoordinatorRequest::default().with_key("t".into()).with_key_type(1);
    assert_eq!(client.call(2, &search).await.error_code, 53);
}

struct Away;

impl Sessions for Away {
    fn next(&self) -> Answer {
        Box::pin(ready(Err(ApiError::new(ErrorCode::ObeliskAway, "no Obelisk answers"))))
    }
}

struct Silent;

impl Sessions for Silent {
    fn next(&self) -> Answer {
        Box::pin(pending())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_obelisk_a_client_is_told_to_ask_again() {
    for sessions in [Arc::new(Away) as Arc<dyn Sessions>, Arc::new(Silent)] {
        let harness = Harness::with_sessions(KafkaSettings::default(), sessions).await;
        let mut client = harness.with_log("flights", 1).await;
        assert_eq!(client.call(4, &asking(4)).await.error_code, 14);
        // Who needs no session is not held up.
        let response = client.call(7, &produce("flights", 0, -1, Some(batch(&["a"])))).await;
        assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    }
}

/// Error, base offset and log start of a batch of one record.
async fn send(client: &mut Client, session: i64, epoch: i16, sequence: i32) -> (i16, i64, i64) {
    let sent = in_session(&batch(&["a"]), session, epoch, sequence);
    let response = client.call(8, &produce("flights", 0, -1, Some(sent))).await;
    let answer = &response.responses[0].partition_responses[0];
    (answer.error_code, answer.base_offset, answer.log_start_offset)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_gets_its_offset_and_what_does_not_follow_is_refused() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for sequence in 0..7 {
        assert_eq!(send(&mut client, 5, 0, sequence).await, (0, i64::from(sequence), 0));
    }
    assert_eq!(send(&mut client, 5, 0, 4).await, (0, 4, 0));
    assert_eq!(send(&mut client, 5, 0, 0).await, (46, -1, -1));
    assert_eq!(send(&mut client, 5, 0, 9).await, (45, -1, -1));
    assert_eq!(send(&mut client, 5, 1, 0).await, (0, 7, 0));
    assert_eq!(send(&mut client, 5, 0, 7).await, (47, -1, -1));
    // A client waits for ever unless it is told where the log begins.
    assert_eq!(send(&mut client, 6, 0, 1).await, (59, -1, 0));
    let mut other = harness.dial().await;
    assert_eq!(send(&mut other, 5, 1, 0).await, (0, 7, 0), "over another connection too");
    assert_eq!(send(&mut other, 5, 1, 1).await, (0, 8, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_batches_and_their_retries_are_stored_once() {
    let harness = Harness::start().await;
    let mut one = harness.with_log("flights", 1).await;
    let mut other = harness.dial().await;
    let request = |sequence: i32| {
        let sent = in_session(&batch(&["a"]), 5, 0, sequence);
        produce("flights", 0, -1, Some(sent))
    };
    for round in 0..50 {
        let sequences = round * 5..round * 5 + 5;
        for sequence in sequences.clone() {
            one.send(7, &request(sequence)).await;
            // The same batch, in flight at the same time or even before it.
            other.send(7, &request(sequence)).await;
        }
        for sequence in sequences {
            // Whoever comes first is stored; the other one is its retry, or comes
            // before a batch of the first connection that it follows.
            for client in [&mut one, &mut other] {
                let response = client.receive::<ProduceRequest>(7).await;
                let answer = &response.responses[0].partition_responses[0];
                let (error, base) = (answer.error_code, answer.base_offset);
                assert!(
                    matches!(error, 45 | 59) || (error, base) == (0, i64::from(sequence)),
                    "{error} {base}"
                );
            }
        }
        // The producer sends what was out of order again.
        for sequence in round * 5..round * 5 + 5 {
            let response = one.call(7, &request(sequence)).await;
            let answer = &response.responses[0].partition_responses[0];
            assert_eq!((answer.error_code, answer.base_offset), (0, i64::from(sequence)));
        }
    }
    let id = pyralog_model::PartitionId::new(harness.shen.log("flights").unwrap().number.0, 0);
    assert_eq!(harness.shen.watermarks(id).unwrap().high.0, 250);
}
