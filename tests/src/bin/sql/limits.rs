//! Queries that want more than there is, while others work.

use crate::big::NAME;
use crate::steady::{Sample, Steady, p99};
use crate::world::World;
use anyhow::{Context, Result, anyhow, ensure};
use pyralog_tests::process::{cpu_ticks, resident_bytes};
use pyralog_tests::sql::answer;
use pyralog_tests::sql::explained::metric;
use pyralog_tests::sql::wire::Question;
use pyralog_tests::wait;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How much slower others may get.
const SLOWER: u32 = 5;
/// Rounds without queries, and as many with them.
const ROUNDS: u32 = 7;
/// Before anything is measured.
const WARM: Duration = Duration::from_secs(1);
/// How long a query may run that has no end.
const TIME_MAX: Duration = Duration::from_millis(1_500);
/// Ticks of a second that an idle node may use: a twentieth of a core.
const IDLE_TICKS_MAX: u64 = 5;
/// Memory that the allocator may still hold when the queries are gone.
const KEPT_BYTES_MAX: u64 = 96 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// Need more memory than a query may have, each in another operator.
const HUNGRY: [&str; 4] = [
    "SELECT array_agg(repeat(text(_value), 10)) FROM big",
    "SELECT repeat(text(_value), 10), count(*) FROM big GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    "SELECT repeat(text(_value), 10) FROM big ORDER BY 1 DESC",
    "SELECT count(*) FROM big a JOIN big b ON repeat(text(a._value), 10) = repeat(text(b._value), 9)",
];

/// Need more time than there is.
const ENDLESS: [&str; 2] = [
    "SELECT count(*) FROM flights a, flights b WHERE a.distance + b.distance = 7",
    "WITH RECURSIVE up AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM up) SELECT max(n) FROM up",
];

/// Measures others without such queries and with them, and looks at what is left.
///
/// By turns: what the disk does to all for a while then weighs on both, and a stall of
/// its own falls into one of the rounds, not into the median.
pub fn check(world: &World, seconds: u64) -> Result<()> {
    let generations = world.generations()?;
    // What was loaded is still being written, and would be measured.
    rustix::fs::sync();
    let resident = resident_bytes(world.node.id())?;
    let steady = Steady::start(&world.node.plan)?;
    let period = Duration::from_secs(seconds) / ROUNDS;
    thread::sleep(WARM);
    let (mut codes, mut quiet, mut loud) = (BTreeMap::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let from = steady.now();
        thread::sleep(period);
        let between = steady.now();
        strain(world.http(), period, &mut codes)?;
        quiet.push((from, between));
        loud.push((between, steady.now()));
    }
    let met = steady.stop()?;
    println!("{} records in all; queries ended so: {codes:?}", met.acknowledged.len());
    for code in ["query-out-of-memory", "query-out-of-time"] {
        ensure!(codes.contains_key(code), "no query was told {code}");
    }
    for (what, samples) in [("acknowledged", &met.acknowledged), ("consumed", &met.consumed)] {
        let (without, with) = (median_p99(samples, &quiet)?, median_p99(samples, &loud)?);
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!(
            "p99 until {what}: {without:.2?} without queries, {with:.2?} with them, x{ratio:.1}"
        );
        ensure!(with < without * SLOWER, "others wait too long for queries");
    }
    leaves_nothing(world, resident)?;
    let afterwards = world.generations()?;
    for (path, generation) in generations {
        ensure!(afterwards.get(&path) == Some(&generation), "{path} was restarted");
    }
    Ok(())
}

/// The median of the rounds' 99th percentiles.
fn median_p99(samples: &[Sample], rounds: &[(u64, u64)]) -> Result<Duration> {
    let each = rounds.iter().map(|&(from, to)| p99(samples, from, to));
    let mut each: Vec<Duration> = each.collect::<Result<_>>()?;
    each.sort_unstable();
    Ok(each[each.len() / 2])
}

/// Asks for too much, by three at once, until the time is over; counts the codes.
fn strain(http: SocketAddr, period: Duration, counted: &mut BTreeMap<String, u32>) -> Result<()> {
    let over = AtomicBool::new(false);
    let asker = |queries: &'static [&'static str], time_max: Option<Duration>| {
        let mut codes = Vec::new();
        for query in queries.iter().cycle() {
            if over.load(Ordering::SeqCst) {
                break;
            }
            match answer::ask(http, Question { query, time_max })? {
                Ok(_) => return Err(anyhow!("{query} has an answer; it should need too much")),
                Err(refusal) => codes.push(refusal.code),
            }
        }
        Ok(codes)
    };
    let codes = thread::scope(|scope| {
        let askers = [
            scope.spawn(|| asker(&HUNGRY, None)),
            scope.spawn(|| asker(&ENDLESS[..1], Some(TIME_MAX))),
            scope.spawn(|| asker(&ENDLESS[1..], Some(TIME_MAX))),
        ];
        thread::sleep(period);
        over.store(true, Ordering::SeqCst);
        let codes = askers.into_iter().map(|asker| asker.join().expect("an asker never panics"));
        codes.collect::<Result<Vec<Vec<String>>>>()
    })?;
    codes.into_iter().flatten().for_each(|code| *counted.entry(code).or_default() += 1);
    Ok(())
}

/// No query runs, no memory is held, and the processor is idle.
fn leaves_nothing(world: &World, resident_before: u64) -> Result<()> {
    let (http, id) = (world.http(), world.node.id());
    let held = || -> Result<[u64; 2]> {
        Ok([metric(http, "pyralog_queries_running")?, metric(http, "pyralog_query_memory_bytes")?])
    };
    let let_go = wait::until(PATIENCE, || held().is_ok_and(|held| held == [0, 0]).then_some(()));
    let_go.with_context(|| format!("queries still run, or hold memory: {:?}", held()))?;
    // The allocator gives memory back when it has not been used for a while.
    let resident_max = resident_before + KEPT_BYTES_MAX;
    let shrunk = wait::until(PATIENCE, || {
        resident_bytes(id).is_ok_and(|now| now < resident_max).then_some(())
    });
    let resident = resident_bytes(id)?;
    println!("resident: {} MiB before, {} MiB afterwards", resident_before >> 20, resident >> 20);
    shrunk.context("the memory of the queries was not given back")?;
    let idle = wait::until(PATIENCE, || {
        let before = cpu_ticks(id).ok()?;
        thread::sleep(Duration::from_secs(1));
        let used = cpu_ticks(id).ok()? - before;
        (used <= IDLE_TICKS_MAX).then_some(used)
    });
    println!("idle: {} ticks of the processor in a second", idle.context("the node is busy")?);
    ensure!(
        answer::number(http, &format!("SELECT count(*) FROM {NAME}"))? > 0,
        "no answer any more"
    );
    Ok(())
}
