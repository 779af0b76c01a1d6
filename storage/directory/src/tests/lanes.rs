//! Lanes: no part of the clock is leased twice.

use super::*;
use crate::Mutation;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TERM: u64 = 600_000 << 13;

fn starting(nodes: u32) -> Directory {
    let mut directory = cluster(nodes);
    for node in 1..=nodes {
        let token = u128::from(node);
        apply(&mut directory, &start(&format!("n{node}"), token, &[], token)).unwrap();
    }
    directory
}

fn leased(directory: &mut Directory, command: &Command) -> (u16, u64, u64) {
    match apply(directory, command).unwrap() {
        Outcome::LaneLeased { lane, from, to } => (lane.number(), from.0, to.0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lane_is_prolonged_and_others_get_others() {
    let mut directory = starting(2);
    assert_eq!(leased(&mut directory, &lease((1, 1), 50, 100)), (0, 100, 100 + TERM));
    assert_eq!(leased(&mut directory, &lease((2, 2), 300, 100)), (1, 300, 300 + TERM));
    assert_eq!(leased(&mut directory, &lease((1, 1), 0, 500)), (0, 100, 500 + TERM));
    // The grantor's clock has gone back: nothing is taken away. One tick tells the
    // grants from each other.
    assert_eq!(leased(&mut directory, &lease((1, 1), 0, 200)), (0, 100, 501 + TERM));
    assert_eq!(directory.clock(), LogicalClock(500));
    // Running ahead and asking does not prolong by more than that.
    assert_eq!(leased(&mut directory, &lease((1, 1), TERM, 500)), (0, 100, 502 + TERM));
}

#[test]
fn only_the_present_start_has_a_lane() {
    let mut directory = starting(2);
    let fenced = DirectoryError::NotThePresentStart;
    for holder in [(1, 0), (1, 2), (3, 3), (0, 0)] {
        assert_eq!(refused(&directory, lease(holder, 0, 0)), fenced, "{holder:?}");
    }
    assert_eq!(refused(&cluster(1), lease((1, 0), 0, 0)), fenced, "it never started");
    leased(&mut directory, &lease((1, 1), 0, 100));
    apply(&mut directory, &start("n1", 1, &[1], 5)).unwrap();
    assert_eq!(refused(&directory, lease((1, 1), 0, 100)), fenced);
    let (lane, from, _) = leased(&mut directory, &lease((1, 3), 4000, 100));
    assert_eq!((lane, from), (1, 4000), "the lane of the start before is still leased");
    let term = refused(
        &directory,
        Command::LeaseLane {
            node: NodeNumber(1),
            incarnation: Incarnation(3),
            floor: LogicalClock(0),
            now: LogicalClock(0),
            term_ms: 0,
        },
    );
    assert_eq!(term, DirectoryError::Term { asked: 0, most: crate::TERM_MS_MAX });
}

#[test]
fn an_obelisk_has_a_lane_beside_that_of_its_node() {
    let mut directory = starting(1);
    assert_eq!(leased(&mut directory, &lease((1, 1), 0, 100)).0, 0);
    assert_eq!(leased(&mut directory, &lease((0, 1), 0, 100)).0, 1);
    assert_eq!(leased(&mut directory, &lease((0, 1), 0, 200)).0, 1);
    assert_eq!(Directory::restore(&directory.snapshot()).unwrap(), directory);
    let fenced = refused(&directory, lease((0, 2), 0, 100));
    assert_eq!(fenced, DirectoryError::NotThePresentStart);
    let mut pyramid = start("p", 9, &[], 9);
    if let Command::StartNode { roles, .. } = &mut pyramid {
        roles.obelisk = false;
    }
    apply(&mut directory, &pyramid).unwrap();
    leased(&mut directory, &lease((2, 2), 0, 100));
    assert_eq!(refused(&directory, lease((0, 2), 0, 100)), fenced, "it is no Obelisk");
}

#[test]
fn a_lane_given_back_is_free_from_what_was_used() {
    let mut directory = starting(2);
    leased(&mut directory, &lease((1, 1), 0, 100));
    let lane = Lane::new(0).unwrap();
    let to = 100 + TERM;
    for (holder, used_to, expect) in [
        ((2, 2), 200, DirectoryError::LaneNotHeld(lane)),
        ((1, 1), 99, DirectoryError::LaneUse(lane)),
        ((1, 1), to + 1, DirectoryError::LaneUse(lane)),
    ] {
        assert_eq!(refused(&directory, release(holder, 0, to, used_to)), expect);
    }
    let good = release((1, 1), 0, to, 900);
    assert_eq!(apply(&mut directory, &good), Ok(Outcome::LaneReleased));
    assert_eq!(refused(&directory, good), DirectoryError::LaneNotHeld(lane));
    assert_eq!(directory.lanes().next().unwrap().to, LogicalClock(900));
}

/// It was asked before, and comes after the same start has leased the lane again,
/// be it in the same moment.
#[test]
fn a_late_release_does_not_take_a_newer_grant_away() {
    let mut directory = starting(1);
    let lane = Lane::new(0).unwrap();
    let (.., first) = leased(&mut directory, &lease((1, 1), 0, 100));
    let late = release((1, 1), 0, first, 900);
    for now in [100, 50, 2_000] {
        let (.., to) = leased(&mut directory, &lease((1, 1), 0, now));
        assert!(to > first);
        assert_eq!(refused(&directory, late.clone()), DirectoryError::LaneGrantOld(lane));
    }
    let (.., to) = leased(&mut directory, &lease((1, 1), 0, 3_000));
    apply(&mut directory, &release((1, 1), 0, to, 900)).unwrap();
    // Given back and leased anew, it is another grant as well.
    leased(&mut directory, &lease((1, 1), 0, 4_000));
    assert!(matches!(apply(&mut directory, &late), Err(DirectoryError::LaneNotHeld(_))));
}

#[test]
fn when_all_are_leased_the_first_that_ends_is_next() {
    let nodes = u32::from(Lane::COUNT) + 1;
    let mut directory = starting(nodes);
    for node in 1..nodes {
        let now = if node == 7 { 0 } else { 100 };
        let (lane, ..) = leased(&mut directory, &lease((node, u64::from(node)), 0, now));
        assert_eq!(u32::from(lane), node - 1);
    }
    let last = (nodes, u64::from(nodes));
    let exhausted = refused(&directory, lease(last, 0, 100));
    let expect = DirectoryError::LanesExhausted { lanes: 1024, free_in_ms: 600_000 };
    assert_eq!(exhausted, expect);
    apply(&mut directory, &release((9, 9), 8, 100 + TERM, 8292)).unwrap();
    let soon = refused(&directory, lease(last, 0, 100));
    assert_eq!(soon, DirectoryError::LanesExhausted { lanes: 1024, free_in_ms: 1 });
    assert_eq!(leased(&mut directory, &lease(last, 0, 9000)), (8, 9000, 9000 + TERM));
    apply(&mut directory, &release(last, 8, 9000 + TERM, 9000 + TERM)).unwrap();
    let (lane, from, _) = leased(&mut directory, &lease(last, 0, 100 + TERM));
    assert_eq!((lane, from), (0, 100 + TERM), "of equals the lowest");
}

#[test]
fn at_the_end_of_the_clock_there_is_nothing_to_lease() {
    let mut directory = starting(2);
    let end = LogicalClock::MAX.0;
    let (_, from, to) = leased(&mut directory, &lease((1, 1), end - 1, 0));
    assert_eq!((from, to), (end - 1, end));
    assert!(matches!(
        refused(&directory, lease((2, 2), end, 0)),
        DirectoryError::LanesExhausted { .. }
    ));
    refused(&directory, lease((2, 2), u64::MAX, 0));
}

#[derive(Debug, Clone)]
enum Deed {
    Lease { node: u32, floor: u64, now: u64 },
    Release { node: u32, used: u64 },
    Restart { node: u32 },
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let clock = 0u64..4 * TERM;
    prop_oneof![
        6 => (1u32..6, clock.clone(), clock)
            .prop_map(|(node, floor, now)| Deed::Lease { node, floor, now }),
        2 => (1u32..6, 0u64..2 * TERM).prop_map(|(node, used)| Deed::Release { node, used }),
        1 => (1u32..6).prop_map(|node| Deed::Restart { node }),
    ]
}

/// Plays `deeds` and says whether any part of any lane was leased to two starts.
fn overlaps(deeds: &[Deed], mutation: Option<Mutation>) -> bool {
    let mut directory = starting(5);
    directory.plant(mutation);
    // By lane: the parts that were ever granted, and to which start.
    let mut parts: BTreeMap<u16, Vec<(u64, u64, u64)>> = BTreeMap::new();
    for (step, deed) in deeds.iter().enumerate() {
        let start_of = |directory: &Directory, node| {
            directory.node(NodeNumber(node)).map_or(0, |node| node.incarnation.0)
        };
        match *deed {
            Deed::Lease { node, floor, now } => {
                let holder = start_of(&directory, node);
                let outcome = apply(&mut directory, &lease((node, holder), floor, now));
                if let Ok(Outcome::LaneLeased { lane, from, to }) = outcome {
                    let granted = parts.entry(lane.number()).or_default();
                    granted.retain(|(other, ..)| *other != holder);
                    granted.push((holder, from.0, to.0));
                }
            }
            Deed::Release { node, used } => {
                let start = start_of(&directory, node);
                let held = directory
                    .lanes()
                    .find(|entry| entry.holder == Some((NodeNumber(node), Incarnation(start))));
                let Some(held) = held.copied() else { continue };
                let used_to = (held.from.0 + used).min(held.to.0);
                let lane = held.lane.number();
                let release = release((node, start), lane, held.to.0, used_to);
                apply(&mut directory, &release).unwrap();
                let granted = parts.get_mut(&lane).unwrap();
                // What was not used is as if it had never been granted.
                granted.iter_mut().filter(|part| part.0 == start).for_each(|part| {
                    part.2 = used_to;
                    part.0 = u64::MAX - step as u64;
                });
            }
            Deed::Restart { node } => {
                let token = directory.node(NodeNumber(node)).and_then(|node| node.token);
                let (name, last) = (format!("n{node}"), token.unwrap().0);
                let next = 1_000 + step as u128;
                apply(&mut directory, &start(&name, u128::from(node), &[last], next)).unwrap();
            }
        }
    }
    parts.values_mut().any(|parts| {
        parts.sort_unstable_by_key(|(_, from, to)| (*from, *to));
        parts.windows(2).any(|pair| pair[0].2 > pair[1].1)
    })
}

proptest! {
    #[test]
    fn no_part_of_a_lane_is_leased_twice(deeds in proptest::collection::vec(any_deed(), 0..120)) {
        prop_assert!(!overlaps(&deeds, None));
    }
}

#[test]
fn the_planted_bug_is_seen() {
    let deeds: Vec<Deed> = (1..3).map(|node| Deed::Lease { node, floor: 0, now: 0 }).collect();
    assert!(!overlaps(&deeds, None));
    assert!(overlaps(&deeds, Some(Mutation::LaneReissued)));
}
