//! Two processes, an Obelisk and a Pyramid, each killed again and again under
//! load. Writers never notice the Obelisk's death; ids, sessions and counters
//! never repeat, judged by what their consumers logged.

use pyralog_tests::http;
use pyralog_tests::idempotent::IdempotentLoad;
use pyralog_tests::issued::{Consumer, Stream, Wanted, ask, judge};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::{Node, Plan, READY_PATIENCE};
use pyralog_tests::seeded::{self, Seeded};
use pyralog_tests::wait;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const PRODUCERS: usize = 3;
/// Batches of a session, so that new sessions are wanted all the time.
const SESSION_BATCHES: u64 = 40;
/// Records that must be acknowledged between two kills.
const RECORDS_EACH: u64 = 600;
const LOG: &str = "tiers";
/// Written to without a session.
const PLAIN: &str = "plain";

struct Tiers {
    obelisk_plan: Plan,
    pyramid_plan: Plan,
    obelisk: Option<Node>,
    pyramid: Option<Node>,
}

impl Tiers {
    fn start(folder: &Path) -> Tiers {
        let obelisk_plan = Plan::obelisk(folder);
        let pyramid_plan = Plan::pyramid(folder, "pyramid-1", &[obelisk_plan.link_port]);
        let obelisk = obelisk_plan.start().unwrap();
        let pyramid = pyramid_plan.start().unwrap();
        Tiers { obelisk_plan, pyramid_plan, obelisk: Some(obelisk), pyramid: Some(pyramid) }
    }

    fn kill_obelisk(&mut self) {
        self.obelisk.take().unwrap().kill().unwrap();
    }

    fn start_obelisk(&mut self) {
        self.obelisk = Some(self.obelisk_plan.start().unwrap());
    }

    fn kill_pyramid(&mut self) {
        self.pyramid.take().unwrap().kill().unwrap();
    }

    fn start_pyramid(&mut self) {
        self.pyramid = Some(self.pyramid_plan.start().unwrap());
    }

    fn tails(&self) -> String {
        let tail = |node: &Option<Node>| node.as_ref().map(Node::tail).unwrap_or_default();
        format!("=== obelisk\n{}\n=== pyramid\n{}", tail(&self.obelisk), tail(&self.pyramid))
    }

    fn create_counter(&self, name: &str, mode: &str) {
        let body = json!({ "name": name, "mode": mode });
        let made = http::post(self.pyramid_plan.http(), "/v1/counters", &body).unwrap();
        assert!(made.status < 300, "{}", made.body);
    }
}

fn full() -> bool {
    std::env::var_os("PYRALOG_FULL").is_some_and(|value| value == "1")
}

fn consumers(tiers: &Tiers) -> Vec<Consumer> {
    let (obelisk, pyramid) = (tiers.obelisk_plan.http(), tiers.pyramid_plan.http());
    let counter = |name: &str| Wanted::Counter(name.into(), 7);
    vec![
        Consumer::start("ids of the obelisk", obelisk, Wanted::Ids(100)),
        Consumer::start("ids of the pyramid", pyramid, Wanted::Ids(100)),
        Consumer::start("exact at the obelisk", obelisk, counter("exact")),
        Consumer::start("exact at the pyramid", pyramid, counter("exact")),
        Consumer::start("leased at the pyramid", pyramid, counter("leased")),
    ]
}

/// The Scarab ids that records carry, per partition in the order of offsets.
fn record_ids(plan: &Plan, partition: usize) -> Vec<u64> {
    let path = format!("/v1/logs/{LOG}/records?partition={partition}&until_end=true");
    let read = http::get(plan.http(), &path).unwrap();
    let lines = read.body.lines().filter(|line| line.contains("\"offset\""));
    let documents = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    documents
        .filter_map(|record| record["scarab_id"].as_str().map(|id| id.parse().unwrap()))
        .collect()
}

fn values<'a>(streams: &'a [Stream], of: &str) -> Vec<(&'a str, &'a [u64])> {
    let wanted = streams.iter().filter(|stream| match &stream.wanted {
        Wanted::Ids(_) => of == "ids",
        Wanted::Counter(name, _) => of == name,
    });
    wanted.map(|stream| (stream.name.as_str(), stream.values.as_slice())).collect()
}

#[test]
fn either_tier_may_die_at_any_time() {
    let kills = if full() { 60 } else { 20 };
    let seed = seeded::seed();
    let mut seeded = Seeded::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut tiers = Tiers::start(folder.path());
    let kafka = tiers.pyramid_plan.kafka();
    assert_eq!(Client::dial(kafka).unwrap().create(LOG, PRODUCERS as i32).unwrap(), code::NONE);
    assert_eq!(Client::dial(kafka).unwrap().create(PLAIN, 1).unwrap(), code::NONE);
    tiers.create_counter("exact", "exact");
    tiers.create_counter("leased", "leased");
    let load = IdempotentLoad::start(kafka, LOG, PRODUCERS, 20, SESSION_BATCHES);
    let consumers = consumers(&tiers);

    let (mut of_obelisk, mut of_pyramid, mut created) = (0, 0, Vec::new());
    for kill in 0..kills {
        let before: Vec<u64> = consumers.iter().map(Consumer::received).collect();
        let (records, sessions) = (load.acknowledged(), load.sessions());
        let all_served = wait::holds(READY_PATIENCE, || {
            load.acknowledged() >= records + RECORDS_EACH
                && load.sessions() > sessions
                && consumers.iter().zip(&before).all(|(one, before)| one.received() > *before)
        });
        assert!(
            all_served,
            "seed {seed}, kill {kill}: {} records, {} sessions, {:?}\n{}",
            load.acknowledged() - records,
            load.sessions() - sessions,
            consumers.iter().zip(&before).map(|(c, b)| c.received() - b).collect::<Vec<_>>(),
            tiers.tails()
        );
        std::thread::sleep(Duration::from_micros(seeded.below(20_000) as u64));
        if kill % 2 == 0 {
            tiers.kill_obelisk();
            of_obelisk += 1;
            obelisk_is_away(&tiers, &load);
            tiers.start_obelisk();
        } else {
            tiers.kill_pyramid();
            of_pyramid += 1;
            pyramid_is_away(&tiers);
            // Sometimes the Obelisk dies with it: both come back together.
            if seeded.below(3) == 0 {
                tiers.kill_obelisk();
                of_obelisk += 1;
                tiers.start_obelisk();
            }
            tiers.start_pyramid();
        }
        let name = format!("created-{kill}");
        let answer = wait::until(READY_PATIENCE, || {
            let answer = Client::dial(kafka).ok()?.create(&name, 1).ok()?;
            [code::NONE, code::TOPIC_ALREADY_EXISTS].contains(&answer).then_some(answer)
        });
        assert!(answer.is_some(), "{name} was not created\n{}", tiers.tails());
        created.push(name);
    }

    let outcome = load.stop().unwrap();
    let streams: Vec<Stream> = consumers.into_iter().map(Consumer::stop).collect();
    let anomalies = outcome.judge(kafka, LOG).unwrap();
    assert!(anomalies.is_empty(), "seed {seed}: {:?}", &anomalies[..anomalies.len().min(10)]);
    let mut client = Client::dial(kafka).unwrap();
    for name in &created {
        assert_eq!(client.metadata(name, false).unwrap(), (code::NONE, 1), "{name}");
    }
    judge_values(seed, &tiers, &streams, &outcome.sessions);

    let count = |streams: &[Stream]| -> BTreeMap<String, (usize, BTreeMap<String, u64>)> {
        let row = |s: &Stream| (s.name.clone(), (s.values.len(), s.refused.clone()));
        streams.iter().map(row).collect()
    };
    println!(
        "seed {seed}: {of_obelisk} kills of the obelisk, {of_pyramid} of the pyramid; {} records once each, {} batches sent again, {} sessions, codes {:?}; {:#?}",
        outcome.histories.iter().map(|history| history.sent.len()).sum::<usize>(),
        outcome.resent,
        outcome.sessions.len(),
        outcome.codes,
        count(&streams),
    );
    assert!(of_obelisk >= kills / 2 && of_pyramid >= kills / 2);
    assert!(outcome.resent > 0, "void: nothing was ever sent again");
}

/// Without the Obelisk: writes and what is leased go on, what waits says so.
fn obelisk_is_away(tiers: &Tiers, load: &IdempotentLoad) {
    let pyramid = tiers.pyramid_plan.http();
    let written = load.acknowledged();
    // Producers stand still only when they want a new session.
    let plain = |client: &mut Client| {
        let record = [pyralog_tests::batch::Record::value("away")];
        client.produce(PLAIN, 0, pyralog_tests::batch::encode(&record)).unwrap().code
    };
    let mut client = Client::dial(tiers.pyramid_plan.kafka()).unwrap();
    for _ in 0..20 {
        assert_eq!(plain(&mut client), code::NONE, "a write while the Obelisk is away");
    }
    assert!(load.acknowledged() >= written);
    let ids = ask(pyramid, &Wanted::Ids(1_000));
    assert!(ids.is_ok(), "leased ids while the Obelisk is away: {ids:?}");
    let refused = http::post(pyramid, "/v1/logs", &json!({ "name": "nobody-decides" })).unwrap();
    assert!(
        refused.status == 503 && refused.body.contains("obelisk-away"),
        "{} {}",
        refused.status,
        refused.body
    );
}

/// Without the Pyramid: ids and counters go on.
fn pyramid_is_away(tiers: &Tiers) {
    for wanted in [Wanted::Ids(100), Wanted::Counter("exact".into(), 3)] {
        let given = ask(tiers.obelisk_plan.http(), &wanted);
        assert!(given.is_ok(), "{wanted:?} while the Pyramid is away: {given:?}");
    }
}

fn judge_values(seed: u64, tiers: &Tiers, streams: &[Stream], sessions: &[i64]) {
    let in_records: Vec<(String, Vec<u64>)> = (0..PRODUCERS)
        .map(|partition| {
            (
                format!("records of partition {partition}"),
                record_ids(&tiers.pyramid_plan, partition),
            )
        })
        .collect();
    assert!(
        in_records.iter().all(|(_, ids)| ids.len() > 1_000),
        "void: records without ids: {:?}",
        in_records.iter().map(|(_, ids)| ids.len()).collect::<Vec<_>>()
    );
    let mut ids = values(streams, "ids");
    ids.extend(in_records.iter().map(|(name, ids)| (name.as_str(), ids.as_slice())));
    let wrong = judge(ids);
    assert!(wrong.is_empty(), "seed {seed}: ids: {:?}", &wrong[..wrong.len().min(5)]);
    for counter in ["exact", "leased"] {
        let wrong = judge(values(streams, counter));
        assert!(wrong.is_empty(), "seed {seed}: {counter}: {:?}", &wrong[..wrong.len().min(5)]);
    }
    let mut sorted = sessions.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), sessions.len(), "a session was given twice");
}
