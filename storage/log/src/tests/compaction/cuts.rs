//! The power goes at every operation of a round, and the planted bugs of a round.

use super::directed::written;
use super::*;

/// Cuts after so many operations; then everything that was known must be known still,
/// and a further round must be able to go on.
fn cut(mutation: Option<Mutation>, operations: u64, seed: u64) -> Result<bool, String> {
    let mut world = written(mutation);
    world.rig.disk.arm_crash_at(operations);
    let round = world.round();
    let swept = round.and_then(|_| world.log().sweep());
    let finished = swept.is_ok() && !world.rig.disk.is_off();
    let mut world = world.reboot(seed)?;
    world.now += 2 * DELETE_RETENTION_MS as i64;
    world.put("k7", Some("after"));
    world.seal();
    world.round().map_err(|error| error.to_string())?;
    world.check()?;
    world.reboot(seed + 1)?;
    Ok(finished)
}

/// Cuts in every operation of a round, each with some luck.
fn cuts(mutation: Option<Mutation>) -> Result<u64, String> {
    for operations in 0.. {
        let mut finished = true;
        for seed in 0..5 {
            finished &= cut(mutation, operations, seed * 1_000 + operations)?;
        }
        if finished {
            return Ok(operations);
        }
    }
    unreachable!("a round ends")
}

#[test]
fn power_cuts_leave_the_old_files_or_the_new_one() {
    let operations = cuts(None).unwrap();
    assert!(operations > 30, "only {operations} operations were cut");
}

#[test]
fn files_that_go_before_the_manifest_says_so_are_missed() {
    let found = cuts(Some(Mutation::UnlinkBeforeManifest)).unwrap_err();
    assert!(found.contains("missing"), "{found}");
}

#[test]
fn a_file_that_is_named_before_it_is_synced_is_missed() {
    cuts(Some(Mutation::ManifestBeforeSync)).unwrap_err();
}

/// Rounds over two states of a key, the later one with the earlier time.
fn rounds_over_time(mutation: Option<Mutation>) -> Result<(), String> {
    let mut world = World::new(mutation);
    world.put("k", Some("first"));
    world.now -= 500;
    world.put("k", Some("second"));
    world.seal();
    world.round().map_err(|error| error.to_string())?;
    world.check()
}

/// Two rounds over a mark of deletion, at once one after the other.
fn rounds_over_a_mark(mutation: Option<Mutation>) -> Result<(), String> {
    let mut world = World::new(mutation);
    world.put("k", Some("value"));
    world.put("k", None);
    world.seal();
    for _ in 0..2 {
        world.round().map_err(|error| error.to_string())?;
        world.check()?;
        world.put("other", Some("x"));
        world.seal();
    }
    Ok(())
}

/// A round below the watermark, and then what is above it is cut back.
fn rounds_below_a_cut(mutation: Option<Mutation>) -> Result<(), String> {
    let mut world = World::new(mutation);
    world.put("k", Some("committed"));
    world.seal();
    world.put("k", Some("not yet"));
    world.seal();
    world.round_for(u64::MAX, Offset(1)).map_err(|error| error.to_string())?;
    world.rig.truncate(P, 1).map_err(|error| error.to_string())?;
    world.ledger.cut(1);
    world.check()
}

/// A round that makes one file of several.
fn rounds_over_neighbours(mutation: Option<Mutation>) -> Result<(), String> {
    let mut world = written(mutation);
    world.round().map_err(|error| error.to_string())?;
    world.check()
}

#[test]
fn planted_bugs_of_a_round_are_found() {
    type Scenario = fn(Option<Mutation>) -> Result<(), String>;
    let scenarios: [(Mutation, Scenario, &str); 4] = [
        (Mutation::CompactionByTime, rounds_over_time, "the last one of 'k', is gone"),
        (Mutation::TombstoneTooEarly, rounds_over_a_mark, "gone too early"),
        (Mutation::CompactionAboveWatermark, rounds_below_a_cut, "outside"),
        (Mutation::HalfReplaced, rounds_over_neighbours, "is found from"),
    ];
    for (mutation, scenario, expect) in scenarios {
        scenario(None).unwrap();
        let found = scenario(Some(mutation)).unwrap_err();
        assert!(found.contains(expect), "{mutation:?}: {found}");
    }
}
