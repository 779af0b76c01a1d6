//! The tree as others see it.

use std::time::Duration;

use pyralog_behaviour::{ChildSpec, KillError, Outcome, SupervisorMessage, SupervisorSpec};
use ractor::call_t;

use crate::probe::{Journal, ProbeMessage, probe};
use crate::stage::{DEADLINE, Stage, generations};

#[tokio::test]
async fn the_whole_tree_is_data() {
    let journal = Journal::new();
    let b = probe("b", &journal).kind("committer");
    let inner =
        ChildSpec::supervisor("inner", move |_| SupervisorSpec::one_for_all(vec![b.clone()]));
    let children = vec![probe("a", &journal), inner];
    let stage = Stage::open(SupervisorSpec::rest_for_one(children), &journal).await;
    journal.tell("b", ProbeMessage::Count);
    journal.until("count b", 1).await;

    let tree = stage.look().await;
    let paths: Vec<&str> = tree.all().iter().map(|node| node.path.as_str()).collect();
    assert_eq!(paths, ["root", "root/a", "root/inner", "root/inner/b"]);
    assert_eq!((tree.role, tree.strategy.as_deref()), ("supervisor", Some("rest_for_one")));
    let inner = tree.find("root/inner").unwrap();
    assert_eq!((inner.role, inner.strategy.as_deref()), ("supervisor", Some("one_for_all")));
    let b = tree.find("root/inner/b").unwrap();
    assert_eq!((b.role, b.kind.as_str(), b.restart.as_str()), ("worker", "committer", "permanent"));
    assert_eq!((b.state.as_str(), b.handled, b.restarts), ("running", 1, 0));

    let snapshot = call_t!(stage.root(), SupervisorMessage::Observe, 20_000).unwrap();
    assert_eq!(snapshot.details["children"], "2");
    let same = call_t!(stage.root(), SupervisorMessage::Tree, 20_000).unwrap();
    assert_eq!(generations(&same), generations(&tree));
    stage.close().await;
}

#[tokio::test]
async fn a_busy_actor_is_described_from_its_vitals() {
    let journal = Journal::new();
    let children = ["a", "b", "c"].map(|id| probe(id, &journal).patience(Duration::ZERO));
    let stage = Stage::open(SupervisorSpec::one_for_one(children.to_vec()), &journal).await;
    for id in ["a", "b"] {
        journal.tell(id, ProbeMessage::Count);
        journal.tell(id, ProbeMessage::Hang);
        journal.until(&format!("hang {id}"), 1).await;
    }
    let tree = stage.look().await;
    for busy in &tree.children[..2] {
        assert_eq!((busy.state.as_str(), busy.handled), ("hanging", 1));
        assert_eq!(busy.details["observed"], "no answer within 200ms");
    }
    assert_eq!(tree.children[2].state, "running");
    stage.close().await;
}

#[tokio::test]
async fn killing_names_what_it_could_not_kill() {
    let journal = Journal::new();
    let stage =
        Stage::open(SupervisorSpec::one_for_one(vec![probe("a/b", &journal)]), &journal).await;
    for path in ["", "a/b", "root/", "root/a", "root/a/b/c", "rootless/a/b"] {
        assert_eq!(stage.tree.kill(path).await, Err(KillError::Unknown(path.to_owned())));
    }
    stage.tree.kill("root/a/b").await.unwrap();
    journal.until("start a/b", 2).await;
    stage.tree.kill("root").await.unwrap();
    assert_eq!(stage.tree.outcome().await, Outcome::Killed);
    stage.join.await.unwrap();
    assert_eq!(stage.tree.kill("root").await, Err(KillError::Unreachable));
    stage.tree.shutdown(DEADLINE).await.unwrap();
}
