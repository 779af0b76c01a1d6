//! The Obelisk is dead, or frozen with its sockets open, for longer than the
//! lease: writes, reads and their latency do not notice. What needs the Obelisk
//! says that it waits, and all of it resumes by itself.

use pyralog_tests::http;
use pyralog_tests::issued::{Consumer, Wanted, ask, judge};
use pyralog_tests::journal::{Journal, Write, between, percentile};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::{Plan, READY_PATIENCE};
use pyralog_tests::tiers::{Tiers, scarab_ids, status};
use pyralog_tests::wait;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

const LOG: &str = "away";
/// The lease is extended at half, so at least half of it is left when the
/// Obelisk goes.
const TERM: Duration = Duration::from_secs(4);
/// How much later than by the Pyramid's own clock its lease may end, and how long
/// an extension that was on its way may take.
const MARGIN: Duration = Duration::from_millis(500);
/// Until everything is as before once the Obelisk is back: the longest pause
/// between two attempts, with its jitter, and a busy machine.
const BACK_WITHIN: Duration = Duration::from_secs(15);
/// A client is told to ask again before its own patience ends.
const SESSION_WITHIN: Duration = Duration::from_secs(3);
/// How long anything else may wait for an Obelisk before it says so.
const REFUSED_WITHIN: Duration = Duration::from_secs(7);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    Killed,
    Frozen,
}

/// The moments between which the writes are judged.
struct Moments {
    began: Instant,
    went: Instant,
    lease_ended: Instant,
    stopped: Instant,
}

#[test]
fn nobody_notices_a_dead_obelisk() {
    survive(Away::Killed);
}

#[test]
fn nobody_notices_a_frozen_obelisk() {
    survive(Away::Frozen);
}

/// Its lease runs out while it cannot know. Another node's may begin then.
#[test]
fn a_pyramid_that_was_frozen_beyond_its_lease_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = start(folder.path());
    let (pyramid, obelisk) = (tiers.pyramid_plan.http(), tiers.obelisk_plan.http());
    let journal = Journal::start(tiers.pyramid_plan.kafka(), LOG);
    let consumers = [
        Consumer::start("ids of the pyramid", pyramid, Wanted::Ids(50)),
        Consumer::start("ids of the obelisk", obelisk, Wanted::Ids(50)),
    ];
    for freeze in 0..2 {
        let before: Vec<u64> = consumers.iter().map(Consumer::received).collect();
        let written = journal.written();
        let served = wait::holds(READY_PATIENCE, || {
            let enough = |(one, before): (&Consumer, &u64)| one.received() > before + 1_000;
            journal.written() > written + 200 && consumers.iter().zip(&before).all(enough)
        });
        assert!(served, "freeze {freeze}\n{}", tiers.tails());
        tiers.freeze_pyramid().unwrap();
        wait_until(Instant::now() + TERM + MARGIN);
        tiers.thaw_pyramid().unwrap();
    }
    let received = consumers[0].received();
    let back = wait::holds(BACK_WITHIN, || consumers[0].received() > received + 1_000);
    assert!(back, "{}", tiers.tails());
    let (writes, errors) = journal.stop();
    assert!(errors.is_empty(), "{errors:?}");
    let streams = consumers.map(Consumer::stop);
    let ids: Vec<u64> =
        scarab_ids(&tiers.pyramid_plan, LOG, 0).unwrap().into_iter().flatten().collect();
    println!(
        "{} of {} records have ids; refused {:?}",
        ids.len(),
        writes.len(),
        streams[0].refused
    );
    let issued = streams.iter().map(|stream| (stream.name.as_str(), stream.values.as_slice()));
    let wrong = judge(issued.chain([("records", ids.as_slice())]));
    assert!(wrong.is_empty(), "{:?}", &wrong[..wrong.len().min(5)]);
}

#[test]
fn a_new_pyramid_waits_for_its_first_obelisk() {
    let folder = tempfile::tempdir().unwrap();
    let obelisk = Plan::obelisk(folder.path());
    let pyramid = Plan::pyramid(folder.path(), "pyramid-1", &[obelisk.link_port]);
    let mut node = pyramid.spawn().unwrap();
    let says_so = || node.stderr().contains("no Obelisk at") && node.readyz() == Some(503);
    assert!(wait::holds(READY_PATIENCE, says_so), "{}", node.tail());
    assert!(node.is_alive() && !node.is_ready(), "{}", node.tail());
    let _obelisk = obelisk.start().unwrap();
    node.wait_ready(BACK_WITHIN).unwrap();
    let mut client = Client::dial(pyramid.kafka()).unwrap();
    assert_eq!(client.create(LOG, 1).unwrap(), code::NONE);
}

fn survive(away: Away) {
    let folder = tempfile::tempdir().unwrap();
    let mut tiers = start(folder.path());
    let (kafka, http) = (tiers.pyramid_plan.kafka(), tiers.pyramid_plan.http());
    let mut leased: Vec<u64> = ask(http, &Wanted::Counter("leased".into(), 5)).unwrap();
    let journal = Journal::start(kafka, LOG);
    let began = Instant::now();
    assert!(wait::holds(READY_PATIENCE, || journal.written() > 300), "{}", tiers.tails());

    go(&mut tiers, away);
    let went = Instant::now();
    // Asked for before anybody can know that nobody answers.
    let early = std::thread::spawn(move || {
        http::post(http, "/v1/logs", &json!({ "name": "early" })).unwrap()
    });
    session_is_to_be_asked_for_again(kafka);
    let ids = ask(http, &Wanted::Ids(100));
    assert!(ids.is_ok() || went.elapsed() > TERM / 2 - MARGIN, "ids within the lease: {ids:?}");
    wait_until(went + TERM + MARGIN);
    let lease_ended = Instant::now();
    what_waits_says_so(http);
    session_is_to_be_asked_for_again(kafka);
    leased.extend(ask(http, &Wanted::Counter("leased".into(), 100)).expect("a leased block"));
    let written = journal.written() + 200;
    assert!(wait::holds(READY_PATIENCE, || journal.written() > written), "{}", tiers.tails());
    assert!(wait::holds(READY_PATIENCE, || journal.read() >= written as u64), "readers go on");
    let stopped = Instant::now();
    let (writes, errors) = journal.stop();
    assert!(errors.is_empty(), "{errors:?}");
    let moments = Moments { began, went, lease_ended, stopped };
    judge_writes(away, &tiers.pyramid_plan, &writes, &moments);

    let acknowledged = writes.len();
    pyramid_starts_alone(&mut tiers, acknowledged);
    leased.extend(come_back(&mut tiers, away));
    refused_is_not_made_later(kafka, &early.join().unwrap());
    let once: BTreeSet<u64> = leased.iter().copied().collect();
    assert_eq!(once.len(), leased.len(), "a leased value came twice: {leased:?}");
    assert!(leased.is_sorted(), "{leased:?}");
}

fn start(folder: &Path) -> Tiers {
    let mut obelisk = Plan::obelisk(folder);
    let term = ("PYRALOG_OBELISK_LEASE_TERM".to_owned(), format!("{}s", TERM.as_secs()));
    obelisk.environment.push(term);
    let pyramid = Plan::pyramid(folder, "pyramid-1", &[obelisk.link_port]);
    let tiers = Tiers::start_as(obelisk, pyramid).unwrap();
    let mut client = Client::dial(tiers.pyramid_plan.kafka()).unwrap();
    assert_eq!(client.create(LOG, 1).unwrap(), code::NONE);
    tiers.create_counter("exact", "exact").unwrap();
    tiers.create_counter("leased", "leased").unwrap();
    tiers.wait_leased().unwrap();
    tiers
}

fn go(tiers: &mut Tiers, away: Away) {
    match away {
        Away::Killed => tiers.kill_obelisk().unwrap(),
        Away::Frozen => tiers.freeze_obelisk().unwrap(),
    }
}

/// Every client asks again after this code.
fn session_is_to_be_asked_for_again(kafka: SocketAddr) {
    let asked = Instant::now();
    let (answer, ..) = Client::dial(kafka).unwrap().init_producer().unwrap();
    let took = asked.elapsed();
    assert_eq!(answer, code::COORDINATOR_LOAD_IN_PROGRESS);
    assert!(took < SESSION_WITHIN, "{took:?}");
}

/// Beyond the lease.
fn what_waits_says_so(http: SocketAddr) {
    let requests = [
        ("/v1/logs", json!({ "name": "nobody-decides" })),
        ("/v1/counters", json!({ "name": "nobody-counts" })),
        ("/v1/counters/exact", json!({ "count": 3 })),
        ("/v1/ids", json!({ "count": 1 })),
        ("/v1/timestamps/unique", json!({})),
    ];
    for (path, body) in requests {
        let asked = Instant::now();
        let refused = http::post(http, path, &body).unwrap();
        let took = asked.elapsed();
        assert!(took < REFUSED_WITHIN, "{path}: {took:?}");
        assert_eq!(refused.status, 503, "{path}: {}", refused.body);
        assert!(refused.body.contains("obelisk-away"), "{path}: {}", refused.body);
        assert!(refused.body.contains("wait"), "{path}: {}", refused.body);
    }
}

fn judge_writes(away: Away, plan: &Plan, writes: &[Write], moments: &Moments) {
    let ids = scarab_ids(plan, LOG, 0).unwrap();
    assert_eq!(ids.len(), writes.len(), "everything is there once");
    let before = between(writes, moments.began, moments.went);
    let within = between(writes, moments.went, moments.went + TERM / 2 - MARGIN);
    let beyond = between(writes, moments.lease_ended, moments.stopped);
    let have = |writes: &[Write]| {
        writes.iter().filter(|write| ids[write.offset as usize].is_some()).count()
    };
    assert_eq!((have(&before), have(&within)), (before.len(), within.len()), "ids of the lease");
    assert_eq!(have(&beyond), 0, "ids beyond the lease");
    let given: Vec<u64> = ids.iter().flatten().copied().collect();
    assert!(given.is_sorted_by(|before, after| before < after), "ids of records go up");
    for (phase, writes) in [("before", &before), ("within", &within), ("beyond", &beyond)] {
        println!(
            "{away:?}, {phase} the lease's end: {} writes, p50 {:?}, p99 {:?}, longest {:?}",
            writes.len(),
            percentile(writes, 50),
            percentile(writes, 99),
            percentile(writes, 100),
        );
        assert!(writes.len() > 100, "void: {} writes", writes.len());
        // Noise of a busy machine, and nothing that waits for anybody.
        let limit = percentile(&before, 50) * 2 + Duration::from_millis(3);
        assert!(percentile(writes, 50) < limit, "{phase}: p50 {:?}", percentile(writes, 50));
        assert!(percentile(writes, 100) < Duration::from_secs(2), "{phase}: a write waited");
    }
}

/// A Pyramid that is started while nobody coordinates serves what it has.
fn pyramid_starts_alone(tiers: &mut Tiers, acknowledged: usize) {
    tiers.kill_pyramid().unwrap();
    let started = Instant::now();
    tiers.start_pyramid().unwrap();
    println!("a Pyramid without an Obelisk is ready after {:?}", started.elapsed());
    let (kafka, http) = (tiers.pyramid_plan.kafka(), tiers.pyramid_plan.http());
    assert_eq!(tiers.pyramid().readyz(), Some(200));
    let mut client = Client::dial(kafka).unwrap();
    let there: i32 = client.read_all(LOG, 0).unwrap().iter().map(|batch| batch.record_count).sum();
    assert_eq!(there as usize, acknowledged);
    let record = [pyralog_tests::batch::Record::value("alone")];
    for _ in 0..20 {
        let produced = client.produce(LOG, 0, pyralog_tests::batch::encode(&record)).unwrap();
        assert_eq!(produced.code, code::NONE);
    }
    let ids = scarab_ids(&tiers.pyramid_plan, LOG, 0).unwrap();
    assert_eq!(ids.len(), acknowledged + 20);
    assert!(ids[acknowledged..].iter().all(Option::is_none), "it has no lease");
    session_is_to_be_asked_for_again(kafka);
    // The block died with the process that held it.
    let refused = ask(http, &Wanted::Counter("leased".into(), 1));
    assert_eq!(refused, Err("obelisk-away".into()));
    let error = status(&tiers.pyramid_plan).unwrap();
    assert!(error["coordination_error"].is_string() && error["lease"].is_null(), "{error}");
}

/// The Obelisk is back and nobody does anything else.
fn come_back(tiers: &mut Tiers, away: Away) -> Vec<u64> {
    let back = Instant::now();
    match away {
        Away::Killed => tiers.start_obelisk().unwrap(),
        Away::Frozen => tiers.thaw_obelisk().unwrap(),
    }
    let (kafka, http) = (tiers.pyramid_plan.kafka(), tiers.pyramid_plan.http());
    let within = |what: &str, mut holds: Box<dyn FnMut() -> bool + '_>| {
        assert!(wait::holds(BACK_WITHIN, &mut holds), "{what}\n{}", tiers.tails());
        println!("{away:?}, back: {what} after {:?}", back.elapsed());
    };
    let mut client = Client::dial(kafka).unwrap();
    within("a log", Box::new(|| client.create("decided", 1).unwrap() == code::NONE));
    let mut client = Client::dial(kafka).unwrap();
    within("a session", Box::new(|| client.init_producer().unwrap().0 == code::NONE));
    let exact = Wanted::Counter("exact".into(), 3);
    within("an exact counter", Box::new(|| ask(http, &exact).is_ok()));
    let mut client = Client::dial(kafka).unwrap();
    within("ids in records", Box::new(|| has_id(&mut client, http)));
    within("ids", Box::new(|| ask(http, &Wanted::Ids(1)).is_ok()));
    ask(http, &Wanted::Counter("leased".into(), 10)).unwrap()
}

/// `obelisk-away` is a promise; only `timeout` says that it is not known.
fn refused_is_not_made_later(kafka: SocketAddr, early: &http::Response) {
    let mut client = Client::dial(kafka).unwrap();
    let mut is_there = |name: &str| client.metadata(name, false).unwrap().0 == code::NONE;
    assert!(!is_there("nobody-decides"));
    println!("the first change was answered with {} {}", early.status, early.body);
    assert!(early.status >= 500, "{}", early.body);
    let unknown = early.body.contains("may or may not");
    assert!(unknown || (early.body.contains("obelisk-away") && !is_there("early")));
}

/// Whether a record that is written now has an id.
fn has_id(client: &mut Client, http: SocketAddr) -> bool {
    let record = [pyralog_tests::batch::Record::value("back")];
    let produced = client.produce(LOG, 0, pyralog_tests::batch::encode(&record)).unwrap();
    let path =
        format!("/v1/logs/{LOG}/records?from={}&limit=1&until_end=true", produced.base_offset);
    http::get(http, &path).unwrap().body.contains("\"scarab_id\":\"")
}

fn wait_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}
