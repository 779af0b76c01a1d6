//! How fast a log is read by SQL, beside DataFusion over the same rows in files.
//!
//! The aggregate is the same everywhere, and so must the answers be. Each source is
//! read in turn, round by round, on one core and on all; the median counts. On one core
//! the whole node has that core, and so has the whole of this process.

mod files;
mod sources;

use crate::world::World;
use anyhow::{Context, Result, ensure};
use files::Copies;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use sources::{Engine, Measured, Source};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rounds of which the median counts.
const ROUNDS: usize = 5;
/// The log of many years.
pub const NAME: &str = "years";

/// What is asked: by name.
const QUESTIONS: [(&str, &str); 3] = [
    (
        "aggregate over three columns",
        "SELECT carrier, count(*), avg(dep_delay), max(arr_delay) FROM years GROUP BY carrier ORDER BY carrier",
    ),
    ("one column", "SELECT sum(distance) FROM years"),
    (
        "all 19 columns",
        "SELECT count(year), count(month), count(day), count(dep_time), count(sched_dep_time), \
         sum(dep_delay), count(arr_time), count(sched_arr_time), sum(arr_delay), max(carrier), \
         max(flight), max(tailnum), max(origin), max(dest), sum(air_time), sum(distance), \
         count(hour), count(minute), max(time_hour) FROM years",
    ),
];

/// Loads so many copies of the year, and measures.
pub fn run(copies: usize) -> Result<()> {
    let folder = tempfile::tempdir_in("/var/tmp")?;
    let world = World::start(folder.path())?;
    let columns = world.files.columns("flights")?;
    world.create(NAME, &columns, 1)?;
    for _ in 0..copies {
        world.load("flights", NAME, None)?;
    }
    let copies = Copies::write(&world, &columns, copies)?;
    let plan = world.node.plan.clone();
    world.node.stop()?;

    let all = sched_getaffinity(None)?;
    let first = (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).context("no processor")?;
    let mut one = CpuSet::new();
    one.set(first);
    for (cores, set) in [(1, one), (all.count(), all)] {
        // Threads and processes that are started from here on inherit it.
        sched_setaffinity(None, &set)?;
        let node = plan.start()?;
        let engine = Engine::start(&copies, cores as usize)?;
        for (name, query) in QUESTIONS {
            println!("\n{name}, {cores} of {} cores, {} rows", all.count(), copies.rows);
            table(measure(&engine, plan.http(), query)?, &copies);
        }
        node.stop()?;
    }
    Ok(())
}

/// Each source's rounds.
fn measure(
    engine: &Engine,
    http: std::net::SocketAddr,
    query: &str,
) -> Result<BTreeMap<Source, Vec<Measured>>> {
    let mut measured: BTreeMap<Source, Vec<Measured>> = BTreeMap::new();
    let mut right = None;
    for _ in 0..ROUNDS {
        for source in Source::ALL {
            let one = engine.ask(source, http, query)?;
            let right = right.get_or_insert_with(|| one.answer.clone());
            ensure!(one.answer == *right, "{source:?} says {}, not {right}", one.answer);
            measured.entry(source).or_default().push(one);
        }
    }
    Ok(measured)
}

fn table(measured: BTreeMap<Source, Vec<Measured>>, copies: &Copies) {
    println!(
        "{:<8} {:>9} {:>12} {:>8} {:>14}  spread",
        "source", "ms", "rows/s", "MB/s", "log is faster"
    );
    let median = |rounds: &[Measured]| {
        let mut times: Vec<Duration> = rounds.iter().map(|round| round.elapsed).collect();
        times.sort_unstable();
        (times[times.len() / 2], times[0], times[times.len() - 1])
    };
    let log = median(&measured[&Source::Log]).0.as_secs_f64();
    for (source, rounds) in &measured {
        let (middle, best, worst) = median(rounds);
        let seconds = middle.as_secs_f64();
        println!(
            "{:<8} {:>9.0} {:>12.0} {:>8.0} {:>13.2}x  {:.0?} to {:.0?}",
            format!("{source:?}"),
            seconds * 1e3,
            copies.rows as f64 / seconds,
            copies.bytes(*source) as f64 / seconds / 1e6,
            seconds / log,
            best,
            worst
        );
    }
}
