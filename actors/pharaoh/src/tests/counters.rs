//! Counters through the client: exact ones in order, leased ones from blocks that
//! are never repeated.

use super::node::{Node, Site, eventually};
use crate::allocator::RegistryMessage;
use crate::simulated::Manners;
use pyralog_model::{ApiError, CounterMode, CounterName, ErrorCode};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

async fn joined(site: &Site, presented: &[u128], next: u128) -> Node {
    let node = site.node().await;
    node.join(presented, next).await.unwrap();
    node
}

fn name(text: &str) -> CounterName {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exact_values_are_dense_and_in_order() {
    let site = Site::new(1);
    let node = joined(&site, &[], 1).await;
    let pharaoh = &node.pharaoh;
    let orders = name("orders");
    let code = |error: ApiError| error.code;
    let missing = pharaoh.next(&orders, 1).await.map_err(code);
    assert_eq!(missing.map(|issued| issued.first), Err(ErrorCode::CounterNotFound));
    let number = pharaoh.create_counter(orders.clone(), CounterMode::Exact).await.unwrap();
    let again = pharaoh.create_counter(orders.clone(), CounterMode::Exact).await.unwrap();
    assert_eq!(number, again);
    let other = pharaoh.create_counter(orders.clone(), CounterMode::Leased).await;
    assert_eq!(other.map_err(code), Err(ErrorCode::CounterExists));
    for first in 1..=20 {
        assert_eq!(pharaoh.next(&orders, 1).await.unwrap().first, first);
    }
    assert_eq!(pharaoh.next(&orders, 100).await.unwrap().first, 21);
    assert_eq!(pharaoh.value(&orders).await.unwrap().value, 120);
    let none = pharaoh.next(&orders, 0).await.map_err(code).map(|issued| issued.first);
    assert_eq!(none, Err(ErrorCode::RequestInvalid));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leased_values_are_unique_over_kills_restarts_and_lost_answers() {
    let site = Site::new(2);
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let hits = name("hits");
    for round in 0..4_u128 {
        let node = joined(&site, &[round], round + 1).await;
        let counter = node.pharaoh.create_counter(hits.clone(), CounterMode::Leased).await.unwrap();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..8_u32 {
            let (pharaoh, hits, seen) = (node.pharaoh.clone(), hits.clone(), Arc::clone(&seen));
            callers.spawn(async move {
                let mut taken = 0;
                for turn in 0..200_u32 {
                    let count = (caller + turn) % 40 + 1;
                    if let Ok(issued) = pharaoh.next(&hits, count).await {
                        let mut seen = seen.lock().unwrap();
                        for value in issued.first..issued.first + u64::from(count) {
                            assert!(seen.insert(value), "{value} a second time");
                        }
                        taken += 1;
                    }
                }
                taken
            });
        }
        node.kill_actor(&format!("pharaoh/allocators/{}", counter.0)).await;
        site.obelisk.set_manners(Manners::LosesAnswers);
        let asked = site.obelisk.asked();
        eventually("an answer is lost, or none was needed", || {
            site.obelisk.asked() > asked || callers.is_empty() || callers.try_join_next().is_some()
        })
        .await;
        site.obelisk.set_manners(Manners::Well);
        let taken: u32 = callers.join_all().await.into_iter().sum();
        assert!(taken > 0);
        node.kill().await;
    }
    assert!(seen.lock().unwrap().len() > 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn leased_values_need_an_obelisk_only_when_the_block_is_used_up() {
    let site = Site::new(3);
    let node = joined(&site, &[], 1).await;
    let hits = name("hits");
    node.pharaoh.create_counter(hits.clone(), CounterMode::Leased).await.unwrap();
    node.pharaoh.next(&hits, 1).await.unwrap();
    site.obelisk.set_manners(Manners::Away);
    let mut taken = 1;
    let refused = loop {
        match node.pharaoh.next(&hits, 1).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code, ErrorCode::ObeliskAway);
    assert!(taken >= 1_000, "{taken}");
    site.obelisk.set_manners(Manners::Well);
    node.pharaoh.next(&hits, 1).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_registry_finds_the_allocators_that_run() {
    let site = Site::new(4);
    let node = joined(&site, &[], 1).await;
    for round in 0..3 {
        let counter = name(&format!("counter-{round}"));
        node.pharaoh.create_counter(counter.clone(), CounterMode::Leased).await.unwrap();
        node.kill_actor("pharaoh/registry").await;
        let mut issued = Err(ApiError::unavailable("it"));
        eventually_async(async || {
            issued = node.pharaoh.next(&counter, 1).await;
            issued.is_ok()
        })
        .await;
        assert_eq!(issued.unwrap().mode, CounterMode::Leased);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocator_that_is_not_needed_leaves_and_comes_back() {
    let site = Site::new(6);
    let node = joined(&site, &[], 1).await;
    let hits = name("hits");
    let counter = node.pharaoh.create_counter(hits.clone(), CounterMode::Leased).await.unwrap();
    let mut last = 0;
    for _ in 0..3 {
        let first = node.pharaoh.next(&hits, 5).await.unwrap().first;
        assert!(first > last, "{first} after {last}");
        last = first + 4;
        let allocator = node.pharaoh.shared().allocators().get(&counter).cloned().unwrap();
        let registry = node.pharaoh.shared().registry().unwrap();
        registry.cast(RegistryMessage::Passivate(counter)).unwrap();
        eventually("it has gone", || allocator.get_status() == ractor::ActorStatus::Stopped).await;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_sessions_and_labels_are_given_once() {
    let site = Site::new(5);
    let node = joined(&site, &[], 1).await;
    let hits = name("hits");
    node.pharaoh.create_counter(hits.clone(), CounterMode::Leased).await.unwrap();
    let mut first = node.pharaoh.block(&hits, 100).await.unwrap();
    let mut second = node.pharaoh.block(&hits, 100).await.unwrap();
    let mut seen = BTreeSet::new();
    while let Some(value) = first.next().or_else(|| second.next()) {
        assert!(seen.insert(value));
    }
    assert_eq!(seen.len(), 200);
    let sessions = [node.pharaoh.session().await.unwrap(), node.pharaoh.session().await.unwrap()];
    assert!(sessions[0] < sessions[1]);
    let labels = node.pharaoh.epoch_labels(10).await.unwrap();
    assert_eq!(node.pharaoh.epoch_labels(1).await.unwrap(), labels + 10);
    node.stop().await;
}

async fn eventually_async(mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("not within 10 s");
}
