//! The lane's keeping on a simulated clock.

use super::*;
use pyralog_model::Lane;

const PER_MS: u64 = LogicalClock::PER_MILLISECOND;
const MEMBER: (NodeNumber, Incarnation) = (NodeNumber(1), Incarnation(7));

fn at(millis: u64) -> Monotonic {
    Monotonic(millis * 1_000_000)
}

fn clock(millis: u64) -> LogicalClock {
    LogicalClock(millis * PER_MS)
}

fn grant(now: u64, to: u64) -> LaneGrant {
    LaneGrant { lane: Lane::new(3).unwrap(), from: clock(now), to: clock(to), now: clock(now) }
}

struct Rig(Keeping);

impl Rig {
    fn step(&mut self, millis: u64, input: KeepingInput) -> Vec<KeepingEffect> {
        let mut effects = Vec::new();
        self.0.step(at(millis), input, &mut effects);
        effects
    }

    fn joined(bound: LogicalClock) -> (Rig, Vec<KeepingEffect>) {
        let mut rig = Rig(Keeping::new(bound));
        let (node, incarnation) = MEMBER;
        let effects = rig.step(0, KeepingInput::Joined { node, incarnation });
        (rig, effects)
    }
}

fn lease(floor: LogicalClock) -> KeepingEffect {
    KeepingEffect::Lease { node: MEMBER.0, incarnation: MEMBER.1, floor }
}

#[test]
fn a_member_leases_at_once_above_what_it_may_have_issued() {
    let (mut rig, effects) = Rig::joined(LogicalClock(5 * PER_MS + 1));
    let floor = clock(6);
    assert_eq!(effects, [lease(floor)], "a whole millisecond, whatever lane it will be");
    let grant = grant(10, 600_010);
    let effects = rig.step(1, KeepingInput::Granted(grant));
    assert_eq!(effects, [KeepingEffect::Use { grant, floor }]);
    assert_eq!(rig.0.wake_at(), Some(at(300_001)), "half of the term");
    assert_eq!(rig.step(300_000, KeepingInput::Tick), []);
    assert_eq!(rig.step(300_001, KeepingInput::Tick), [lease(floor)]);
    assert_eq!(rig.step(300_002, KeepingInput::Tick), [], "one question at a time");
}

#[test]
fn bounds_are_raised_ahead_one_at_a_time_and_only_when_wanted() {
    let (mut rig, _) = Rig::joined(clock(0));
    rig.step(1, KeepingInput::Granted(grant(10, 600_010)));
    let wanted = |latest| KeepingInput::Wanted { latest };
    assert_eq!(rig.step(2, wanted(clock(10))), [KeepingEffect::Raise(clock(2_010))]);
    assert_eq!(rig.step(3, wanted(clock(11))), []);
    assert_eq!(rig.step(4, KeepingInput::Raised), [KeepingEffect::SetDurable(clock(2_010))]);
    assert_eq!(rig.step(4, wanted(clock(10))), [], "it is there already");
    let later = LogicalClock(clock(1_020).0 + 5);
    assert_eq!(rig.step(5, wanted(later)), [KeepingEffect::Raise(clock(3_021))]);
    assert_eq!(rig.step(6, KeepingInput::NotRaised), [KeepingEffect::Stalled]);
    assert_eq!(rig.step(7, wanted(later)), [KeepingEffect::Raise(clock(3_021))], "tried again");
}

#[test]
fn a_lease_is_asked_for_again_while_nobody_answers_more_and_more_seldom() {
    let (mut rig, _) = Rig::joined(clock(0));
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert_eq!(rig.step(now, KeepingInput::NotGranted), []);
        let wake = rig.0.wake_at().unwrap().0 / 1_000_000;
        waits.push(wake - now);
        now = wake;
        assert_eq!(rig.step(now, KeepingInput::Tick), [lease(clock(0))]);
    }
    assert_eq!(waits, [50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    rig.step(now, KeepingInput::Granted(grant(10, 600_010)));
    assert_eq!(rig.0.wake_at(), Some(at(now + 300_000)));
}

#[test]
fn a_floor_counts_a_bound_that_may_be_in_use_a_moment_later() {
    let (mut rig, _) = Rig::joined(clock(0));
    rig.step(1, KeepingInput::Granted(grant(10, 110)));
    rig.step(2, KeepingInput::Wanted { latest: clock(10) });
    assert_eq!(rig.step(101, KeepingInput::Tick), [lease(clock(2_010))]);
}

#[test]
fn after_another_start_or_a_failed_sync_nothing_is_issued_any_more() {
    for end in [KeepingInput::Fenced, KeepingInput::RaiseFailed] {
        let (mut rig, _) = Rig::joined(clock(0));
        assert_eq!(rig.step(1, end), [KeepingEffect::Close]);
        assert_eq!(rig.step(2, KeepingInput::Wanted { latest: clock(1) }), []);
        assert_eq!(rig.step(3, KeepingInput::Granted(grant(10, 20))), []);
        assert_eq!(rig.0.wake_at(), None);
    }
}

#[test]
fn being_told_twice_of_the_same_membership_is_nothing_new() {
    let (mut rig, _) = Rig::joined(clock(0));
    rig.step(1, KeepingInput::Granted(grant(10, 600_010)));
    let (node, incarnation) = MEMBER;
    assert_eq!(rig.step(2, KeepingInput::Joined { node, incarnation }), []);
}
