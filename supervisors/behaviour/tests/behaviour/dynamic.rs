//! Children that come and go while their supervisor runs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pyralog_behaviour::{
    ChildSpec, Intensity, ReportKind, Restart, StartChildError, SupervisorSpec,
};

use crate::probe::{Journal, Plan, ProbeMessage, probe};
use crate::stage::{AT_ONCE, Stage, unlimited};

fn called(mut spec: ChildSpec, id: String) -> ChildSpec {
    spec.id = id;
    spec
}

const NONE: Intensity = Intensity { restarts_max: 0, period: Duration::from_secs(10) };

#[tokio::test]
async fn children_are_added_restarted_and_stopped_by_id() {
    let journal = Journal::new();
    let stage = Stage::open(unlimited(SupervisorSpec::dynamic()), &journal).await;
    for id in ["a", "b", "c"] {
        stage.start_child(probe(id, &journal).backoff(AT_ONCE)).await.unwrap();
    }
    let again = stage.start_child(probe("b", &journal)).await;
    assert_eq!(again, Err(StartChildError::Taken("root/b".to_owned())));
    let before = stage.look().await;
    stage.tree.kill("root/b").await.unwrap();
    journal.until("start b", 2).await;
    let after = stage.until_reborn("root/b", 2).await;
    assert_eq!(crate::stage::reborn(&before, &after), ["root/b"]);
    assert!(stage.stop_child("b").await);
    assert!(!stage.stop_child("b").await);
    assert_eq!(stage.look().await.children.len(), 2);
    stage.start_child(probe("b", &journal)).await.unwrap();
    stage.close().await;
    let mut stopped = journal.of("stop");
    stopped.sort();
    assert_eq!(stopped, ["a", "b", "b", "c"]);
}

#[tokio::test]
async fn a_supervisor_that_is_not_dynamic_takes_no_children() {
    let journal = Journal::new();
    let stage = Stage::open(SupervisorSpec::one_for_one(Vec::new()), &journal).await;
    let refused = stage.start_child(probe("a", &journal)).await;
    assert_eq!(refused, Err(StartChildError::NotDynamic("root".to_owned())));
    stage.close().await;
}

#[tokio::test]
async fn a_child_that_does_not_start_is_refused_and_forgotten() {
    let journal = Journal::new();
    let stage = Stage::open(SupervisorSpec::dynamic().intensity(NONE), &journal).await;
    journal.failures.store(1, Ordering::SeqCst);
    let child = Plan::new("a", &journal).may_fail().spec();
    let refused = stage.start_child(child.clone()).await.unwrap_err();
    assert_eq!(refused.to_string(), "root/a did not start: not today");
    assert!(stage.look().await.children.is_empty());
    stage.start_child(child).await.unwrap();
    stage.close().await;
}

#[tokio::test]
async fn temporary_children_vanish_when_they_end_however_they_end() {
    let journal = Journal::new();
    let stage = Stage::open(SupervisorSpec::dynamic().intensity(NONE), &journal).await;
    for (id, message) in
        [("a", ProbeMessage::Finish), ("b", ProbeMessage::Fail), ("c", ProbeMessage::Panic)]
    {
        stage.start_child(probe(id, &journal).restart(Restart::Temporary)).await.unwrap();
        journal.tell(id, message);
    }
    stage.until("empty", |tree| tree.children.is_empty()).await;
    assert_eq!(journal.of("start").len(), 3);
    stage.close().await;
}

#[tokio::test]
async fn a_thousand_connections_come_and_go() {
    let journal = Journal::new();
    let stage = Stage::open(SupervisorSpec::dynamic().intensity(NONE), &journal).await;
    for number in 0..1000 {
        let connection = Plan::new("connection", &journal).spec().restart(Restart::Temporary);
        let spec = called(connection, number.to_string());
        let cell = stage.start_child(spec).await.unwrap();
        if number % 2 == 0 {
            cell.stop(None);
        }
    }
    stage.until("half are left", |tree| tree.children.len() == 500).await;
    stage.close().await;
    assert_eq!(journal.of("stop").len(), 1000);
}

#[tokio::test]
async fn a_permanent_child_that_keeps_failing_is_parked() {
    let journal = Journal::new();
    let mut stage = Stage::open(SupervisorSpec::dynamic().intensity(NONE), &journal).await;
    stage.start_child(probe("good", &journal)).await.unwrap();
    let bad = Plan::new("bad", &journal).may_fail().spec().backoff(AT_ONCE).quarantine_after(4);
    stage.start_child(bad.clone()).await.unwrap();
    journal.failures.store(100, Ordering::SeqCst);
    journal.tell("bad", ProbeMessage::Fail);
    let parked = stage.until_report("root/bad", ReportKind::Quarantined).await;
    assert_eq!(parked.reason.as_deref(), Some("not today"));
    assert_eq!(journal.of("refuse").len(), 3);

    let node = stage.node("root/bad").await;
    assert_eq!(
        (node.state.as_str(), node.last_error.as_deref()),
        ("quarantined", Some("not today"))
    );
    let good = stage.node("root/good").await;
    assert_eq!((good.state.as_str(), good.restarts), ("running", 0));

    journal.failures.store(0, Ordering::SeqCst);
    assert!(stage.stop_child("bad").await);
    stage.start_child(bad).await.unwrap();
    assert_eq!(stage.node("root/bad").await.state, "running");
    stage.close().await;
}
