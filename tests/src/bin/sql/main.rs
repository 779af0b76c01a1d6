//! Whether SQL is right, pushed down, bounded and fast: real nodes, asked over HTTP.
//!
//! ```text
//! sql check [--small] [--only PART | --without PART] [--python PATH]   # seed of `hostile` from PYRALOG_SEED
//! sql speed [--copies N]
//! ```
//!
//! `check` loads the flights and what belongs to them with `pyralog produce --csv`, as
//! anybody would, and holds every cell against DataFusion's own reader of the same
//! CSV and the answers to `tests/clients/sql/questions.sql` against DuckDB's. Then it
//! asks what a query reads, exhausts memory and time while others work, and asks
//! what nobody should ask. `--small` is for a look in between: fewer records, fewer
//! and shorter rounds; PART is one of those that are printed. PATH is a Python that has
//! DuckDB (`tests/clients/requirements.txt`).
//!
//! `speed` prints the figures of `docs/performance.md`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program for the terminal, in real time"
)]

mod agrees;
mod big;
mod columns;
mod hostile;
mod limits;
mod pushed_down;
mod reference;
mod right;
mod speed;
mod steady;
mod tables;
mod world;

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::time::Instant;
use world::World;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Records of the log that queries must not read through.
    pub records: u64,
    /// Seconds of steady work without queries, and as many with them.
    pub steady_seconds: u64,
    /// Questions that nobody should ask.
    pub hostile: usize,
}

const WHOLE: Size = Size { records: 10_000_000, steady_seconds: 21, hostile: 10_000 };
const SMALL: Size = Size { records: 1_000_000, steady_seconds: 14, hostile: 1_000 };

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    match arguments.first().map(String::as_str) {
        Some("check") => {
            let is_small = arguments.iter().any(|argument| argument == "--small");
            let python = value_of("--python").unwrap_or_else(|| "python3".to_owned());
            let choice = Choice { only: value_of("--only"), without: value_of("--without") };
            check(if is_small { SMALL } else { WHOLE }, &choice, python.into())
        }
        Some("speed") => {
            let copies = value_of("--copies").map_or(Ok(10), |text| text.parse());
            speed::run(copies.context("how many copies?")?)
        }
        _ => bail!(
            "usage: sql check [--small] [--only PART | --without PART] [--python PATH] | sql speed [--copies N]"
        ),
    }
}

/// Which parts: all of them unless told otherwise.
struct Choice {
    only: Option<String>,
    without: Option<String>,
}

fn check(size: Size, choice: &Choice, python: PathBuf) -> Result<()> {
    let started = Instant::now();
    let folder = tempfile::tempdir()?;
    let mut world = World::start(folder.path())?;
    let outcome = parts(&world, size, choice, &python);
    let tail = world.node.tail();
    outcome.with_context(|| format!("the node's last words:\n{tail}"))?;
    if !world.node.is_alive() {
        bail!("the node is gone");
    }
    world.node.stop()?;
    println!("SQL is right, pushed down and bounded ({:.0} s)", started.elapsed().as_secs_f64());
    Ok(())
}

fn parts(world: &World, size: Size, choice: &Choice, python: &Path) -> Result<()> {
    let Choice { only, without } = choice;
    let (only, without) = (only.as_deref(), without.as_deref());
    let parts: [(&str, &dyn Fn() -> Result<()>); 6] = [
        ("right", &|| right::check(world)),
        ("duckdb", &|| agrees::check(world, python)),
        ("big", &|| big::load(&world.node.plan, size.records)),
        ("pushed-down", &|| pushed_down::check(world, size.records)),
        ("bounded", &|| limits::check(world, size.steady_seconds)),
        ("hostile", &|| hostile::check(world, size.hostile)),
    ];
    // Two of them need the log of many records.
    let needs_big = only.is_some_and(|only| ["pushed-down", "bounded"].contains(&only));
    let wanted = |name: &str| {
        without != Some(name) && only.is_none_or(|only| only == name || needs_big && name == "big")
    };
    ensure!(parts.iter().any(|(name, _)| wanted(name)), "no part of the check is called {only:?}");
    for (name, run) in parts.into_iter().filter(|(name, _)| wanted(name)) {
        let started = Instant::now();
        println!("--- {name}");
        run().with_context(|| name.to_owned())?;
        println!("    {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}
