//! Calls on a simulated clock, against endpoints that are dead, silent, slow or
//! change their minds.

use super::*;
use CallEffect::{Finish, GiveUp, GiveUpUnknown, Send};

const PATIENCE: Duration = Duration::from_secs(5);

fn at(millis: u64) -> Monotonic {
    Monotonic(millis * 1_000_000)
}

struct Rig {
    endpoints: Endpoints,
    call: Call,
}

impl Rig {
    fn new(count: usize, manner: Manner) -> Rig {
        Rig { endpoints: Endpoints::new(count), call: Call::new(manner, at(0), PATIENCE) }
    }

    fn again(&mut self, manner: Manner, millis: u64) -> Vec<CallEffect> {
        self.call = Call::new(manner, at(millis), PATIENCE);
        self.step(millis, CallInput::Begin)
    }

    fn step(&mut self, millis: u64, input: CallInput) -> Vec<CallEffect> {
        let mut effects = Vec::new();
        self.call.step(at(millis), input, &mut self.endpoints, &mut effects);
        effects
    }

    fn hear(&mut self, millis: u64, place: usize, news: News) -> Vec<CallEffect> {
        self.step(millis, CallInput::Heard { place, news })
    }
}

#[test]
fn an_answer_finishes_and_nobody_else_is_asked() {
    let mut rig = Rig::new(2, Manner::Hedged);
    assert_eq!(rig.step(0, CallInput::Begin), [Send(0)]);
    assert_eq!(rig.call.wake_at(), at(30));
    assert_eq!(rig.step(29, CallInput::Tick), []);
    assert_eq!(rig.hear(29, 0, News::Answer), [Finish(0)]);
}

#[test]
fn a_dead_endpoint_costs_nothing_and_is_asked_last_for_a_while() {
    let mut rig = Rig::new(2, Manner::Hedged);
    rig.step(0, CallInput::Begin);
    assert_eq!(rig.hear(1, 0, News::NotDone), [Send(1)]);
    assert_eq!(rig.hear(2, 1, News::Answer), [Finish(1)]);
    assert_eq!(rig.again(Manner::Hedged, 3), [Send(1)]);
    assert_eq!(rig.again(Manner::Hedged, 600), [Send(0)], "it is tried again later");
}

#[test]
fn a_black_hole_costs_thirty_milliseconds_once() {
    let mut rig = Rig::new(3, Manner::Hedged);
    assert_eq!(rig.step(0, CallInput::Begin), [Send(0)]);
    assert_eq!(rig.step(30, CallInput::Tick), [Send(1)]);
    assert_eq!(rig.hear(31, 1, News::Answer), [Finish(1)]);
    assert_eq!(rig.again(Manner::Hedged, 40), [Send(1)]);
}

#[test]
fn three_black_holes_are_all_asked_and_given_up_at_the_deadline() {
    let mut rig = Rig::new(3, Manner::Hedged);
    assert_eq!(rig.step(0, CallInput::Begin), [Send(0)]);
    assert_eq!(rig.step(30, CallInput::Tick), [Send(1)]);
    assert_eq!(rig.step(60, CallInput::Tick), [Send(2)]);
    assert_eq!(rig.step(90, CallInput::Tick), []);
    assert_eq!(rig.call.wake_at(), at(5_000));
    assert_eq!(rig.step(5_000, CallInput::Tick), [GiveUp]);
    assert_eq!(rig.endpoints.away_since(), Some(at(5_000)));
}

#[test]
fn a_flapping_endpoint_is_waited_for_until_the_deadline() {
    let mut rig = Rig::new(1, Manner::Hedged);
    rig.step(0, CallInput::Begin);
    assert_eq!(rig.hear(0, 0, News::NotDone), []);
    assert_eq!(rig.call.wake_at(), at(20));
    assert_eq!(rig.step(20, CallInput::Tick), [Send(0)]);
    assert_eq!(rig.hear(21, 0, News::NotDone), []);
    assert_eq!(rig.call.wake_at(), at(61), "the pauses grow");
    assert_eq!(rig.step(61, CallInput::Tick), [Send(0)]);
    assert_eq!(rig.hear(62, 0, News::Answer), [Finish(0)]);
}

#[test]
fn a_long_outage_is_told_at_once_and_its_end_is_found() {
    let mut rig = Rig::new(2, Manner::Hedged);
    rig.step(0, CallInput::Begin);
    rig.hear(0, 0, News::NotDone);
    rig.hear(0, 1, News::NotDone);
    assert_eq!(rig.step(5_000, CallInput::Tick), [GiveUp]);
    let first = rig.again(Manner::Hedged, 6_000);
    assert_eq!(first, [Send(0)], "it is asked all the same");
    assert_eq!(rig.hear(6_000, 0, News::NotDone), [Send(1)]);
    assert_eq!(rig.hear(6_000, 1, News::NotDone), [GiveUp]);
    let [Send(place)] = rig.again(Manner::Hedged, 7_000)[..] else { panic!("one is asked") };
    assert_eq!(rig.hear(7_000, place, News::Answer), [Finish(place)]);
    assert_eq!(rig.endpoints.away_since(), None);
}

#[test]
fn what_may_be_carried_out_once_is_never_asked_again_in_doubt() {
    let mut rig = Rig::new(2, Manner::Once);
    assert_eq!(rig.step(0, CallInput::Begin), [Send(0)]);
    assert_eq!(rig.hear(1, 0, News::NotDone), [Send(1)], "surely not carried out");
    assert_eq!(rig.step(100, CallInput::Tick), []);
    assert_eq!(rig.hear(200, 1, News::Unknown), [GiveUpUnknown]);
    rig.again(Manner::Once, 300);
    assert_eq!(rig.step(5_300, CallInput::Tick), [GiveUpUnknown]);
}

#[test]
fn the_leader_is_looked_for_one_after_the_other() {
    let mut rig = Rig::new(2, Manner::InTurn(Duration::from_secs(1)));
    assert_eq!(rig.step(0, CallInput::Begin), [Send(0)]);
    assert_eq!(rig.hear(1, 0, News::Elsewhere), [Send(1)]);
    assert!(rig.endpoints.is_up(0), "who sends us away is alive");
    assert_eq!(rig.step(1_001, CallInput::Tick), []);
    assert_eq!(rig.hear(1_100, 1, News::Answer), [Finish(1)]);
}

#[test]
fn without_endpoints_there_is_nobody_to_ask() {
    let mut rig = Rig::new(0, Manner::Hedged);
    assert_eq!(rig.step(0, CallInput::Begin), []);
    assert_eq!(rig.step(5_000, CallInput::Tick), [GiveUp]);
}
