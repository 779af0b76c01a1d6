//! Questions to endpoints that are down, silent, or lose answers.

use super::node::{STORE, Site, start};
use crate::simulated::{Manners, SimObelisk};
use crate::{Answer, Pharaoh, PharaohOptions, Request};
use pyralog_directory::Command;
use pyralog_env::sim::SimEntropy;
use pyralog_model::{ClusterId, ErrorCode, LogName, LogSettings, StoreId};
use std::sync::Arc;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(150);

fn client(site: &Site, obelisks: &[&SimObelisk]) -> Pharaoh {
    Pharaoh::new(PharaohOptions {
        endpoints: obelisks.iter().map(|obelisk| obelisk.endpoint()).collect(),
        hub: Default::default(),
        clock: Arc::clone(&site.clock),
        entropy: Arc::new(SimEntropy::new(1)),
    })
}

fn echo() -> Request {
    Request::Echo(b"hello".to_vec())
}

#[tokio::test]
async fn a_black_hole_is_overtaken_and_asked_last() {
    let site = Site::new(1);
    let silent = SimObelisk::founded(ClusterId(3), Arc::clone(&site.clock));
    silent.set_manners(Manners::BlackHole);
    let pharaoh = client(&site, &[&silent, &site.obelisk]);
    assert_eq!(pharaoh.ask(echo()).await, Ok(Answer::Echo(b"hello".to_vec())));
    for _ in 0..5 {
        pharaoh.ask(echo()).await.unwrap();
    }
    assert_eq!((silent.asked(), site.obelisk.asked()), (1, 6));
}

#[tokio::test]
async fn an_outage_is_waited_for_then_told_and_its_end_is_noticed() {
    let site = Site::new(1);
    let pharaoh = client(&site, &[&site.obelisk]);
    site.obelisk.set_manners(Manners::Away);
    for _ in 0..2 {
        let error = pharaoh.ask_within(echo(), SHORT).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::ObeliskAway);
        assert!(error.message.contains("simulated:1"), "{error}");
    }
    let state = pharaoh.state();
    assert!(!state.endpoints[0].up && state.endpoints[0].last_error.is_some());
    let asked = site.obelisk.asked();
    pharaoh.ask_within(echo(), SHORT).await.unwrap_err();
    assert_eq!(site.obelisk.asked(), asked + 1, "an outage so long is not waited for again");
    site.obelisk.set_manners(Manners::Well);
    pharaoh.ask_within(echo(), SHORT).await.unwrap();
    assert!(pharaoh.state().endpoints[0].up);
}

#[tokio::test]
async fn a_short_restart_is_not_seen_by_callers() {
    let site = Site::new(1);
    let pharaoh = client(&site, &[&site.obelisk]);
    site.obelisk.set_manners(Manners::Away);
    let asking = tokio::spawn({
        let pharaoh = pharaoh.clone();
        async move { pharaoh.ask(echo()).await }
    });
    while site.obelisk.asked() == 0 {
        tokio::task::yield_now().await;
    }
    site.obelisk.set_manners(Manners::Well);
    asking.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_not_made_twice_and_said_to_be_unknown() {
    let site = Site::new(1);
    let pharaoh = client(&site, &[&site.obelisk]);
    pharaoh.join(start(STORE, "one", &[], 1)).await.unwrap();
    site.obelisk.set_manners(Manners::LosesAnswers);
    let create = Command::CreateLog {
        name: LogName::for_user("once").unwrap(),
        partitions: 1,
        replication_factor: 1,
        settings: LogSettings::default(),
        internal: false,
    };
    let asked = site.obelisk.asked();
    let error = pharaoh.ask(Request::Propose(create)).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Timeout, "{error}");
    assert_eq!(site.obelisk.asked(), asked + 1);
    assert_eq!(site.obelisk.directory().logs().count(), 1);
}

#[tokio::test]
async fn joining_waits_for_an_obelisk_and_a_lost_answer_is_the_same_start() {
    let site = Site::new(1);
    let pharaoh = client(&site, &[&site.obelisk]);
    site.obelisk.set_manners(Manners::LosesAnswers);
    let joining = tokio::spawn({
        let pharaoh = pharaoh.clone();
        async move { pharaoh.join(start(STORE, "one", &[], 1)).await }
    });
    while site.obelisk.directory().nodes().count() == 0 {
        tokio::task::yield_now().await;
    }
    site.obelisk.set_manners(Manners::Well);
    let membership = joining.await.unwrap().unwrap();
    let directory = site.obelisk.directory();
    let node = directory.node(membership.node).unwrap();
    assert_eq!(node.incarnation, membership.incarnation);
    assert_eq!(directory.nodes().count(), 1);
    assert_eq!(membership.incarnation.0, 1, "one start, however often it was asked");
}

#[tokio::test]
async fn copies_and_doubles_are_refused_for_good() {
    let site = Site::new(1);
    let pharaoh = client(&site, &[&site.obelisk]);
    pharaoh.join(start(STORE, "one", &[], 1)).await.unwrap();
    pharaoh.join(start(STORE, "one", &[1], 2)).await.unwrap();
    let copy = pharaoh.join(start(STORE, "one", &[1], 3)).await.unwrap_err();
    assert_eq!(copy.code, ErrorCode::NodeCopied);
    let double = pharaoh.join(start(StoreId(10), "one", &[], 4)).await.unwrap_err();
    assert_eq!(double.code, ErrorCode::NodeNameTaken);
}
