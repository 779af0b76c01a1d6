//! Consumer groups: a thousand histories of trouble, and each planted bug caught by
//! them. `PYRALOG_FULL=1` makes it thirty thousand.

use crate::worlds::{assert_counted, run_worlds, say};
use pyralog_groups::Mutation;
use pyralog_simulator::{GroupPlan, run_group_world};

const WORLDS: u64 = 1_000;
const WORLDS_FULL: u64 = 30_000;
/// Within so many worlds a planted bug must be met.
const WORLDS_TO_CATCH: u64 = 1_000;

#[test]
fn groups_survive_a_thousand_histories() {
    let full = std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1");
    let worlds = if full { WORLDS_FULL } else { WORLDS };
    let plan = GroupPlan::default();
    let (total, worlds) = run_worlds(worlds, 1, |seed| run_group_world(seed, &plan));
    say(&format!("{total}"));
    if worlds >= WORLDS {
        assert_counted(&total.counts(), 50);
    }
}

#[test]
fn a_group_seed_is_a_whole_bug_report() {
    for seed in 0..4 {
        let first = run_group_world(seed, &GroupPlan::default()).unwrap();
        assert_eq!(first, run_group_world(seed, &GroupPlan::default()).unwrap(), "seed {seed}");
    }
}

/// A bug, and the promises of which at least one must be found broken.
#[test]
fn every_planted_bug_of_groups_is_caught_by_what_it_breaks() {
    use Mutation::*;
    let bugs: [(Mutation, &[&str]); 15] = [
        (RefusedCommitWrittenLate, &["OFFSET"]),
        (EvictedMemberCommits, &["ZOMBIE"]),
        (AnswerBeforeDurable, &["OFFSET"]),
        (FetchShowsUndurable, &["OFFSET"]),
        (LastRecordLost, &["OFFSET", "GROUP"]),
        (OldCheckpoint, &["OFFSET", "GROUP"]),
        (HeirGetsOffsets, &["OFFSET"]),
        (AssignmentLeaks, &["GROUP"]),
        (GenerationNotKept, &["GROUP", "ZOMBIE"]),
        (OldGenerationCommits, &["ZOMBIE"]),
        (RoundNeverEnds, &["STUCK"]),
        (SilenceIgnored, &["STUCK"]),
        (OldInstanceGoesOn, &["ZOMBIE"]),
        (RoundsOfNoTime, &["SPIN"]),
        (TickTakesItsOwn, &["SPIN"]),
    ];
    for (mutation, promises) in bugs {
        let plan = GroupPlan { mutation: Some(mutation), ..GroupPlan::default() };
        let broken = |seed| run_group_world(seed, &plan).err();
        let caught = (1..=WORLDS_TO_CATCH).find_map(|seed| broken(seed).map(|what| (seed, what)));
        let (seed, what) = caught.unwrap_or_else(|| panic!("{mutation:?} lives on"));
        assert!(
            promises.iter().any(|promise| what.contains(&format!("{promise}: "))),
            "{mutation:?} should break {promises:?}: {what}"
        );
        say(&format!("{mutation:?} was caught in world {seed}: {what}\n"));
    }
}
