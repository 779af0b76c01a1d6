//! Ids of the node's own lane: over outages, ends of leases, crashes, restarts.

use super::node::{Node, Site, eventually, start};
use crate::simulated::Manners;
use crate::{LaneHandle, Request};
use pyralog_model::{ErrorCode, Lane, ScarabId, StoreId};
use std::collections::BTreeSet;
use std::time::Duration;

async fn joined(site: &Site, presented: &[u128], next: u128) -> Node {
    let node = site.node().await;
    node.join(presented, next).await.unwrap();
    node.leased().await;
    node
}

/// Ids by claims of different sizes, greater and greater.
async fn issue(lane: &LaneHandle, claims: u32, last: &mut u64) {
    for count in 0..claims {
        let count = count % 7 + 1;
        lane.prepare().await;
        let mut first = None;
        eventually("a claim succeeds", || {
            lane.is_ready();
            first = lane.claim(count);
            first.is_some()
        })
        .await;
        let first = first.unwrap();
        for index in 0..u64::from(count) {
            let id = first.nth(index).0;
            assert!(id > *last, "{id} after {last}");
            *last = id;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_increase_over_crashes_clean_stops_and_other_lanes() {
    let site = Site::new(2);
    let mut last = 0;
    let mut lanes = BTreeSet::new();
    for round in 0..12_u128 {
        let node = joined(&site, &[round], round + 1).await;
        let lane = node.pharaoh.lane();
        issue(&lane, 200, &mut last).await;
        lanes.insert(node.pharaoh.state().lane.lane.unwrap());
        match round % 3 {
            0 => node.stop().await,
            1 => node.kill().await,
            _ => {
                node.kill().await;
                site.disk.crash(round as u64);
            }
        }
        assert_eq!(lane.claim(1), None, "nobody keeps the lane");
    }
    assert!(lanes.len() > 1, "a start that was killed leaves its lane: {lanes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_never_issue_the_same_id() {
    let site = Site::new(3);
    let node = joined(&site, &[], 1).await;
    let other = Site { disk: Site::new(4).disk, ..site.clone() };
    let other_node = other.node().await;
    other_node.pharaoh.join(start(StoreId(10), "two", &[], 7)).await.unwrap();
    other_node.leased().await;
    let mut seen = BTreeSet::new();
    for lane in [node.pharaoh.lane(), other_node.pharaoh.lane()] {
        for _ in 0..500 {
            lane.prepare().await;
            assert!(seen.insert(lane.claim(1).unwrap()));
        }
    }
    node.stop().await;
    other_node.stop().await;
    let held = site.obelisk.directory().lanes().filter(|lane| lane.holder.is_some()).count();
    assert_eq!(held, 0, "both were given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_the_lease_stops_ids_and_its_end_brings_them_back() {
    let site = Site::new(5);
    site.obelisk.set_term_ms(400);
    let node = joined(&site, &[], 1).await;
    let lane = node.pharaoh.lane();
    let mut last = 0;
    issue(&lane, 50, &mut last).await;
    eventually("the copy is there", || node.pharaoh.hub().directory().last_index() > 0).await;
    site.obelisk.set_manners(Manners::Away);
    eventually("the lease has ended", || {
        lane.claim(1).is_none_or(|id| {
            last = last.max(id.0);
            false
        })
    })
    .await;
    lane.prepare().await;
    assert_eq!(lane.claim(1), None);
    let patience = Duration::from_millis(50);
    let error = node.pharaoh.ask_within(Request::Ids(1), patience).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ObeliskAway);
    assert!(node.pharaoh.hub().directory().last_index() > 0, "the copy is still served");
    site.obelisk.set_manners(Manners::Well);
    node.leased().await;
    issue(&lane, 50, &mut last).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_extended_before_it_ends_and_a_killed_lane_actor_is_made_good() {
    let site = Site::new(6);
    // Longer than the bound lies ahead, which a new keeper begins at.
    site.obelisk.set_term_ms(5_000);
    let node = joined(&site, &[], 1).await;
    let lane = node.pharaoh.lane();
    let mut last = 0;
    for _ in 0..2 {
        issue(&lane, 20, &mut last).await;
        node.kill_actor("pharaoh/lane").await;
    }
    issue(&lane, 20, &mut last).await;
    let leases = site.obelisk.directory().last_index();
    let mut refused = 0;
    eventually("an extension", || {
        match lane.claim(1) {
            Some(id) => {
                assert!(id.0 > last);
                last = id.0;
            }
            None => refused += 1,
        }
        lane.is_ready();
        site.obelisk.directory().last_index() > leases
    })
    .await;
    // The Obelisk knows of the extension a moment before the node does.
    eventually("the lane is told", || node.pharaoh.state().lane.lane.is_some()).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_start_of_the_node_ends_the_ids_of_this_one() {
    let site = Site::new(7);
    site.obelisk.set_term_ms(400);
    let node = joined(&site, &[], 1).await;
    let lane = node.pharaoh.lane();
    let elsewhere = Site { disk: Site::new(8).disk, ..site.clone() };
    let second = elsewhere.node().await;
    second.join(&[1], 2).await.unwrap();
    eventually("it is told", || {
        let error = node.pharaoh.state().last_error;
        error.is_some_and(|error| error.code == ErrorCode::Fenced)
    })
    .await;
    assert_eq!(lane.claim(1), None);
    node.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_of_the_bound_ends_the_ids_and_fails_the_node() {
    let site = Site::new(9);
    let node = joined(&site, &[], 1).await;
    let lane = node.pharaoh.lane();
    site.disk.fail_next_sync("lane");
    lane.prepare().await;
    eventually("it is closed", || {
        lane.claim(1).is_none() && node.health.get() != pyralog_store::Health::Good
    })
    .await;
    // Not from the Obelisk instead: its ids may be earlier than those given out.
    assert!(node.pharaoh.ids(1).await.is_err());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_elsewhere_in_the_data_directory_ends_the_ids() {
    let site = Site::new(14);
    let node = joined(&site, &[], 1).await;
    let lane = node.pharaoh.lane();
    issue(&lane, 20, &mut 0).await;
    node.health.fail("the WAL");
    eventually("it is closed", || lane.claim(1).is_none()).await;
    let leases = site.obelisk.directory().last_index();
    // Its keeper is not started again, or there would be ids again.
    node.kill_if_there("pharaoh/lane").await;
    assert!(node.pharaoh.ids(1).await.is_err());
    assert_eq!(lane.claim(1), None);
    assert_eq!(site.obelisk.directory().last_index(), leases);
    node.root.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_asker_sees_ids_go_up_over_crashes_that_come_before_the_lease() {
    let site = Site::new(12);
    let mut last = ScarabId(0);
    for round in 0..6_u128 {
        let node = site.node().await;
        node.join(&[round], round + 1).await.unwrap();
        // Not waiting for the lease: whoever asks waits for it.
        for _ in 0..20 {
            let first = node.pharaoh.ids(3).await.unwrap();
            assert!(first > last, "{first:?} after {last:?}");
            last = first.nth(2);
        }
        node.kill().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_wait_for_time_to_catch_up_and_a_wild_time_is_refused() {
    let site = Site::new(13);
    let node = joined(&site, &[], 1).await;
    let mut last = ScarabId(0);
    for _ in 0..3 {
        // Two thirds of a second of the lane each.
        let first = node.pharaoh.ids(5_500_000).await.unwrap();
        assert!(first > last);
        last = first.nth(5_499_999);
    }
    let wild = ScarabId::compose(last.clock().plus_ms(60_000), last.lane());
    let error = node.pharaoh.causal(Some(wild)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ClockAhead);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn causal_ids_are_later_than_what_was_seen() {
    let site = Site::new(10);
    let node = joined(&site, &[], 1).await;
    let first = node.pharaoh.ids(10).await.unwrap();
    let seen = first.nth(5_000);
    let later = node.pharaoh.causal(Some(seen)).await.unwrap();
    assert!(later > seen);
    assert!(node.pharaoh.causal(None).await.unwrap() > later);
    // In the same millisecond the ids of a higher lane are the greater ones.
    let number = later.lane().number();
    for lane in [number.saturating_sub(1), number, number + 1, 1_023] {
        let now = node.pharaoh.ids(1).await.unwrap().clock().plus_ms(20);
        let seen = ScarabId::compose(now, Lane::new(lane).unwrap());
        let later = node.pharaoh.causal(Some(seen)).await.unwrap();
        assert!(later > seen, "{later:?} after {seen:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_lane_writes_nothing() {
    let site = Site::new(11);
    let node = joined(&site, &[], 1).await;
    let lane = node.pharaoh.lane();
    let mut last = 0;
    issue(&lane, 10, &mut last).await;
    let raises = lane.state().raises;
    assert!(raises >= 1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(lane.state().raises, raises);
    node.stop().await;
}
