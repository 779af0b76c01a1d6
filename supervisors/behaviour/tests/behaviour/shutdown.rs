//! Going down: in order, with patience, and without it.

use std::time::Duration;

use pyralog_behaviour::{ChildSpec, Outcome, ReportKind, ShutdownError, SupervisorSpec};

use crate::probe::{Journal, Plan, ProbeMessage, probe};
use crate::stage::{DEADLINE, Stage};

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_child_that_does_not_stop_is_killed_after_its_patience() {
    let journal = Journal::new();
    let children =
        vec![probe("a", &journal), probe("b", &journal).patience(SHORT), probe("c", &journal)];
    let mut stage = Stage::open(SupervisorSpec::rest_for_one(children), &journal).await;
    journal.tell("b", ProbeMessage::Hang);
    journal.until("hang b", 1).await;
    stage.tree.shutdown(DEADLINE).await.unwrap();
    assert_eq!(journal.of("stop"), ["c", "a"]);
    assert_eq!(journal.of("gone"), ["c", "b", "a"]);
    assert_eq!(stage.tree.outcome().await, Outcome::Stopped);
    let killed = stage.until_report("root/b", ReportKind::Stopped).await;
    assert_eq!(killed.reason.as_deref(), Some("killed"));
}

#[tokio::test]
async fn a_nested_supervisor_takes_the_time_its_own_children_need() {
    let journal = Journal::new();
    let slow = Plan::new("b", &journal).waits_to_stop().spec().patience(DEADLINE);
    let inner =
        ChildSpec::supervisor("inner", move |_| SupervisorSpec::one_for_one(vec![slow.clone()]));
    let children = vec![probe("a", &journal), inner];
    let stage = Stage::open(SupervisorSpec::one_for_one(children), &journal).await;
    let tree = stage.tree.clone();
    let stopped = tokio::spawn(async move { tree.shutdown(DEADLINE).await });
    journal.until("stopping b", 1).await;
    let seen = stage.look().await;
    let states = ["root", "root/a", "root/inner", "root/inner/b"]
        .map(|path| seen.find(path).unwrap().state.clone());
    assert_eq!(states, ["stopping", "running", "stopping", "stopping"], "seen while stopping");
    journal.gate.add_permits(1);
    stopped.await.unwrap().unwrap();
    assert_eq!(journal.of("stop"), ["b", "a"]);
}

#[tokio::test]
async fn a_tree_that_is_late_is_killed() {
    let journal = Journal::new();
    let slow = Plan::new("a", &journal).waits_to_stop().spec().patience(DEADLINE);
    let stage = Stage::open(SupervisorSpec::one_for_one(vec![slow]), &journal).await;
    assert_eq!(stage.tree.shutdown(SHORT).await, Err(ShutdownError::Late(SHORT)));
    stage.join.await.unwrap();
    assert_eq!(stage.tree.outcome().await, Outcome::Killed);
    assert!(journal.of("stop").is_empty());
}

#[tokio::test]
async fn a_child_that_drains_handles_what_it_already_has() {
    let journal = Journal::new();
    let plain = Plan::new("a", &journal).waits_to_stop();
    let stage =
        Stage::open(SupervisorSpec::one_for_one(vec![plain.spec().drain()]), &journal).await;
    journal.gate.add_permits(1);
    for _ in 0..100 {
        journal.tell("a", ProbeMessage::Count);
    }
    stage.tree.shutdown(DEADLINE).await.unwrap();
    assert_eq!(journal.of("count").len(), 100);
    assert_eq!(journal.of("stop"), ["a"]);
}

#[tokio::test]
async fn an_earlier_child_may_wait_in_its_farewell_for_what_a_later_one_held() {
    // The gate opens only when the state of `b` is dropped, and the state of a
    // child that stopped in order travels in its last event.
    let journal = Journal::new();
    let a = Plan::new("a", &journal).waits_to_stop().spec().patience(DEADLINE);
    let children = vec![a, probe("b", &journal)];
    let stage = Stage::open(SupervisorSpec::one_for_one(children), &journal).await;
    let watcher = journal.clone();
    tokio::spawn(async move {
        watcher.until("gone b", 1).await;
        watcher.gate.add_permits(1);
    });
    stage.tree.shutdown(DEADLINE).await.unwrap();
    assert_eq!(journal.of("gone"), ["b", "a"]);
    assert_eq!(journal.of("stop"), ["b", "a"]);
}
