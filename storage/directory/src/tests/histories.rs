//! Digests of the way a directory came: the same for all who came it, another one
//! for whoever went back and on from there.

use super::*;
use crate::{Holding, Known};
use pyralog_model::CounterMode;

/// A cluster that has gone on for so many commands, of which `flavour` makes
/// different ones.
fn gone_on(mut directory: Directory, flavour: u64, to: u64) -> Directory {
    while directory.last_index() < to {
        let command = match directory.last_index() % 3 {
            0 => counter("same", CounterMode::Exact),
            // Refused, and part of the history all the same.
            _ => delete(1_000 + flavour),
        };
        let _ = apply(&mut directory, &command);
    }
    directory
}

fn known_at(index: u64) -> Known {
    gone_on(cluster(0), 0, index).known()
}

#[test]
fn the_digests_stay() {
    assert_eq!(Directory::default().known(), Known::default());
    let directory = gone_on(cluster(0), 0, 300);
    let known = directory.known();
    assert_eq!((known.index, known.checkpoint_index), (300, 256));
    // Other digests would make every copy that there is a stranger.
    assert_eq!((known.digest, known.checkpoint_digest), (DIGEST_300, DIGEST_256));
}

const DIGEST_300: u64 = 3_565_612_758_186_039_666;
const DIGEST_256: u64 = 16_539_926_005_600_195_853;

#[test]
fn who_follows_is_held_and_who_is_ahead_is_not() {
    let directory = gone_on(cluster(0), 0, 600);
    for index in [1, 2, 255, 256, 257, 511, 512, 599, 600] {
        assert_eq!(directory.holds(&known_at(index)), Holding::Yes, "{index}");
        let wrong = Known { digest: 7, ..known_at(index) };
        assert_eq!(directory.holds(&wrong), Holding::No, "{index}");
    }
    assert_eq!(directory.holds(&Known::default()), Holding::Yes, "nothing is everybody's");
    assert_eq!(directory.holds(&known_at(601)), Holding::No);
    let impossible = Known { checkpoint_index: 200, ..known_at(100) };
    assert_eq!(directory.holds(&impossible), Holding::No);
}

#[test]
fn who_went_back_and_on_is_another_also_when_it_has_come_further() {
    let follower = gone_on(cluster(0), 0, 100);
    let back = gone_on(cluster(0), 0, 60);
    assert_eq!(back.holds(&follower.known()), Holding::No);
    for to in [100, 101, 400, 8_000] {
        let other = gone_on(back.clone(), 1, to);
        assert_eq!(other.holds(&follower.known()), Holding::No, "{to}");
        let kept = Directory::restore(&other.snapshot()).unwrap();
        assert_eq!(kept.holds(&follower.known()), Holding::No, "{to}, from a snapshot");
    }
}

#[test]
fn of_what_is_long_ago_the_checkpoints_tell() {
    let same = gone_on(cluster(0), 0, 20_000);
    let other = gone_on(gone_on(cluster(0), 0, 60), 1, 20_000);
    for index in [256, 300, 5_000, 11_000, 11_775] {
        assert_eq!(same.holds(&known_at(index)), Holding::Yes, "{index}");
        assert_eq!(other.holds(&known_at(index)), Holding::No, "{index}");
    }
    // The last 8,192 are exact: the checkpoint below is right, and does not help.
    let exact = 20_000 - 8_191;
    let wrong = Known { digest: 7, ..known_at(exact) };
    assert_eq!(same.holds(&wrong), Holding::No);
    let restored = Directory::restore(&same.snapshot()).unwrap();
    assert_eq!(restored, same);
    assert_eq!(gone_on(restored, 0, 30_000), gone_on(same, 0, 30_000));
}

#[test]
fn before_a_snapshot_without_digests_nothing_is_known() {
    for base in [3, 256, 300] {
        let mut upgraded = gone_on(cluster(0), 0, base);
        upgraded.history = crate::history::History::beginning_at(base);
        assert_eq!(upgraded.holds(&known_at(2)), Holding::Unknown);
        assert_eq!(upgraded.holds(&upgraded.known()), Holding::Yes);
        let at_base = upgraded.known();
        let on = gone_on(upgraded.clone(), 0, 20_000);
        assert_eq!(on.holds(&at_base), Holding::Yes);
        assert_eq!(Directory::restore(&on.snapshot()).unwrap(), on);
        let early = gone_on(upgraded.clone(), 0, base + 2);
        assert_eq!(gone_on(upgraded.clone(), 1, 400).holds(&early.known()), Holding::No);
        assert_eq!(Directory::restore(&early.snapshot()).unwrap(), early);
    }
}

#[test]
fn histories_that_contradict_themselves_are_refused() {
    for (to, begin) in [(300, 0), (20_000, 0), (20_000, 300)] {
        let mut directory = gone_on(cluster(0), 0, begin);
        if begin > 0 {
            directory.history = crate::history::History::beginning_at(begin);
        }
        let bytes = gone_on(directory, 0, to).snapshot();
        // The digests are the last of it: one too few.
        let short = Directory::restore(&bytes[..bytes.len() - 8]);
        assert!(matches!(short, Err(DecodeError::Malformed(_))));
    }
    let directory = gone_on(cluster(0), 0, 300);
    let known = directory.known();
    let mut far = directory.clone();
    far.history = crate::history::History::beginning_at(u64::MAX);
    let last = Directory::restore(&far.snapshot()).unwrap();
    assert_eq!(last.holds(&known), Holding::Unknown);
}
