//! An Obelisk that went back is not believed, whatever it is asked for.

use super::node::{Node, STORE, Site, eventually, start};
use crate::simulated::SimObelisk;
use crate::{CopyState, Pharaoh, PharaohOptions, Request};
use pyralog_directory::Command;
use pyralog_env::sim::SimEntropy;
use pyralog_model::{
    CounterMode, CounterNumber, ErrorCode, Incarnation, Lane, LogicalClock, NodeNumber,
};
use std::sync::Arc;
use std::time::Duration;

fn counter(name: &str, number: u32) -> Command {
    let name = format!("{name}-{number}").parse().unwrap();
    Command::CreateCounter { name, mode: CounterMode::Exact }
}

/// All that an Obelisk gives or changes.
fn requests() -> Vec<Request> {
    let (node, incarnation) = (NodeNumber(1), Incarnation(1));
    let (lane, floor) = (Lane::new(0).unwrap(), LogicalClock(0));
    let first = CounterNumber::FIRST_OF_USERS;
    vec![
        Request::Propose(counter("late", 0)),
        Request::Changes { after: 0, wait_ms: 0 },
        Request::Snapshot { index: 1, from: 0 },
        Request::LeaseLane { node, incarnation, floor },
        Request::ReleaseLane { node, incarnation, lane, granted_to: floor, used_to: floor },
        Request::Session,
        Request::EpochLabels(1),
        Request::Ids(1),
        Request::CausalTimestamp { after: None },
        Request::CreateCounter { name: "late".parse().unwrap(), mode: CounterMode::Leased },
        Request::Claim { counter: first, count: 1 },
        Request::Value(first),
    ]
}

/// A node that has followed its Obelisk for so many commands.
async fn followed(seed: u64, commands: u32) -> (Site, Node) {
    let site = Site::new(seed);
    let node = site.node().await;
    node.join(&[], 1).await.unwrap();
    node.leased().await;
    (0..commands).for_each(|number| {
        site.obelisk.carry_out(counter("true", number)).unwrap();
    });
    let last = site.obelisk.directory().last_index();
    node.pharaoh.hub().reach(last, Duration::from_secs(10)).await.unwrap();
    (site, node)
}

fn grow(obelisk: &SimObelisk, to: u64) {
    for number in (0..).take_while(|_| obelisk.directory().last_index() < to) {
        obelisk.carry_out(counter("other", number)).unwrap();
    }
}

async fn assert_not_believed(pharaoh: &Pharaoh) {
    for request in requests() {
        let refused = pharaoh.ask(request.clone()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::DirectoryDiverged, "{request:?}");
        assert!(refused.message.contains("restored from a backup?"), "{refused}");
    }
    let session = pharaoh.session().await.map_err(|error| error.code);
    assert_eq!(session, Err(ErrorCode::DirectoryDiverged));
    pharaoh.ask(Request::Echo(vec![1])).await.unwrap();
    pharaoh.ask(Request::Status).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_it_is_asked_for_and_however_far_it_has_come_again() {
    let (site, node) = followed(1, 90).await;
    let before = node.pharaoh.hub().directory();
    site.obelisk.go_back(60);
    assert_not_believed(&node.pharaoh).await;
    for to in [before.last_index(), before.last_index() + 1, 600] {
        grow(&site.obelisk, to);
        assert_not_believed(&node.pharaoh).await;
    }
    site.obelisk.compact();
    assert_not_believed(&node.pharaoh).await;
    eventually("the copy says so", || matches!(node.pharaoh.hub().state(), CopyState::Diverged(_)))
        .await;
    assert_eq!(node.pharaoh.hub().directory(), before, "nothing is installed");
    // Nor after a start of the node, from its first question on.
    node.kill().await;
    let node = site.node().await;
    node.pharaoh.join(start(STORE, "one", &[1], 2)).await.unwrap();
    assert_not_believed(&node.pharaoh).await;
    assert_eq!(*node.pharaoh.hub().directory(), *before);
    assert_eq!(node.pharaoh.state().lane.lane, None, "no lane is taken from it");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_copy_is_read_nothing_is_asked_for() {
    let site = Site::new(2);
    let pharaoh = Pharaoh::new(PharaohOptions {
        endpoints: vec![site.obelisk.endpoint()],
        hub: Default::default(),
        clock: Arc::clone(&site.clock),
        entropy: Arc::new(SimEntropy::new(7)),
    });
    pharaoh.lane().keep();
    let short = Duration::from_millis(20);
    let early = pharaoh.ask_within(Request::Session, short).await.unwrap_err();
    assert_eq!(early.code, ErrorCode::Unavailable);
    pharaoh.ask_within(Request::Status, short).await.unwrap();
    pharaoh.hub().publish(Arc::default());
    pharaoh.ask_within(Request::Session, short).await.unwrap();
}
