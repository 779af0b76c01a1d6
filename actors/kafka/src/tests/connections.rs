//! Connections as actors: killed, too many, idle, slow, and a door that heals.

use super::harness::{Harness, batch, eventually, fetch, produce};
use crate::KafkaSettings;
use kafka_protocol::messages::*;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_connection_closes_its_socket_and_only_its_own() {
    let harness = Harness::start().await;
    let mut other = harness.with_log("flights", 1).await;
    let before = harness.connections().await;
    let mut client = harness.dial().await;
    client.call(0, &ApiVersionsRequest::default()).await;
    let now = harness.connections().await;
    let mine = now.iter().find(|node| before.iter().all(|old| old.path != node.path)).unwrap();
    assert_eq!(mine.kind, "connection");
    assert_eq!(mine.details["peer"], client.stream.local_addr().unwrap().to_string());
    // With a request under way that would wait for an hour.
    client.send(11, &fetch("flights", 0, 0).with_max_wait_ms(3_600_000)).await;
    harness.tree.kill(&mine.path).await.unwrap();
    assert!(client.is_closed().await);
    eventually("it is not started again", async || {
        harness.connections().await.iter().all(|node| node.path != mine.path)
    })
    .await;
    assert_eq!(other.call(0, &ApiVersionsRequest::default()).await.error_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_door_refuses_nobody_and_keeps_its_connections() {
    let harness = Harness::start().await;
    let mut old = harness.dial().await;
    old.call(0, &ApiVersionsRequest::default()).await;
    for _ in 0..5 {
        harness.tree.kill("root/kafka").await.unwrap();
        let mut new = harness.dial().await;
        assert_eq!(new.call(0, &ApiVersionsRequest::default()).await.error_code, 0);
        eventually("the door runs", async || {
            let root = harness.tree.snapshot(Duration::from_secs(5)).await;
            root.children.iter().any(|child| child.id == "kafka" && child.state == "running")
        })
        .await;
    }
    assert_eq!(old.call(0, &ApiVersionsRequest::default()).await.error_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_too_many_is_closed_and_its_place_comes_back() {
    let settings = KafkaSettings { connections_per_address_max: 2, ..KafkaSettings::default() };
    let harness = Harness::with(settings).await;
    let mut first = harness.dial().await;
    let mut second = harness.dial().await;
    for client in [&mut first, &mut second] {
        client.call(0, &ApiVersionsRequest::default()).await;
    }
    assert!(harness.dial().await.is_closed().await);
    drop(first);
    eventually("a place is free", async || {
        let mut third = harness.dial().await;
        let _ = third.send(0, &ApiVersionsRequest::default()).await;
        third.receive_frame().await.is_some()
    })
    .await;
    assert_eq!(second.call(0, &ApiVersionsRequest::default()).await.error_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_dawdling_clients_are_closed_and_waiting_ones_are_not() {
    let settings = KafkaSettings {
        idle_timeout: Duration::from_millis(50),
        transfer_timeout: Duration::from_millis(50),
        ..KafkaSettings::default()
    };
    let harness = Harness::with(settings).await;
    let mut waiting = harness.with_log("flights", 1).await;
    waiting.send(11, &fetch("flights", 0, 0).with_max_wait_ms(300)).await;
    assert!(harness.dial().await.is_closed().await, "idle");
    let mut dawdling = harness.dial().await;
    dawdling.stream.write_all(&[0, 0, 0, 100, 0, 18]).await.unwrap();
    assert!(dawdling.is_closed().await, "half a request");
    assert_eq!(waiting.receive::<FetchRequest>(11).await.error_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_is_closed_and_gives_its_memory_back() {
    let settings = KafkaSettings {
        transfer_timeout: Duration::from_millis(200),
        // Room for one answer only: the second reader waits for the first.
        global_bytes_max: 4 << 20,
        ..KafkaSettings::default()
    };
    let harness = Harness::with(settings).await;
    let mut client = harness.with_log("flights", 1).await;
    for _ in 0..8 {
        let records = batch(&[&"x".repeat(900_000)]);
        client.call(7, &produce("flights", 0, -1, Some(records))).await;
    }
    let mut greedy = fetch("flights", 0, 0);
    greedy.topics[0].partitions[0].partition_max_bytes = 4 << 20;
    let mut deaf = harness.dial().await;
    for _ in 0..20 {
        deaf.send(11, &greedy).await;
    }
    let response = client.call(11, &greedy).await;
    assert!(response.responses[0].partitions[0].records.as_ref().unwrap().len() > 900_000);
    eventually("the deaf one is gone", async || harness.connections().await.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_budgets_slow_clients_down_and_stop_none() {
    let settings = KafkaSettings {
        connection_bytes_max: 200_000,
        global_bytes_max: 300_000,
        ..KafkaSettings::default()
    };
    let harness = Harness::with(settings).await;
    let client = harness.with_log("flights", 1).await;
    drop(client);
    let mut producers = Vec::new();
    for _ in 0..4 {
        let mut client = harness.dial().await;
        producers.push(tokio::spawn(async move {
            // Each request is larger than a connection's budget, or half of it.
            for size in [90_000, 250_000, 90_000, 250_000] {
                let records = batch(&[&"x".repeat(size)]);
                let response = client.call(7, &produce("flights", 0, -1, Some(records))).await;
                assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
            }
        }));
    }
    for producer in producers {
        producer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_tree_answers_what_it_has_taken_in() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    client.send(11, &fetch("flights", 0, 0).with_max_wait_ms(500)).await;
    // Known to be taken in once it is counted.
    eventually("the fetch is taken in", async || {
        harness.connections().await.iter().any(|node| node.handled >= 2)
    })
    .await;
    let stopping = harness.tree.shutdown(Duration::from_secs(10));
    let (stopped, response) = tokio::join!(stopping, client.receive::<FetchRequest>(11));
    stopped.unwrap();
    assert_eq!(response.error_code, 0);
}
