//! Who is restarted, under each strategy and each kind of child.

use pyralog_behaviour::{ReportKind, Restart, SupervisorSpec};

use crate::probe::{Journal, ProbeMessage, probe};
use crate::stage::{AT_ONCE, Stage, reborn, unlimited};

type Group = fn(Vec<pyralog_behaviour::ChildSpec>) -> SupervisorSpec;

/// Wounds `c` of `a b c d` in every way there is and compares who came back.
async fn check(group: Group, expect: &[&str], stops: &[&str], starts: &[&str]) {
    let journal = Journal::new();
    let children = ["a", "b", "c", "d"].map(|id| probe(id, &journal).backoff(AT_ONCE));
    let stage = Stage::open(unlimited(group(children.to_vec())), &journal).await;
    for wound in ["kill", "fail", "panic", "finish"] {
        let before = stage.look().await;
        let generation = before.find("root/c").unwrap().generation;
        journal.clear();
        match wound {
            "kill" => stage.tree.kill("root/c").await.unwrap(),
            "fail" => journal.tell("c", ProbeMessage::Fail),
            "panic" => journal.tell("c", ProbeMessage::Panic),
            _ => journal.tell("c", ProbeMessage::Finish),
        }
        let last = format!("start {}", starts.last().unwrap());
        journal.until(&last, 1).await;
        let after = stage.until_reborn("root/c", generation).await;
        assert_eq!(reborn(&before, &after), expect, "after {wound}");
        let stopped: Vec<_> = journal.of("stop").into_iter().filter(|id| id != "c").collect();
        assert_eq!(stopped, stops, "stopped in reverse after {wound}");
        assert_eq!(journal.of("start"), starts, "started in order after {wound}");
    }
    assert_eq!(stage.node("root/c").await.restarts, 4);
    assert!(!journal.has_overlapped());
    stage.close().await;
}

#[tokio::test]
async fn one_for_one_restarts_the_failed_child_alone() {
    check(SupervisorSpec::one_for_one, &["root/c"], &[], &["c"]).await;
}

#[tokio::test]
async fn rest_for_one_restarts_it_and_those_after_it() {
    check(SupervisorSpec::rest_for_one, &["root/c", "root/d"], &["d"], &["c", "d"]).await;
}

#[tokio::test]
async fn one_for_all_restarts_everybody() {
    let all = ["root/a", "root/b", "root/c", "root/d"];
    check(SupervisorSpec::one_for_all, &all, &["d", "b", "a"], &["a", "b", "c", "d"]).await;
}

#[tokio::test]
async fn a_transient_child_comes_back_only_when_it_failed() {
    let journal = Journal::new();
    let child = probe("a", &journal).backoff(AT_ONCE).restart(Restart::Transient);
    let stage = Stage::open(SupervisorSpec::one_for_one(vec![child]), &journal).await;
    journal.tell("a", ProbeMessage::Fail);
    journal.until("start a", 2).await;
    stage.until_reborn("root/a", 1).await;
    journal.tell("a", ProbeMessage::Finish);
    stage.until("a has finished", |tree| tree.children[0].state == "finished").await;
    assert_eq!(journal.of("start").len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn a_temporary_child_never_comes_back() {
    let journal = Journal::new();
    let child = probe("a", &journal).backoff(AT_ONCE).restart(Restart::Temporary);
    let stage = Stage::open(SupervisorSpec::one_for_one(vec![child]), &journal).await;
    stage.tree.kill("root/a").await.unwrap();
    stage.until("a has finished", |tree| tree.children[0].state == "finished").await;
    assert_eq!(journal.of("start").len(), 1);
    stage.close().await;
}

#[tokio::test]
async fn a_restart_is_reported_step_by_step() {
    let journal = Journal::new();
    let child = probe("a", &journal).backoff(AT_ONCE);
    let mut stage = Stage::open(SupervisorSpec::one_for_one(vec![child]), &journal).await;
    assert_eq!(stage.reports_of("root/a"), [ReportKind::Started]);
    stage.pass(std::time::Duration::from_secs(3));
    journal.tell("a", ProbeMessage::Fail);
    let failed = stage.until_report("root/a", ReportKind::Failed).await;
    assert_eq!(failed.reason.as_deref(), Some("told to fail"));
    assert_eq!((failed.generation, failed.at.0), (1, 3_000_000_000));
    stage.until_report("root/a", ReportKind::Restarting).await;
    let started = stage.until_report("root/a", ReportKind::Started).await;
    assert_eq!(started.generation, 2);
    let node = stage.node("root/a").await;
    assert_eq!(node.last_error.as_deref(), Some("told to fail"));
    stage.close().await;
}
