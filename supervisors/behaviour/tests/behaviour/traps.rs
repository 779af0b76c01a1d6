//! Three ways in which ractor lets an old life meet the new one, or lets it die
//! without a farewell; and the fourth, which is the first one level down. Each
//! of these tests fails when the guard against its trap is taken out.

use std::time::Duration;

use pyralog_behaviour::{ChildSpec, SupervisorMessage, SupervisorSpec};
use ractor::{call_t, registry};

use crate::probe::{Journal, Plan, ProbeMessage, probe};
use crate::stage::{AT_ONCE, DEADLINE, Stage, unlimited};

const SLOW_DROP: Duration = Duration::from_millis(3);

/// Trap 1: when the supervisor hears of a crash, the state is often still alive.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_child_starts_only_after_its_old_state_is_gone() {
    let journal = Journal::new();
    let child = Plan::new("a", &journal).drop_time(SLOW_DROP).spec().backoff(AT_ONCE);
    let spec = unlimited(SupervisorSpec::one_for_one(vec![child]));
    let stage = Stage::open(spec, &journal).await;
    for round in 0..60 {
        match round % 4 {
            0 => journal.tell("a", ProbeMessage::Fail),
            1 => journal.tell("a", ProbeMessage::Panic),
            2 => journal.tell("a", ProbeMessage::Finish),
            _ => journal.living("a").kill(),
        }
        journal.until("start a", round + 2).await;
    }
    assert!(!journal.has_overlapped(), "two lives at once");
    stage.close().await;
}

/// Trap 1 once more: what stopped in order leaves its state in its last event.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_starts_only_after_the_stopped_states_are_gone() {
    let journal = Journal::new();
    let slow = |id| Plan::new(id, &journal).drop_time(SLOW_DROP).spec().backoff(AT_ONCE);
    let spec = unlimited(SupervisorSpec::one_for_all(vec![slow("a"), slow("b"), slow("c")]));
    let stage = Stage::open(spec, &journal).await;
    for round in 0..20 {
        journal.tell("b", ProbeMessage::Fail);
        journal.until("start c", round + 2).await;
    }
    assert!(!journal.has_overlapped(), "two lives at once");
    stage.close().await;
}

/// Trap 2: ractor kills the children of an actor that stops.
async fn check_farewells(stop: impl AsyncFnOnce(&Stage)) {
    let journal = Journal::new();
    let inner = {
        let journal = journal.clone();
        ChildSpec::supervisor("inner", move |_| {
            SupervisorSpec::one_for_one(vec![probe("b", &journal), probe("c", &journal)])
        })
    };
    let children = vec![probe("a", &journal), inner, probe("d", &journal)];
    let stage = Stage::open(SupervisorSpec::rest_for_one(children), &journal).await;
    stop(&stage).await;
    tokio::time::timeout(DEADLINE, stage.join).await.expect("it ends").unwrap();
    assert_eq!(journal.of("stop"), ["d", "c", "b", "a"]);
    let gone = journal.of("gone").len();
    assert_eq!(gone, 4, "every state was dropped before the root ended");
}

#[tokio::test]
async fn a_tree_that_is_shut_down_says_farewell_from_the_last_to_the_first() {
    check_farewells(async |stage| stage.tree.shutdown(Duration::from_secs(20)).await.unwrap())
        .await;
}

#[tokio::test]
async fn a_supervisor_that_is_told_to_shut_down_answers_when_all_are_gone() {
    check_farewells(async |stage| {
        call_t!(stage.root(), SupervisorMessage::Shutdown, 20_000).unwrap();
        assert_eq!(stage.journal.of("stop").len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_supervisor_that_is_merely_stopped_does_the_same() {
    check_farewells(async |stage| stage.root().stop(None)).await;
}

/// Trap 3: a name is free before `post_stop` has run.
#[tokio::test]
async fn a_free_name_does_not_mean_that_a_child_is_gone() {
    let journal = Journal::new();
    let plan = Plan::new("a", &journal).waits_to_stop().named("trap-three");
    let spec = SupervisorSpec::dynamic();
    let stage = Stage::open(spec, &journal).await;
    stage.start_child(plan.clone().spec().backoff(AT_ONCE)).await.unwrap();

    // Once by itself: it must come back, but not before its farewell is over.
    journal.tell("a", ProbeMessage::Finish);
    journal.until("stopping a", 1).await;
    assert!(registry::where_is("trap-three").is_none(), "the trap is there");
    // Time enough for a supervisor that believes the name.
    for _ in 0..200 {
        assert_eq!(stage.node("root/a").await.restarts, 0);
    }
    assert_eq!(journal.of("start").len(), 1);
    journal.gate.add_permits(1);
    journal.until("start a", 2).await;
    stage.until_reborn("root/a", 1).await;

    // Once by request: its id must stay taken for as long.
    let stopped = call_t_later(&stage, "a");
    journal.until("stopping a", 2).await;
    assert!(registry::where_is("trap-three").is_none());
    let taken = stage.start_child(plan.clone().spec()).await;
    assert_eq!(
        taken.unwrap_err().to_string(),
        "root/a exists already: stop it first or choose another id"
    );
    assert!(!stopped.is_finished());
    journal.gate.add_permits(1);
    assert!(stopped.await.unwrap());
    stage.start_child(plan.spec()).await.unwrap();
    assert!(!journal.has_overlapped());
    journal.gate.add_permits(1);
    stage.close().await;
}

fn call_t_later(stage: &Stage, id: &str) -> tokio::task::JoinHandle<bool> {
    let (root, id) = (stage.root().clone(), id.to_owned());
    tokio::spawn(async move { call_t!(root, SupervisorMessage::StopChild, 20_000, id).unwrap() })
}

/// Trap 1 at a distance: a killed supervisor leaves dying children behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_supervisor_leaves_no_orphans() {
    let journal = Journal::new();
    let slow = |id| Plan::new(id, &journal).drop_time(SLOW_DROP).spec();
    let (b, c) = (slow("b"), slow("c"));
    let deep = ChildSpec::supervisor("deep", move |_| SupervisorSpec::one_for_one(vec![c.clone()]));
    let inner = ChildSpec::supervisor("inner", move |_| {
        SupervisorSpec::one_for_one(vec![b.clone(), deep.clone()])
    });
    let spec = unlimited(SupervisorSpec::one_for_one(vec![inner.backoff(AT_ONCE)]));
    let stage = Stage::open(spec, &journal).await;
    for round in 0..20 {
        let generation = stage.node("root/inner/deep/c").await.generation;
        stage.tree.kill("root/inner").await.unwrap();
        journal.until("start c", round + 2).await;
        stage.until_reborn("root/inner/deep/c", generation).await;
    }
    assert!(!journal.has_overlapped(), "an orphan met its successor");
    assert_eq!(journal.of("gone").len(), 40);
    stage.close().await;
}
