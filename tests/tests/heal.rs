//! Every actor that is listed is killed once, under load: whoever its
//! supervisors' strategies name is restarted, nobody else, and clients see at
//! worst a retry.

use pyralog_tests::actors::{self, Actor};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::load::{Load, LoadPlan};
use pyralog_tests::node::{END_PATIENCE, Node, Plan, READY_PATIENCE};
use pyralog_tests::wait;
use std::collections::BTreeSet;

const PRODUCERS: usize = 4;
/// Acknowledgements that say that clients are served again.
const RECORDS_AFTER: u64 = 400;
/// What every client takes for a reason to try again: leader not available, not
/// the leader, timed out, storage error.
const RETRIES: [i16; 4] = [5, 6, 7, code::KAFKA_STORAGE_ERROR];
/// Exit code of a command whose outcome is unknown: the console that should
/// have answered may be the actor that was killed.
const UNKNOWN: i32 = 4;

fn tree(plan: &Plan) -> Option<Actor> {
    actors::Actor::tree_by_http(plan).ok()
}

/// Every permanent actor of `before` is up again, those in `struck` as new
/// incarnations; and the temporary ones that were struck are gone.
fn is_whole(before: &Actor, after: &Actor, struck: &BTreeSet<String>) -> bool {
    let generations = after.generations();
    let lives: BTreeSet<&str> = after
        .all()
        .into_iter()
        .filter(|actor| actor.is_up())
        .map(|actor| actor.path.as_str())
        .collect();
    before.all().into_iter().all(|actor| {
        match (struck.contains(&actor.path), actor.is_temporary()) {
            (true, true) => !generations.contains_key(&actor.path),
            (true, false) => {
                lives.contains(actor.path.as_str()) && generations[&actor.path] > actor.generation
            }
            (false, true) => true,
            (false, false) => lives.contains(actor.path.as_str()),
        }
    })
}

/// The paths of `before` that are gone or another incarnation.
fn observed(before: &Actor, after: &Actor) -> BTreeSet<String> {
    let generations = after.generations();
    let changed = |actor: &&Actor| generations.get(&actor.path) != Some(&actor.generation);
    before.all().into_iter().filter(changed).map(|actor| actor.path.clone()).collect()
}

/// The actor to kill for a line of the table: itself, or, if it was temporary
/// and has gone meanwhile, another of its kind.
fn victim(listed: &Actor, now: &Actor) -> String {
    let all = now.all();
    let same = all.iter().find(|actor| actor.path == listed.path);
    let alike = || all.iter().find(|actor| listed.is_temporary() && actor.kind == listed.kind);
    let found = same.or_else(alike);
    found
        .unwrap_or_else(|| panic!("{} is gone, and nothing like it is there", listed.path))
        .path
        .clone()
}

/// Kills one and waits until the tree is whole and clients are served.
fn strike(plan: &Plan, node: &Node, load: &Load, listed: &Actor) {
    let before = wait::until(READY_PATIENCE, || tree(plan)).expect("a tree");
    let path = victim(listed, &before);
    let expected = before.struck_with(&path);
    assert!(expected.contains(&path), "{path} is not in the tree");
    let killed = actors::kill(plan, &path);
    assert!([0, UNKNOWN].contains(&killed.code), "{path}: {}", killed.stderr);

    let mut last = None;
    let healed = wait::until(READY_PATIENCE, || {
        let after = tree(plan)?;
        let whole = is_whole(&before, &after, &expected);
        last = Some(after);
        whole.then(|| last.clone()).flatten()
    });
    let Some(after) = healed else {
        let states = last.map(|tree| {
            tree.all()
                .iter()
                .map(|actor| format!("{} {} {}", actor.path, actor.state, actor.generation))
                .collect::<Vec<_>>()
        });
        panic!(
            "the tree is not whole after {path} was killed; expected {expected:?}, found {states:#?}\n{}",
            node.tail()
        );
    };
    assert_eq!(observed(&before, &after), expected, "killed {path}");
    let wanted = load.acknowledged() + RECORDS_AFTER;
    assert!(
        wait::holds(READY_PATIENCE, || load.acknowledged() >= wanted),
        "no service after {path}\n{}",
        node.tail()
    );
    println!("killed {path} ({}): {} restarted or gone", listed.kind, expected.len());
}

#[test]
fn every_actor_heals_as_its_supervisors_say() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path()).argument("--debug-faults");
    let mut node = plan.start().unwrap();
    let created = Client::dial(plan.kafka()).unwrap().create("heal", PRODUCERS as i32).unwrap();
    assert_eq!(created, code::NONE);
    let load = Load::start(LoadPlan {
        address: plan.kafka(),
        topic: "heal".into(),
        producers: PRODUCERS,
        batch_records: 20,
        in_flight: 2,
    });
    assert!(wait::holds(READY_PATIENCE, || load.acknowledged() >= RECORDS_AFTER));

    let table = Actor::tree(&plan).unwrap();
    let (root, rest) =
        table.all().split_first().map(|(root, rest)| ((*root).clone(), rest.to_vec())).unwrap();
    assert!(rest.len() > 10, "a short table: {table:?}");
    assert!(
        rest.iter().any(|actor| actor.is_temporary()),
        "no connections in the table: {table:?}"
    );
    for listed in &rest {
        strike(&plan, &node, &load, listed);
    }
    println!("killed {} actors of the table and the root", rest.len());

    // Nobody is above the root: the process ends, and whoever runs it starts it
    // again.
    let killed = actors::kill(&plan, &root.path);
    assert!([0, UNKNOWN].contains(&killed.code), "{}", killed.stderr);
    let status = node.wait_end(END_PATIENCE).unwrap();
    assert!(!status.success(), "the root fell and the process said that all was well");
    let node = plan.start().unwrap();

    let outcome = load.stop();
    let anomalies = outcome.judge(plan.kafka(), "heal").unwrap();
    println!("{} records acknowledged, codes {:?}", outcome.acknowledged(), outcome.codes);
    assert!(
        anomalies.is_empty(),
        "{} anomalies, such as {:?}",
        anomalies.len(),
        &anomalies[..anomalies.len().min(10)]
    );
    let fatal: Vec<_> = outcome.codes.keys().filter(|code| !RETRIES.contains(code)).collect();
    assert!(fatal.is_empty(), "codes that no client retries: {:?}", outcome.codes);
    node.stop().unwrap();
}

#[test]
fn faults_are_refused_unless_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let node = plan.start().unwrap();
    let before = Actor::tree(&plan).unwrap();
    let refused = actors::kill(&plan, "pyralog/store");
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("debug-disabled"), "{}", refused.stderr);
    let after = Actor::tree(&plan).unwrap();
    let permanent = |tree: &Actor| -> Vec<_> {
        tree.all()
            .iter()
            .filter(|actor| !actor.is_temporary())
            .map(|actor| (actor.path.clone(), actor.generation))
            .collect()
    };
    assert_eq!(permanent(&before), permanent(&after));
    node.stop().unwrap();
}
