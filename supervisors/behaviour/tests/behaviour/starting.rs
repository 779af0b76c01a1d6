//! Coming up, or not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyralog_behaviour::{ChildContext, ChildSpec, Supervisor, SupervisorSpec};
use ractor::{ActorRef, SpawnErr};

use crate::probe::{Journal, Plan, ProbeMessage, probe};
use crate::stage::{Stage, StoppedClock};

async fn start_fails(spec: SupervisorSpec) -> String {
    let clock = Arc::new(StoppedClock::default());
    let started = Supervisor::start("root", spec, clock, None).await;
    started.expect_err("it does not start").to_string()
}

#[tokio::test]
async fn a_first_start_that_fails_undoes_those_before_it() {
    let journal = Journal::new();
    journal.failures.store(1, Ordering::SeqCst);
    let deep = {
        let failing = Plan::new("c", &journal).may_fail().spec();
        let b = probe("b", &journal);
        ChildSpec::supervisor("inner", move |_| {
            SupervisorSpec::one_for_one(vec![b.clone(), failing.clone()])
        })
    };
    let children = vec![probe("a", &journal), deep, probe("d", &journal)];
    let error = start_fails(SupervisorSpec::rest_for_one(children)).await;
    assert!(
        error.contains("root/inner did not start: root/inner/c did not start: not today"),
        "{error}"
    );
    assert_eq!(journal.of("start"), ["a", "b"]);
    assert_eq!(journal.of("stop"), ["b", "a"]);
    journal.until("gone a", 1).await;
    journal.until("gone b", 1).await;
}

#[tokio::test]
async fn a_panic_while_starting_is_a_failure_like_any_other() {
    let child = ChildSpec::new("a", "test", |_: ChildContext| async {
        panic!("no luck");
        #[allow(unreachable_code)]
        Err::<(ActorRef<ProbeMessage>, _), _>(SpawnErr::ActorAlreadyStarted)
    });
    let error = start_fails(SupervisorSpec::one_for_one(vec![child])).await;
    assert!(error.contains("root/a did not start: panicked while starting: no luck"), "{error}");
}

#[tokio::test]
async fn two_children_cannot_have_one_id() {
    let journal = Journal::new();
    let children = vec![probe("a", &journal), probe("a", &journal)];
    let error = start_fails(SupervisorSpec::one_for_one(children)).await;
    assert!(error.contains("root/a exists already"), "{error}");
    assert_eq!(journal.of("stop"), ["a"]);
}

#[tokio::test]
async fn a_child_knows_its_path_and_its_generation() {
    let journal = Journal::new();
    let seen = journal.clone();
    let child = ChildSpec::new("a", "test", move |context: ChildContext| {
        seen.write(format!("told {} {}", context.path(), context.generation()));
        let plan = Plan::new("a", &seen);
        async move {
            let vitals = context.vitals();
            context.supervisor().spawn_linked(None, crate::probe::Probe, (plan, vitals)).await
        }
    });
    let stage = Stage::open(SupervisorSpec::one_for_one(vec![child]), &journal).await;
    stage.tree.kill("root/a").await.unwrap();
    journal.until("start a", 2).await;
    assert_eq!(journal.of("told"), ["root/a 1", "root/a 2"]);
    stage.close().await;
}

#[tokio::test]
async fn a_child_that_forgot_to_link_itself_is_supervised_all_the_same() {
    let journal = Journal::new();
    let seen = journal.clone();
    let child = ChildSpec::new("a", "test", move |context: ChildContext| {
        let plan = Plan::new("a", &seen);
        async move { ractor::Actor::spawn(None, crate::probe::Probe, (plan, context.vitals())).await }
    });
    let stage = Stage::open(SupervisorSpec::one_for_one(vec![child]), &journal).await;
    journal.tell("a", ProbeMessage::Fail);
    journal.until("start a", 2).await;
    assert_eq!(stage.node("root/a").await.last_error.as_deref(), Some("told to fail"));
    stage.close().await;
}
