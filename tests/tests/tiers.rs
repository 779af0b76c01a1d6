//! Two processes, an Obelisk and a Pyramid, each killed again and again under
//! load. Writers never notice the Obelisk's death; ids, sessions and counters
//! never repeat, judged by what their consumers logged.

use pyralog_tests::http;
use pyralog_tests::idempotent::IdempotentLoad;
use pyralog_tests::issued::{Consumer, Stream, Wanted, ask, judge};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::READY_PATIENCE;
use pyralog_tests::seeded::{self, Seeded};
use pyralog_tests::tiers::{Tiers, scarab_ids};
use pyralog_tests::wait;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const PRODUCERS: usize = 3;
/// Batches of a session, so that new sessions are wanted all the time.
const SESSION_BATCHES: u64 = 40;
/// Records that must be acknowledged between two kills.
const RECORDS_EACH: u64 = 600;
const LOG: &str = "tiers";
/// Written to without a session.
const PLAIN: &str = "plain";
/// Of how many deaths of the Obelisk one lasts until a change is refused. At the
/// others it is back before: changes wait for it.
const REFUSED_OF: usize = 5;

/// A change that was asked for while the Obelisk was away.
struct Awaited {
    name: String,
    answer: JoinHandle<Answer>,
}

/// What came of it: `None` when it was made, else the public code.
type Answer = Result<Option<String>, String>;

/// Values that were asked for one by one, each in a stream of its own.
type Asked = Vec<Stream>;

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
    let mut tiers = Tiers::start(folder.path()).unwrap();
    let kafka = tiers.pyramid_plan.kafka();
    assert_eq!(Client::dial(kafka).unwrap().create(LOG, PRODUCERS as i32).unwrap(), code::NONE);
    assert_eq!(Client::dial(kafka).unwrap().create(PLAIN, 1).unwrap(), code::NONE);
    tiers.create_counter("exact", "exact").unwrap();
    tiers.create_counter("leased", "leased").unwrap();
    let load = IdempotentLoad::start(kafka, LOG, PRODUCERS, 20, SESSION_BATCHES);
    let consumers = consumers(&tiers);

    let began = Instant::now();
    let (mut of_obelisk, mut of_pyramid, mut created) = (0, 0, Vec::new());
    let (mut awaited, mut asked) = (Vec::new(), Asked::new());
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
        thread::sleep(Duration::from_micros(seeded.below(20_000) as u64));
        if kill % 2 == 0 {
            tiers.kill_obelisk().unwrap();
            asked.push(obelisk_is_away(&tiers, &load));
            let change = create_in_the_background(tiers.pyramid_plan.http(), kill);
            if of_obelisk % REFUSED_OF == 0 {
                change_is_refused(change);
            } else {
                awaited.push(change);
            }
            of_obelisk += 1;
            tiers.start_obelisk().unwrap();
        } else {
            tiers.kill_pyramid().unwrap();
            of_pyramid += 1;
            asked.extend(pyramid_is_away(&tiers));
            // Sometimes the Obelisk dies with it: both come back together.
            if seeded.below(3) == 0 {
                tiers.kill_obelisk().unwrap();
                of_obelisk += 1;
                tiers.start_obelisk().unwrap();
            }
            tiers.start_pyramid().unwrap();
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
    let changes = judge_changes(&mut client, awaited);
    let seconds = began.elapsed().as_secs_f32();
    judge_values(seed, &tiers, &streams, &asked, &outcome.sessions);

    let count = |streams: &[Stream]| -> BTreeMap<String, (usize, BTreeMap<String, u64>)> {
        let row = |s: &Stream| (s.name.clone(), (s.values.len(), s.refused.clone()));
        streams.iter().map(row).collect()
    };
    println!(
        "seed {seed}: {of_obelisk} kills of the obelisk, {of_pyramid} of the pyramid in {seconds:.0} s; \
         {} records once each, {} batches sent again, {} sessions, codes {:?}; changes asked for \
         while nobody decided {changes:?}; {:#?}",
        outcome.histories.iter().map(|history| history.sent.len()).sum::<usize>(),
        outcome.resent,
        outcome.sessions.len(),
        outcome.codes,
        count(&streams),
    );
    assert!(of_obelisk >= kills / 2 && of_pyramid >= kills / 2);
    assert!(outcome.resent > 0, "void: nothing was ever sent again");
}

/// Without the Obelisk: writes and what is leased go on.
fn obelisk_is_away(tiers: &Tiers, load: &IdempotentLoad) -> Stream {
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
    asked("leased ids", tiers.pyramid_plan.http(), Wanted::Ids(1_000))
}

/// Without the Pyramid: ids and counters go on.
fn pyramid_is_away(tiers: &Tiers) -> Asked {
    let obelisk = tiers.obelisk_plan.http();
    vec![
        asked("ids of the obelisk alone", obelisk, Wanted::Ids(100)),
        asked("exact of the obelisk alone", obelisk, Wanted::Counter("exact".into(), 3)),
    ]
}

fn asked(name: &str, address: SocketAddr, wanted: Wanted) -> Stream {
    let values = ask(address, &wanted)
        .unwrap_or_else(|code| panic!("{name}: {wanted:?} was answered with {code}"));
    Stream { name: name.into(), wanted, values, refused: BTreeMap::new() }
}

fn create_in_the_background(address: SocketAddr, kill: usize) -> Awaited {
    let name = format!("awaited-{kill}");
    let body = json!({ "name": name });
    let answer = thread::spawn(move || -> Answer {
        let broken = |error: anyhow::Error| error.to_string();
        let made = http::post(address, "/v1/logs", &body).map_err(broken)?;
        let document = made.json().map_err(broken)?;
        let says_what = made.body.contains("waits");
        match made.status {
            200 | 201 => Ok(None),
            503 | 504 if says_what || made.body.contains("may or may not") => {
                Ok(document["error"]["code"].as_str().map(str::to_owned))
            }
            status => Err(format!("{status} {}", made.body)),
        }
    });
    Awaited { name, answer }
}

/// Nobody decides for longer than anybody waits.
fn change_is_refused(change: Awaited) {
    let answer = change.answer.join().unwrap().unwrap();
    assert_eq!(answer.as_deref(), Some("obelisk-away"));
}

/// What was said to be made is there, what was refused is not. How often each
/// answer came.
fn judge_changes(client: &mut Client, awaited: Vec<Awaited>) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    for Awaited { name, answer } in awaited {
        let answer = match answer.join().unwrap() {
            // The Pyramid was killed before it could answer.
            Err(broken) if !broken.starts_with(['4', '5']) => "connection".to_owned(),
            Err(wrong) => panic!("{name}: {wrong}"),
            Ok(answer) => answer.unwrap_or_else(|| "made".into()),
        };
        let there = client.metadata(&name, false).unwrap().0 == code::NONE;
        match answer.as_str() {
            "made" => assert!(there, "{name} was made and is not there"),
            "obelisk-away" => assert!(!there, "{name} was refused and is there"),
            _ => {}
        }
        *answers.entry(answer).or_default() += 1;
    }
    answers
}

fn judge_values(seed: u64, tiers: &Tiers, streams: &[Stream], asked: &Asked, sessions: &[i64]) {
    let in_records: Vec<(String, Vec<u64>)> = (0..PRODUCERS)
        .map(|partition| {
            let ids = scarab_ids(&tiers.pyramid_plan, LOG, partition).unwrap();
            (format!("records of partition {partition}"), ids.into_iter().flatten().collect())
        })
        .collect();
    assert!(
        in_records.iter().all(|(_, ids)| ids.len() > 1_000),
        "void: records without ids: {:?}",
        in_records.iter().map(|(_, ids)| ids.len()).collect::<Vec<_>>()
    );
    let mut ids = [values(streams, "ids"), values(asked, "ids")].concat();
    ids.extend(in_records.iter().map(|(name, ids)| (name.as_str(), ids.as_slice())));
    let wrong = judge(ids);
    assert!(wrong.is_empty(), "seed {seed}: ids: {:?}", &wrong[..wrong.len().min(5)]);
    for counter in ["exact", "leased"] {
        let wrong = judge([values(streams, counter), values(asked, counter)].concat());
        assert!(wrong.is_empty(), "seed {seed}: {counter}: {:?}", &wrong[..wrong.len().min(5)]);
    }
    let mut sorted = sessions.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), sessions.len(), "a session was given twice");
}
