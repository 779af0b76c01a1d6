//! The store: ten thousand power cuts, and each planted bug caught by them.

use crate::worlds::{assert_met, catch, run_worlds, say};
use pyralog_env::sim::CutKind;
use pyralog_log::Mutation;
use pyralog_simulator::{Plan, run_world};

/// Seeds that found a bug once: run first, for ever.
const REGRESSIONS: &str = include_str!("regressions.txt");

/// Kinds of pending things that a full run must have cut, each this often.
const CUTS_OF_EACH_KIND_MIN: u64 = 100;

#[test]
fn nothing_acknowledged_is_lost_in_ten_thousand_power_cuts() {
    for seed in regressions() {
        run_world(seed, &Plan::default()).unwrap_or_else(|what| panic!("regression: {what}"));
    }
    let plan = Plan::default();
    let (total, cuts) = run_worlds(10_000, plan.lives, |seed| run_world(seed, &plan));
    say(&format!("{total}"));
    if cuts >= 10_000 {
        assert_met(&total.met, &CutKind::ALL, CUTS_OF_EACH_KIND_MIN);
    }
}

#[test]
fn a_seed_is_a_whole_bug_report() {
    for seed in 0..8 {
        let first = run_world(seed, &Plan::default()).unwrap();
        assert_eq!(first, run_world(seed, &Plan::default()).unwrap(), "seed {seed}");
    }
}

#[test]
fn every_planted_bug_is_caught() {
    use Mutation::*;
    let bugs = [
        AckBeforeSync,
        NoDirectorySync,
        RetryAfterFailedSync,
        TruncationNotLogged,
        TornMiddleAccepted,
        RecycleBeforeCheckpoint,
    ];
    for bug in bugs {
        let plan = Plan { mutation: Some(bug), ..Plan::default() };
        catch(bug, plan.lives, |seed| run_world(seed, &plan));
    }
}

fn regressions() -> impl Iterator<Item = u64> {
    let lines = REGRESSIONS.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines.filter(|line| !line.is_empty()).map(|line| line.parse().expect("a seed a line"))
}
