//! Logs of all promises in one store: a thousand histories of kills and power cuts, and
//! each planted bug caught by them. `PYRALOG_FULL=1` makes it fifty thousand.

use crate::worlds::{assert_counted, assert_met, catch, run_worlds, say};
use pyralog_env::sim::CutKind;
use pyralog_log::Mutation;
use pyralog_simulator::{MixedPlan, run_mixed_world};

const WORLDS: u64 = 1_000;
const WORLDS_FULL: u64 = 50_000;

#[test]
fn every_log_keeps_what_it_promises_in_a_thousand_histories() {
    let full = std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1");
    let worlds = if full { WORLDS_FULL } else { WORLDS };
    let plan = MixedPlan::default();
    let (total, worlds) = run_worlds(worlds, 1, |seed| run_mixed_world(seed, &plan));
    say(&format!("{total}"));
    if worlds >= WORLDS {
        use CutKind::{Create, DataWrite, Extension, Rename, Sync};
        assert_met(&total.met, &[DataWrite, Sync, Create, Rename, Extension], 50);
        assert_counted(&total.counts(), 50);
    }
}

#[test]
fn a_mixed_seed_is_a_whole_bug_report() {
    for seed in 0..8 {
        let first = run_mixed_world(seed, &MixedPlan::default()).unwrap();
        assert_eq!(first, run_mixed_world(seed, &MixedPlan::default()).unwrap(), "seed {seed}");
    }
}

#[test]
fn every_planted_bug_of_weaker_logs_is_caught() {
    use Mutation::*;
    let weak = [AckBeforeWrite, SealedUnsynced, CheckpointUnsynced, OffsetsReissued, EpochReissued];
    // Those of the strong ones live here, too.
    for bug in weak.into_iter().chain([HoleInWal, AckBeforeSync, RecycleBeforeCheckpoint]) {
        let plan = MixedPlan { mutation: Some(bug), ..MixedPlan::default() };
        catch(bug, plan.lives, |seed| run_mixed_world(seed, &plan));
    }
}
