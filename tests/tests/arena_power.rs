//! Real power cuts of an Obelisk under load: its file system stops as if the
//! machine had, while the Pyramid lives on a disk that is well. No id, session or
//! counter value comes twice, judged by what their consumers logged.

use pyralog_tests::idempotent::IdempotentLoad;
use pyralog_tests::issued::{Consumer, Stream, Wanted, judge};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::{Plan, READY_PATIENCE};
use pyralog_tests::seeded::{self, Seeded};
use pyralog_tests::tiers::{Tiers, scarab_ids};
use pyralog_tests::volume::{Volume, are_possible};
use pyralog_tests::wait;
use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

const VOLUME_BYTES: u64 = 1 << 28;
const CUTS: usize = 3;
const PRODUCERS: usize = 2;
const LOG: &str = "cuts";
/// Values of a counter that a crash may skip.
const BLOCK: u64 = 100_000;
/// Values of each kind between two cuts.
const VALUES_EACH: u64 = 150;

#[test]
fn no_value_comes_twice_after_power_cuts() {
    cut(false);
}

#[test]
fn no_value_comes_twice_when_every_increment_is_synced() {
    cut(true);
}

fn cut(fsync_on_increment: bool) {
    if !are_possible() {
        return;
    }
    let mut seeded = Seeded::new(seeded::seed());
    let folder = tempfile::tempdir().unwrap();
    let mut volume = Volume::create(folder.path(), VOLUME_BYTES).unwrap();
    let mut tiers = start(folder.path(), &volume, fsync_on_increment);
    let kafka = tiers.pyramid_plan.kafka();
    let load = IdempotentLoad::start(kafka, LOG, PRODUCERS, 10, 20);
    let consumers = consumers(&tiers);
    // The fourth time all of them are served again, and nothing is cut.
    for cut in 0..=CUTS {
        let before: Vec<u64> = consumers.iter().map(Consumer::received).collect();
        let sessions = load.sessions();
        let served = wait::holds(READY_PATIENCE, || {
            let enough = |(one, before): (&Consumer, &u64)| one.received() >= before + VALUES_EACH;
            load.sessions() > sessions && consumers.iter().zip(&before).all(enough)
        });
        assert!(served, "cut {cut}: not everybody is served\n{}", tiers.tails());
        if cut < CUTS {
            thread::sleep(Duration::from_micros(seeded.below(50_000) as u64));
            volume.cut_power().unwrap();
            tiers.kill_obelisk().unwrap();
            volume.unmount().unwrap();
            volume.mount().unwrap();
            tiers.start_obelisk().unwrap();
        }
    }
    let outcome = load.stop().unwrap();
    let streams: Vec<Stream> = consumers.into_iter().map(Consumer::stop).collect();
    assert_eq!(outcome.judge(kafka, LOG).unwrap(), [], "the Pyramid's records");
    println!(
        "{CUTS} power cuts, fsync_on_increment {fsync_on_increment}: {} sessions, {} records, {:#?}",
        outcome.sessions.len(),
        outcome.histories.iter().map(|history| history.sent.len()).sum::<usize>(),
        figures(&streams),
    );
    judge_all(&tiers, &streams, outcome.sessions);
    judge_gaps(&streams, fsync_on_increment);
    tiers.kill_obelisk().unwrap();
    volume.unmount().unwrap();
}

fn start(folder: &Path, volume: &Volume, fsync_on_increment: bool) -> Tiers {
    let mut obelisk = Plan::obelisk(folder);
    obelisk.data_dir = volume.path().join("data");
    if fsync_on_increment {
        obelisk = obelisk.argument("--fsync-on-increment");
    }
    let pyramid = Plan::pyramid(folder, "pyramid-1", &[obelisk.link_port]);
    let tiers = Tiers::start_as(obelisk, pyramid).unwrap();
    let mut client = Client::dial(tiers.pyramid_plan.kafka()).unwrap();
    assert_eq!(client.create(LOG, PRODUCERS as i32).unwrap(), code::NONE);
    tiers.create_counter("exact", "exact").unwrap();
    tiers.create_counter("leased", "leased").unwrap();
    tiers
}

fn consumers(tiers: &Tiers) -> Vec<Consumer> {
    let (obelisk, pyramid) = (tiers.obelisk_plan.http(), tiers.pyramid_plan.http());
    // More than half a block at a time: each claim needs a new one.
    let leased = Wanted::Counter("leased".into(), 700);
    vec![
        Consumer::start("ids of the obelisk", obelisk, Wanted::Ids(100)),
        Consumer::start("ids of the pyramid", pyramid, Wanted::Ids(100)),
        Consumer::start("exact at the obelisk", obelisk, Wanted::Counter("exact".into(), 7)),
        Consumer::start("exact at the pyramid", pyramid, Wanted::Counter("exact".into(), 3)),
        Consumer::start("leased at the obelisk", obelisk, leased.clone()),
        Consumer::start("leased at the pyramid", pyramid, leased),
    ]
}

fn judge_all(tiers: &Tiers, streams: &[Stream], mut sessions: Vec<i64>) {
    let in_records: Vec<Vec<u64>> = (0..PRODUCERS)
        .map(|partition| {
            let ids = scarab_ids(&tiers.pyramid_plan, LOG, partition).unwrap();
            ids.into_iter().flatten().collect()
        })
        .collect();
    let mut kinds: BTreeMap<&str, Vec<(&str, &[u64])>> = BTreeMap::new();
    for stream in streams {
        let kind = match &stream.wanted {
            Wanted::Ids(_) => "ids",
            Wanted::Counter(name, _) => name,
        };
        kinds.entry(kind).or_default().push((&stream.name, &stream.values));
    }
    let records = in_records.iter().map(|ids| ("records", ids.as_slice()));
    kinds.entry("ids").or_default().extend(records);
    for (kind, streams) in kinds {
        let wrong = judge(streams);
        assert!(wrong.is_empty(), "{kind}: {:?}", &wrong[..wrong.len().min(5)]);
    }
    let given = sessions.len();
    sessions.sort_unstable();
    sessions.dedup();
    assert_eq!(sessions.len(), given, "a session was given twice");
}

/// What a cut may skip: what was asked for and not answered, and without
/// `fsync_on_increment` a block as well.
fn judge_gaps(streams: &[Stream], fsync_on_increment: bool) {
    let exact = streams.iter().filter_map(|stream| match &stream.wanted {
        Wanted::Counter(name, count) if name == "exact" => Some((stream, u64::from(*count))),
        _ => None,
    });
    let (mut received, mut last, mut unanswered) = (0, 0, 0);
    for (stream, count) in exact {
        received += stream.values.len() as u64;
        last = last.max(stream.values.last().copied().unwrap_or(0));
        // One at each cut, and those that nobody can tell the fate of.
        let timeouts = stream.refused.get("timeout").copied().unwrap_or(0);
        unanswered += count * (CUTS as u64 + timeouts);
    }
    let block = if fsync_on_increment { 0 } else { BLOCK * CUTS as u64 };
    let skipped = last - received;
    println!("exact: {received} values up to {last}, {skipped} skipped");
    assert!(skipped <= unanswered + block, "at most {unanswered} + {block}");
}

/// Values of each, the greatest, and how often each error came.
fn figures(streams: &[Stream]) -> Vec<(&str, usize, u64, &BTreeMap<String, u64>)> {
    streams
        .iter()
        .map(|stream| {
            let last = stream.values.last().copied().unwrap_or(0);
            (stream.name.as_str(), stream.values.len(), last, &stream.refused)
        })
        .collect()
}
