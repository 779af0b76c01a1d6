//! Runs many worlds, on two threads, and adds up what they met.

use pyralog_env::sim::{CutKind, CutReport};
use std::fmt::Debug;
use std::io::Write;
use std::ops::AddAssign;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Runs worlds until they have had the cuts asked for; `lives` are the cuts of one.
/// The second result is how many those are.
pub fn run_worlds<T>(
    cuts: u64,
    lives: u32,
    run: impl Fn(u64) -> Result<T, String> + Sync,
) -> (T, u64)
where
    T: Default + Send + for<'a> AddAssign<&'a T>,
{
    let cuts = number("PYRALOG_CUTS").unwrap_or(cuts);
    let first = number("PYRALOG_SEED").unwrap_or(1);
    let end = first + cuts.div_ceil(u64::from(lives));
    let next = AtomicU64::new(first);
    let (total, failures) = (Mutex::new(T::default()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || failures.lock().unwrap().len() > 4 {
                        return;
                    }
                    match run(seed) {
                        Ok(tally) => *total.lock().unwrap() += &tally,
                        Err(what) => failures.lock().unwrap().push(what),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{}\nrepeat one with PYRALOG_SEED=<seed> PYRALOG_CUTS=1",
        failures.join("\n")
    );
    (total.into_inner().unwrap(), cuts)
}

/// Runs worlds in which `bug` lives until one is caught, within 2,000 cuts.
pub fn catch<T>(bug: impl Debug, lives: u32, run: impl Fn(u64) -> Result<T, String>) {
    let worlds = 2_000 / u64::from(lives);
    let caught = (1..=worlds).find_map(|seed| run(seed).err().map(|what| (seed, what)));
    let (seed, what) = caught.unwrap_or_else(|| panic!("{bug:?} lives on after {worlds} worlds"));
    say(&format!("{bug:?} was caught in world {seed} of {worlds}: {what}\n"));
}

/// A kind of thing that no power cut has met was not tested.
pub fn assert_met(met: &CutReport, kinds: &[CutKind], least: u64) {
    for kind in kinds {
        let cuts = met.count(*kind).cuts;
        assert!(cuts >= least, "only {cuts} cuts met a {}", kind.as_str());
    }
}

/// A planned thing that has not happened was not tested.
pub fn assert_counted(counts: &[(&'static str, u64)], least: u64) {
    for (words, count) in counts {
        assert!(*count >= least, "only {count}: {words}");
    }
}

/// Shown also when the test passes: how much was tested is part of the result.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is '{text}', not a number")))
}
