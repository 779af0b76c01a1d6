//! Single stories that deserve a name.

use super::*;
use crate::Backoff;

const OFTEN: Intensity = Intensity { restarts_max: 100, period: Duration::from_secs(10) };

fn check(strategy: Strategy, failed: u64, expect: &[&str]) {
    let mut world = World::of(strategy, &[Restart::Permanent; 4], OFTEN);
    world.crash(failed, Exit::Abnormal);
    world.settle();
    assert_eq!(world.log, expect, "{} with child {failed} failed", strategy.name());
}

#[test]
fn stops_run_backwards_and_starts_forwards() {
    check(Strategy::OneForOne, 1, &["+1"]);
    check(Strategy::RestForOne, 1, &["-3", "-2", "+1", "+2", "+3"]);
    check(Strategy::OneForAll, 1, &["-3", "-2", "-0", "+0", "+1", "+2", "+3"]);
}

#[test]
fn a_group_waits_for_the_backoff_of_the_one_that_failed() {
    let mut world = World::of(Strategy::OneForAll, &[Restart::Permanent; 3], OFTEN);
    world.crash(1, Exit::Abnormal);
    world.crash(2, Exit::Normal);
    world.crash(0, Exit::Normal);
    assert!(world.starting.is_empty(), "child 0 must wait for child 1");
    world.waiting.clear();
    world.step(Input::Elapsed(1));
    assert_eq!(world.log, ["-2", "-0", "+0"]);
}

#[test]
fn waits_double_until_a_healthy_spell() {
    let backoff = Backoff { first: Duration::from_secs(1), max: Duration::from_secs(4) };
    let spec = SupervisorSpec::one_for_one(vec![child(Restart::Permanent).backoff(backoff)])
        .intensity(Intensity::unlimited());
    let mut world = World::new(spec);
    let mut wait_after = |up: u64| {
        world.pass(Duration::from_secs(up));
        world.alive.clear();
        let effects = world.core.step(world.now, Input::Ended(0, Exit::Abnormal));
        world.perform(effects.clone());
        world.settle();
        match effects[0] {
            Effect::Wait(_, wait) => wait.as_secs(),
            other => panic!("{other:?}"),
        }
    };
    let waits: Vec<u64> = [0, 1, 1, 3, 4, 3].map(&mut wait_after).to_vec();
    assert_eq!(waits, [1, 2, 4, 4, 1, 2]);
}

#[test]
fn a_child_that_keeps_failing_is_parked_and_nobody_else_notices() {
    let parked = child(Restart::Permanent).quarantine_after(3);
    let none_allowed = Intensity { restarts_max: 0, period: Duration::from_secs(10) };
    let spec = SupervisorSpec::one_for_one(vec![child(Restart::Permanent), parked]);
    let mut world = World::new(spec.intensity(none_allowed));
    for _ in 0..3 {
        world.crash(1, Exit::Abnormal);
        world.settle();
    }
    assert_eq!(world.quarantined, BTreeSet::from([1]));
    assert_eq!(world.alive, BTreeSet::from([0]));
    assert!(!world.escalated, "quarantine is its limit, not the intensity");
    world.step(Input::Remove(1));
    assert_eq!(world.forgotten, BTreeSet::from([1]));
}

#[test]
fn temporary_children_end_without_consequence() {
    let none_allowed = Intensity { restarts_max: 0, period: Duration::from_secs(10) };
    let mut world = World::new(SupervisorSpec::dynamic().intensity(none_allowed));
    for place in 0..10 {
        world.add(place, &child(Restart::Temporary));
        world.settle();
        world.crash(place, Exit::Abnormal);
    }
    assert_eq!(world.forgotten.len(), 10);
    assert!(!world.escalated);
}

#[test]
fn a_new_child_that_does_not_start_is_forgotten_not_retried() {
    let mut world = World::new(SupervisorSpec::dynamic());
    world.add(0, &child(Restart::Permanent));
    world.fail_to_start(0);
    assert_eq!(world.forgotten, BTreeSet::from([0]));
    assert!(world.waiting.is_empty());
}

#[test]
fn a_removed_child_is_forgotten_only_when_it_is_gone() {
    let mut world = World::of(Strategy::OneForOne, &[Restart::Permanent; 2], OFTEN);
    world.step(Input::Remove(0));
    assert_eq!(world.log, ["-0"]);
    assert!(world.forgotten.is_empty());
    world.settle();
    assert_eq!(world.forgotten, BTreeSet::from([0]));
    assert_eq!(world.log, ["-0"], "it does not come back");
}

#[test]
fn a_start_that_is_overtaken_by_a_siblings_failure_is_begun_again() {
    let mut world = World::of(Strategy::RestForOne, &[Restart::Permanent; 3], OFTEN);
    world.crash(1, Exit::Abnormal);
    world.crash(2, Exit::Normal);
    world.waiting.clear();
    world.step(Input::Elapsed(1));
    assert_eq!(world.starting, BTreeSet::from([1]));
    world.crash(0, Exit::Abnormal);
    world.come_up(1);
    world.settle();
    assert_eq!(world.log, ["-2", "+1", "-1", "+0", "+1", "+2"]);
}
