//! A log, its index, and a disk that fails: whatever happens, an indexed lookup gives
//! what a scan of the log gives (INDEX).
//!
//! One *history* is a simulated disk and an index that lives through several lives on
//! it. The log is a list of records that loses nothing but, at a power cut, some that
//! were not in sealed segments; the index must never say less or more about it, whatever
//! power cuts, failed syncs, full disks and flipped bits did to its files. Work is
//! planned, run and installed with other operations between, and in some lives not at
//! all.

mod history;
mod log;

use crate::Mutation;
use history::{History, Plan};

fn run(seed: u64, mutation: Option<Mutation>) -> Result<History, String> {
    History::run(seed, &Plan { lives: 4, operations: 60, mutation })
}

#[test]
fn an_indexed_lookup_gives_what_a_scan_gives() {
    let full = std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1");
    let histories = if full { 100_000 } else { 1_500 };
    let mut total = history::Tally::default();
    for seed in 0..histories {
        let history = run(seed, None).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        total += history.tally;
    }
    // A test that never met trouble would prove nothing.
    let tally = &total;
    assert!(tally.crashes >= histories * 2, "{tally:?}");
    let met = [
        tally.lookups / 100,
        tally.merges,
        tally.fills,
        tally.cuts_into_files,
        tally.failed_works,
        tally.damages,
        tally.overtaken,
        tally.gaps_named,
    ];
    assert!(met.iter().all(|met| *met >= histories / 20), "{tally:?}");
}

#[test]
fn the_same_seed_is_the_same_history() {
    let bytes = |seed| run(seed, None).unwrap().image();
    assert_eq!(bytes(7), bytes(7));
    assert_ne!(bytes(7), bytes(8));
}

#[track_caller]
fn check_caught(mutation: Mutation) {
    let caught = (0..2_000).find(|seed| run(*seed, Some(mutation)).is_err());
    assert!(caught.is_some(), "{mutation:?} was never caught");
}

#[test]
fn planted_bugs_are_caught() {
    check_caught(Mutation::HashNotCompared);
    check_caught(Mutation::MergeDropsOlder);
    check_caught(Mutation::ManifestBeforeSync);
    check_caught(Mutation::TruncateKeepsFiles);
    check_caught(Mutation::TruncateNotSaved);
    check_caught(Mutation::OpenCutNotSaved);
    check_caught(Mutation::RemoveBeforeSave);
    check_caught(Mutation::OlderManifestWins);
    check_caught(Mutation::GapsNotSaid);
}
