//! The arena: no value twice in five thousand power cuts, and each planted bug
//! caught by them.

use crate::worlds::{assert_counted, assert_met, catch, run_worlds, say};
use pyralog_counter::Mutation;
use pyralog_env::sim::CutKind;
use pyralog_simulator::{ArenaPlan, run_arena_world};

const CUTS: u64 = 5_000;

#[test]
fn no_value_is_issued_twice_in_five_thousand_power_cuts() {
    let plan = ArenaPlan::default();
    let (total, cuts) = run_worlds(CUTS, plan.lives, |seed| run_arena_world(seed, &plan));
    say(&format!("{total}"));
    if cuts >= CUTS {
        use CutKind::{Create, DataWrite, Extension, Rename, Sync};
        assert_met(&total.met, &[DataWrite, Sync, Create, Rename, Extension], 50);
        assert_counted(&total.counts(), 50);
    }
}

#[test]
fn an_arena_seed_is_a_whole_bug_report() {
    for seed in 0..8 {
        let first = run_arena_world(seed, &ArenaPlan::default()).unwrap();
        assert_eq!(first, run_arena_world(seed, &ArenaPlan::default()).unwrap(), "seed {seed}");
    }
}

#[test]
fn every_planted_bug_of_counters_is_caught() {
    use Mutation::*;
    for bug in [BoundNotSyncedFirst, CleanMarkNotCleared, CrcOverMappedValue, BatchStraddlesBound] {
        let plan = ArenaPlan { mutation: Some(bug), ..ArenaPlan::default() };
        catch(bug, plan.lives, |seed| run_arena_world(seed, &plan));
    }
}
