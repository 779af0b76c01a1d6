//! What an Obelisk weighs: no user's data, no processor when idle, little memory
//! and room on disk, and hardly any time to start.

use pyralog_tests::batch::{Record, encode};
use pyralog_tests::counters::make_and_touch;
use pyralog_tests::issued::{Wanted, ask};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::node::{Node, Plan};
use pyralog_tests::process::{cpu_ticks, peak_bytes, resident_bytes};
use pyralog_tests::tiers::{Tiers, status};
use pyralog_tests::{binary, wait};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Everything an Obelisk may have in its data directory.
const FILES: [&str; 5] =
    ["LOCK", "node.toml", "obelisk/arena", "obelisk/directory.redb", "obelisk/lane"];
const RECORDS: usize = 2_000;
const IDLE: Duration = Duration::from_secs(5);
/// Of five hundred: a fiftieth of one core, in a build that is not optimised.
const IDLE_TICKS_MAX: u64 = 10;
const RESIDENT_MAX: u64 = 100_000_000;
const READY_WITHIN: Duration = Duration::from_millis(100);
/// `counter_file_size` when nobody says otherwise.
const APPARENT_BYTES: u64 = 1_000_000_000_000;

/// Counters that are made, and where: all that are promised where there is the
/// time for it. Each is synced when it is made; a million of them are made in
/// memory, if that can be had, because it is not the disk that is weighed.
fn counters() -> (u64, TempDir) {
    let full = std::env::var_os("PYRALOG_FULL").is_some_and(|value| value == "1");
    match tempfile::tempdir_in("/dev/shm") {
        Ok(memory) if full => (1_000_000, memory),
        _ if full => (1_000_000, tempfile::tempdir().unwrap()),
        _ => (5_000, tempfile::tempdir().unwrap()),
    }
}

fn is_optimised() -> bool {
    binary::path().parent().is_some_and(|folder| folder.ends_with("release"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}

fn having(folder: &Path, marker: &[u8]) -> Vec<PathBuf> {
    let has = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(marker.len()).any(|window| window == marker)
    };
    files(folder).into_iter().filter(has).collect()
}

#[test]
fn no_record_comes_near_an_obelisk() {
    const MARKER: &[u8] = b"<a record that no Obelisk has seen>";
    let folder = tempfile::tempdir().unwrap();
    // Small enough to be read from end to end.
    let obelisk = Plan::obelisk(folder.path()).argument("--counter-file-size=16MB");
    let pyramid = Plan::pyramid(folder.path(), "pyramid-1", &[obelisk.link_port]);
    let mut tiers = Tiers::start_as(obelisk, pyramid).unwrap();
    let mut client = Client::dial(tiers.pyramid_plan.kafka()).unwrap();
    assert_eq!(client.create("marked", 1).unwrap(), code::NONE);
    tiers.create_counter("counted", "exact").unwrap();
    let large = Record::value(MARKER.repeat(1_000_000 / MARKER.len()));
    assert_eq!(client.produce("marked", 0, encode(&[large])).unwrap().code, code::NONE);
    for number in 0..RECORDS {
        let key = [MARKER, number.to_string().as_bytes()].concat();
        let record = Record { key: Some(key), ..Record::value(MARKER) };
        assert_eq!(client.produce("marked", 0, encode(&[record])).unwrap().code, code::NONE);
        if number % 100 == 0 {
            assert_eq!(client.init_producer().unwrap().0, code::NONE);
            ask(tiers.obelisk_plan.http(), &Wanted::Ids(10)).unwrap();
            ask(tiers.obelisk_plan.http(), &Wanted::Counter("counted".into(), 1)).unwrap();
        }
    }
    let data = tiers.obelisk_plan.data_dir.clone();
    tiers.kill_obelisk().unwrap();
    assert_eq!(having(&data, MARKER), [] as [PathBuf; 0]);
    // And they are looked for as they are written: the Pyramid has them.
    assert_ne!(having(&tiers.pyramid_plan.data_dir, MARKER), [] as [PathBuf; 0]);
    let found: BTreeSet<String> = files(&data)
        .iter()
        .map(|path| path.strip_prefix(&data).unwrap().to_string_lossy().into_owned())
        .collect();
    let known: BTreeSet<String> = FILES.map(str::to_owned).into();
    assert_eq!(found, known);
}

#[test]
fn idle_nodes_sleep() {
    let folder = tempfile::tempdir().unwrap();
    let tiers = Tiers::start(folder.path()).unwrap();
    tiers.wait_leased().unwrap();
    let mut client = Client::dial(tiers.pyramid_plan.kafka()).unwrap();
    assert_eq!(client.create("idle", 3).unwrap(), code::NONE);
    let produced = client.produce("idle", 0, encode(&[Record::value("v")])).unwrap();
    assert_eq!(produced.code, code::NONE);
    let nodes = [tiers.obelisk(), tiers.pyramid()];
    let ticks = || nodes.map(|node| cpu_ticks(node.id()).unwrap());
    // What the start and the last write left to do is done when a second is quiet.
    wait::until(Duration::from_secs(20), || {
        let before = ticks();
        std::thread::sleep(Duration::from_secs(1));
        let used = std::iter::zip(ticks(), before).map(|(after, before)| after - before);
        used.max().filter(|ticks| *ticks < 3)
    });
    let before = ticks();
    std::thread::sleep(IDLE);
    let after = ticks();
    let used = [after[0] - before[0], after[1] - before[1]];
    println!("idle for {IDLE:?}: obelisk {} ticks, pyramid {} ticks, of 500", used[0], used[1]);
    assert!(used.iter().all(|used| *used <= IDLE_TICKS_MAX), "{used:?}");
}

/// From `exec` until the line `ready`, the best of five: after clean stops, or
/// after SIGKILL.
fn ready_after(plan: &Plan, mut node: Node, clean: bool) -> (Duration, Node) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        if clean {
            node.stop().unwrap();
        } else {
            node.kill().unwrap();
        }
        let began = Instant::now();
        node = plan.start().unwrap();
        best = best.min(began.elapsed());
    }
    (best, node)
}

#[test]
fn many_counters_weigh_little() {
    let (count, folder) = counters();
    let plan = Plan::obelisk(folder.path());
    let node = plan.start().unwrap();
    let idle = resident_bytes(node.id()).unwrap();
    let began = Instant::now();
    assert_eq!(make_and_touch(plan.http(), count).unwrap(), count, "each begins with 1");
    let took = began.elapsed();
    let touched = resident_bytes(node.id()).unwrap();
    println!(
        "{count} counters made and touched in {took:.1?}: resident {} MB, {} MB before, {} MB at most",
        touched / 1_000_000,
        idle / 1_000_000,
        peak_bytes(node.id()).unwrap() / 1_000_000,
    );
    // A build that is not optimised has more of itself in memory.
    let most = if is_optimised() { RESIDENT_MAX } else { RESIDENT_MAX * 3 / 2 };
    assert!(touched < most, "{touched} bytes");

    let arena = fs::metadata(plan.data_dir.join("obelisk/arena")).unwrap();
    let allocated = arena.blocks() * 512;
    println!("arena: {} bytes apparent, {allocated} allocated", arena.len());
    assert_eq!(arena.len(), APPARENT_BYTES);
    assert!(allocated < (1 << 20) + count * 256, "{allocated} bytes");

    let (clean, node) = ready_after(&plan, node, true);
    let (killed, node) = ready_after(&plan, node, false);
    println!(
        "ready after {clean:?}, after SIGKILL {killed:?}, best of five{}",
        if is_optimised() { "" } else { " (a build that is not optimised)" }
    );
    let within = if is_optimised() { READY_WITHIN } else { READY_WITHIN * 20 };
    assert!(clean < within && killed < within);
    let again = ask(plan.http(), &Wanted::Counter(format!("many-{}", count - 1), 1)).unwrap();
    assert!(again[0] > 1, "{again:?}");
    assert_eq!(status(&plan).unwrap()["role"], "obelisk");
    println!("resident after a restart: {} MB", resident_bytes(node.id()).unwrap() / 1_000_000);
}
