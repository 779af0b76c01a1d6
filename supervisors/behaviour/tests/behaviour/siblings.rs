//! Finding each other without names.

use pyralog_behaviour::{ChildContext, ChildSpec, SupervisorMessage, SupervisorSpec};
use ractor::ActorRef;

use crate::probe::{Journal, Plan, Probe, ProbeMessage, probe};
use crate::stage::{AT_ONCE, Stage, unlimited};

/// A probe that writes down whom it can find, then counts on the one called `counts`.
fn seeker(id: &'static str, journal: &Journal, sought: &'static [&'static str]) -> ChildSpec {
    let journal = journal.clone();
    ChildSpec::new(id, "seeker", move |context: ChildContext| {
        let (journal, plan) = (journal.clone(), Plan::new(id, &journal));
        async move {
            for other in sought {
                let found: Option<ActorRef<ProbeMessage>> = context.sibling(other);
                let found = match found {
                    Some(actor) => actor.send_message(ProbeMessage::Count).is_ok(),
                    None => false,
                };
                journal.write(format!("{id} {other} {found}"));
            }
            let supervisor = context.supervisor();
            supervisor.spawn_linked(None, Probe, (plan, context.vitals())).await
        }
    })
}

#[tokio::test]
async fn a_child_finds_earlier_siblings_and_those_of_its_ancestors() {
    let journal = Journal::new();
    let store = {
        let committer = probe("committer", &journal);
        ChildSpec::supervisor("store", move |_| {
            SupervisorSpec::one_for_one(vec![committer.clone()])
        })
    };
    let sought = &["a", "b", "store/committer", "store", "deep", "later", "s", "nobody"];
    let inner = {
        let (b, s) = (probe("b", &journal), seeker("s", &journal, sought));
        let deep = probe("deep", &journal);
        ChildSpec::supervisor("inner", move |_| {
            SupervisorSpec::rest_for_one(vec![b.clone(), s.clone(), deep.clone()])
        })
    };
    let children = vec![probe("a", &journal), store, inner, probe("later", &journal)];
    let stage = Stage::open(SupervisorSpec::rest_for_one(children), &journal).await;
    let expect = [
        "a true",
        "b true",
        "store/committer true",
        "store false", // it is there, but understands other messages
        "deep false",
        "later false",
        "s false",
        "nobody false",
    ];
    assert_eq!(journal.of("s"), expect);
    stage.close().await;
}

#[tokio::test]
async fn a_supervisor_is_found_as_a_supervisor() {
    let journal = Journal::new();
    let seen = journal.clone();
    let pool = ChildSpec::supervisor("pool", |_| SupervisorSpec::dynamic());
    let user = ChildSpec::new("user", "test", move |context: ChildContext| {
        let (journal, plan) = (seen.clone(), Plan::new("user", &seen));
        async move {
            let pool: ActorRef<SupervisorMessage> = context.sibling("pool").unwrap();
            let added = probe("added", &journal);
            ractor::call_t!(pool, SupervisorMessage::StartChild, 20_000, added).unwrap().unwrap();
            let supervisor = context.supervisor();
            supervisor.spawn_linked(None, Probe, (plan, context.vitals())).await
        }
    });
    let stage = Stage::open(SupervisorSpec::rest_for_one(vec![pool, user]), &journal).await;
    assert_eq!(stage.node("root/pool/added").await.state, "running");
    stage.close().await;
}

#[tokio::test]
async fn after_a_restart_later_siblings_hold_the_new_reference() {
    let journal = Journal::new();
    let children = vec![probe("a", &journal).backoff(AT_ONCE), seeker("s", &journal, &["a"])];
    let stage = Stage::open(unlimited(SupervisorSpec::rest_for_one(children)), &journal).await;
    for round in 1..10 {
        journal.until("count a", round).await;
        stage.tree.kill("root/a").await.unwrap();
        journal.until("start s", round + 1).await;
        stage.until_reborn("root/s", 0).await;
    }
    assert!(journal.of("s").iter().all(|found| found == "a true"), "{:?}", journal.of("s"));
    stage.close().await;
}
