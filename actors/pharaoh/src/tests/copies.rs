//! The directory's copy: it follows, it is there without an Obelisk, it never goes
//! back.

use super::node::{Node, Site, eventually};
use crate::CopyState;
use crate::simulated::Manners;
use pyralog_directory::Command;
use pyralog_model::{ClusterId, CounterMode, LogName, LogSettings};

fn log(number: u32) -> Command {
    Command::CreateLog {
        name: LogName::for_user(&format!("log-{number}")).unwrap(),
        partitions: 1,
        replication_factor: 1,
        settings: LogSettings::default(),
        internal: false,
    }
}

fn index(node: &Node) -> u64 {
    node.pharaoh.hub().directory().last_index()
}

async fn caught_up(site: &Site, node: &Node) {
    eventually("the copy is the Obelisk's", || {
        index(node) == site.obelisk.directory().last_index()
    })
    .await;
    assert_eq!(*node.pharaoh.hub().directory(), site.obelisk.directory());
}

/// A site whose directory has a node and some logs.
async fn site_with_logs(seed: u64, logs: u32) -> (Site, Node) {
    let site = Site::new(seed);
    let node = site.node().await;
    node.join(&[], 1).await.unwrap();
    node.leased().await;
    for number in 0..logs {
        site.obelisk.carry_out(log(number)).unwrap();
    }
    caught_up(&site, &node).await;
    (site, node)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_follows_and_serves_at_once_after_a_crash_without_an_obelisk() {
    let (site, node) = site_with_logs(1, 700).await;
    assert_eq!(node.pharaoh.hub().state(), CopyState::Following);
    let last = index(&node);
    site.obelisk.set_manners(Manners::Away);
    node.kill().await;
    site.disk.crash(3);
    let node = site.node().await;
    assert!(index(&node) >= last, "it was durable before it was shown");
    eventually("it says that nobody answers", || {
        matches!(node.pharaoh.hub().state(), CopyState::Waiting(_))
    })
    .await;
    site.obelisk.set_manners(Manners::Well);
    site.obelisk.carry_out(log(9_999)).unwrap();
    caught_up(&site, &node).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_too_far_behind_takes_a_snapshot() {
    let (site, node) = site_with_logs(2, 3).await;
    node.stop().await;
    for number in 100..200 {
        site.obelisk.carry_out(log(number)).unwrap();
    }
    site.obelisk.compact();
    let node = site.node().await;
    caught_up(&site, &node).await;
    site.obelisk.carry_out(log(1_000)).unwrap();
    caught_up(&site, &node).await;
    node.kill_actor("directory").await;
    site.obelisk.carry_out(log(1_001)).unwrap();
    caught_up(&site, &node).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_follow_an_obelisk_that_went_back() {
    let (site, node) = site_with_logs(3, 10).await;
    let before = index(&node);
    node.stop().await;
    site.obelisk.go_back(5);
    let node = site.node().await;
    eventually("it has seen it", || matches!(node.pharaoh.hub().state(), CopyState::Diverged(_)))
        .await;
    // A directory that has grown past the copy by another way is another one.
    for number in 500..520 {
        site.obelisk.carry_out(log(number)).unwrap();
    }
    node.kill_actor("directory").await;
    eventually("it has seen that too", || {
        let state = node.pharaoh.hub().state();
        matches!(state, CopyState::Diverged(what) if what.contains("another one"))
    })
    .await;
    assert_eq!(index(&node), before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_clusters_snapshot_is_not_taken() {
    let (site, node) = site_with_logs(4, 3).await;
    let before = index(&node);
    node.stop().await;
    let clock = std::sync::Arc::clone(&site.clock);
    let other = crate::simulated::SimObelisk::founded(ClusterId(4), clock);
    for number in 0..50 {
        let name = format!("counter-{number}").parse().unwrap();
        let create = Command::CreateCounter { name, mode: CounterMode::Exact };
        other.carry_out(create).unwrap();
    }
    other.compact();
    let site = Site { obelisk: other, ..site };
    let node = site.node().await;
    eventually("it has seen it", || matches!(node.pharaoh.hub().state(), CopyState::Diverged(_)))
        .await;
    assert_eq!(index(&node), before);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_holds_it_up_and_no_more() {
    let (site, node) = site_with_logs(5, 1).await;
    site.disk.set_capacity(site.disk.used_bytes());
    for number in 100..400 {
        site.obelisk.carry_out(log(number)).unwrap();
    }
    let waits = |node: &Node| match node.pharaoh.hub().state() {
        CopyState::Waiting(why) => why.contains("no room"),
        _ => false,
    };
    eventually("it has no room, or enough", || {
        waits(&node) || index(&node) == site.obelisk.directory().last_index()
    })
    .await;
    site.disk.set_capacity(u64::MAX);
    caught_up(&site, &node).await;
    assert_eq!(node.health.get(), pyralog_store::Health::Good);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_of_the_copy_stops_the_node() {
    let (site, node) = site_with_logs(6, 1).await;
    site.disk.fail_next_sync("directory.redb");
    site.obelisk.carry_out(log(7)).unwrap();
    eventually("the node is told", || node.health.get() != pyralog_store::Health::Good).await;
    node.kill().await;
}
