//! Lanes and leases: no id twice, and each node's in order, in five thousand power
//! cuts among clocks that jump; and each planted bug caught by them.

use crate::worlds::{assert_counted, assert_met, catch, run_worlds, say};
use pyralog_env::sim::CutKind;
use pyralog_simulator::{LaneBug, LanePlan, run_lane_world};

const CUTS: u64 = 5_000;

#[test]
fn no_id_is_issued_twice_in_five_thousand_power_cuts() {
    let plan = LanePlan::default();
    let (total, cuts) = run_worlds(CUTS, plan.lives, |seed| run_lane_world(seed, &plan));
    say(&format!("{total}"));
    if cuts >= CUTS {
        use CutKind::{Create, DataWrite, Extension, Rename, Sync};
        assert_met(&total.met, &[DataWrite, Sync, Create, Rename, Extension], 50);
        assert_counted(&total.counts(), 50);
    }
}

#[test]
fn a_lane_seed_is_a_whole_bug_report() {
    for seed in 0..8 {
        let first = run_lane_world(seed, &LanePlan::default()).unwrap();
        assert_eq!(first, run_lane_world(seed, &LanePlan::default()).unwrap(), "seed {seed}");
    }
}

#[test]
fn every_planted_bug_of_lanes_is_caught() {
    use LaneBug::*;
    for bug in [LaneReissued, XorInsteadOfCarry, BoundNotSyncedFirst] {
        let plan = LanePlan { bug: Some(bug), ..LanePlan::default() };
        catch(bug, plan.lives, |seed| run_lane_world(seed, &plan));
    }
}
