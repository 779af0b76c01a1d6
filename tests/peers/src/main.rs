//! Pyralog beside Redis, NATS JetStream and etcd: one run, one disk, rounds in turn.
//!
//! ```text
//!  subjects: (server, durable or relaxed) ──▶ round 1: each with 1 producer, each with 64
//!  or the reason why there is none            round 2: the same, from another one on
//!                                             …
//!                  Markdown, JSON ◀── median and extremes of each cell
//! ```

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "real servers live in real time, and figures are for a terminal"
)]

mod arguments;
mod etcd;
mod load;
mod nats;
mod processor;
mod pyralog;
mod redis;
mod report;
mod server;
mod subject;

use anyhow::{Context, Result};
use arguments::Arguments;
use report::{Cell, Report};
use subject::{Subject, Subjects};

/// A cell is measured with each of these.
const PRODUCERS: [usize; 2] = [1, 64];

fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let home = tempfile::Builder::new().prefix("pyralog-peers.").tempdir_in(&arguments.dir)?;
    let mut all = Subjects::default();
    pyralog::start(&arguments.pyralog, home.path(), &mut all)?;
    redis::start(home.path(), &mut all)?;
    nats::start(home.path(), &mut all)?;
    etcd::start(home.path(), &mut all)?;
    for absent in &all.absent {
        eprintln!("{}, {}: {}", absent.name, absent.promise, absent.why);
    }
    let mut report = Report::new(&arguments, &all);
    for round in 0..arguments.rounds {
        for producers in PRODUCERS {
            for turn in 0..all.present.len() {
                let count = all.present.len();
                let subject = &mut all.present[(turn + round) % count];
                if producers > subject.producers_max {
                    continue;
                }
                report.push(measure(subject, producers, round, &arguments)?);
            }
        }
    }
    print!("{}", report.markdown());
    if let Some(path) = &arguments.json {
        let json = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn measure(
    subject: &mut Subject,
    producers: usize,
    round: usize,
    arguments: &Arguments,
) -> Result<Cell> {
    let (name, promise) = (subject.name.clone(), subject.promise);
    let what = format!("{name}, {promise}, {producers} at once");
    let before = processor::generator_seconds();
    let mut figure = subject.load.run(producers, arguments.each).with_context(|| what.clone())?;
    // Programs that were run and this one; servers are not counted while they live.
    let taken = processor::generator_seconds() - before;
    figure.generator_cpu = (taken / figure.seconds * 100.0).round() / 100.0;
    eprintln!("round {}: {what}: {:.0}/s", round + 1, figure.records_per_second);
    Ok(Cell { name, promise, producers, round: round + 1, figure })
}
