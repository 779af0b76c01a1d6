//! When a supervisor gives up, and who hears of it.

use std::time::Duration;

use pyralog_behaviour::{
    Backoff, ChildSpec, Intensity, Outcome, ReportKind, SupervisorSpec, Tree, TreeNode,
};

use crate::probe::{Journal, Plan, ProbeMessage, probe};
use crate::stage::{AT_ONCE, DEADLINE, Stage, unlimited};

const TWICE: Intensity = Intensity { restarts_max: 2, period: Duration::from_secs(10) };

async fn fail_times(journal: &Journal, id: &str, times: usize) {
    for _ in 0..times {
        let count = journal.of("start").iter().filter(|started| *started == id).count();
        journal.tell(id, ProbeMessage::Fail);
        journal.until(&format!("start {id}"), count + 1).await;
    }
}

#[tokio::test]
async fn one_restart_too_many_and_the_supervisor_above_decides() {
    let journal = Journal::new();
    let inner = {
        let journal = journal.clone();
        ChildSpec::supervisor("inner", move |_| {
            let children = ["b", "c", "d"].map(|id| probe(id, &journal).backoff(AT_ONCE));
            SupervisorSpec::one_for_one(children.to_vec()).intensity(TWICE)
        })
    };
    let children = vec![probe("a", &journal), inner.backoff(AT_ONCE)];
    let mut stage = Stage::open(unlimited(SupervisorSpec::one_for_one(children)), &journal).await;
    let before = stage.node("root/a").await.generation;
    fail_times(&journal, "c", 3).await;

    let escalated = stage.until_report("root/inner", ReportKind::Escalated).await;
    let reason = "root/inner gave up: more than 2 restarts within 10s, \
                  the last because root/inner/c failed: told to fail";
    assert_eq!(escalated.reason.as_deref(), Some(reason));
    let failed = stage.until_report("root/inner", ReportKind::Failed).await;
    assert_eq!(failed.reason.as_deref(), Some(reason));
    stage.until_report("root/inner", ReportKind::Started).await;
    assert_eq!(journal.of("stop"), ["d", "b"], "the others went in reverse, with a farewell");
    assert_eq!(stage.node("root/a").await.generation, before, "outside nobody noticed");
    assert_eq!(stage.node("root/inner").await.last_error.as_deref(), Some(reason));
    stage.close().await;
}

#[tokio::test]
async fn a_root_that_gives_up_ends_and_says_why() {
    let journal = Journal::new();
    let children = vec![probe("a", &journal), probe("b", &journal).backoff(AT_ONCE)];
    let stage = Stage::open(SupervisorSpec::one_for_one(children).intensity(TWICE), &journal).await;
    fail_times(&journal, "b", 2).await;
    journal.tell("b", ProbeMessage::Fail);
    let outcome = tokio::time::timeout(DEADLINE, stage.tree.outcome()).await.unwrap();
    let Outcome::GaveUp(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.path.as_str(), failure.child.as_str()), ("root", "root/b"));
    stage.join.await.unwrap();
    assert_eq!(journal.of("stop"), ["a"]);
    assert!(stage.tree.kill("root/a").await.is_err());
    assert_eq!(stage.tree.snapshot(DEADLINE).await.state, "unreachable");
    assert_eq!(Tree::new(stage.tree.root().clone()).outcome().await, Outcome::Killed);
}

#[tokio::test]
async fn failures_that_lie_apart_are_forgiven() {
    let journal = Journal::new();
    let spec = SupervisorSpec::one_for_one(vec![probe("a", &journal).backoff(AT_ONCE)]);
    let stage = Stage::open(spec.intensity(TWICE), &journal).await;
    for _ in 0..8 {
        fail_times(&journal, "a", 1).await;
        stage.pass(Duration::from_secs(6));
    }
    assert_eq!(stage.node("root/a").await.restarts, 8);
    stage.close().await;
}

#[tokio::test]
async fn a_restart_that_does_not_start_is_tried_again() {
    let journal = Journal::new();
    let child = Plan::new("b", &journal).may_fail().spec().backoff(AT_ONCE);
    let spec =
        SupervisorSpec::rest_for_one(vec![probe("a", &journal), child, probe("c", &journal)]);
    let stage = Stage::open(unlimited(spec), &journal).await;
    journal.failures.store(5, std::sync::atomic::Ordering::SeqCst);
    journal.tell("b", ProbeMessage::Fail);
    journal.until("start c", 2).await;
    assert_eq!(journal.of("refuse").len(), 5);
    assert_eq!(journal.of("start"), ["a", "b", "c", "b", "c"]);
    let node = stage.node("root/b").await;
    assert_eq!((node.restarts, node.last_error.as_deref()), (1, Some("not today")));
    stage.close().await;
}

#[tokio::test]
async fn restarts_that_do_not_start_count() {
    let journal = Journal::new();
    let child = Plan::new("a", &journal).may_fail().spec().backoff(AT_ONCE);
    let stage =
        Stage::open(SupervisorSpec::one_for_one(vec![child]).intensity(TWICE), &journal).await;
    journal.failures.store(100, std::sync::atomic::Ordering::SeqCst);
    journal.tell("a", ProbeMessage::Fail);
    let outcome = tokio::time::timeout(DEADLINE, stage.tree.outcome()).await.unwrap();
    let Outcome::GaveUp(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.reason, "not today");
    assert_eq!(journal.of("refuse").len(), 2, "one crash and two attempts are three failures");
}

#[tokio::test]
async fn while_a_child_waits_for_its_restart_its_supervisor_is_at_work() {
    let journal = Journal::new();
    let never = Backoff { first: Duration::from_secs(3600), max: Duration::from_secs(3600) };
    let children = vec![probe("a", &journal).backoff(never), probe("b", &journal).backoff(AT_ONCE)];
    let stage = Stage::open(unlimited(SupervisorSpec::one_for_one(children)), &journal).await;
    journal.tell("a", ProbeMessage::Fail);
    let state = |tree: &TreeNode, id: usize| tree.children[id].state.clone();
    stage.until("a waits", |tree| state(tree, 0) == "waiting").await;
    fail_times(&journal, "b", 3).await;
    stage.until("b is back", |tree| state(tree, 1) == "running").await;
    assert_eq!(
        stage.tree.kill("root/a").await.unwrap_err().to_string(),
        "root/a is waiting, so there is nothing to kill: try again when it runs"
    );
    stage.close().await;
}
