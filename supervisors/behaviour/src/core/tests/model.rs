//! A thousand random crash histories against a model that knows the rules as
//! the manual tells them: who is restarted, who is not, and when it is enough.

use proptest::prelude::{
    Just, ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::strategy::Strategy as Draw;

use super::*;

/// The manual, executable: no phases, no effects, only who lives after it all.
struct Model {
    strategy: Strategy,
    restarts: Vec<Restart>,
    intensity: Intensity,
    generations: Vec<u64>,
    alive: Vec<bool>,
    instants: Vec<Monotonic>,
    escalated: bool,
}

impl Model {
    fn crash(&mut self, now: Monotonic, failed: usize, exit: Exit) {
        self.alive[failed] = false;
        let comes_back = match self.restarts[failed] {
            Restart::Permanent => true,
            Restart::Transient => exit == Exit::Abnormal,
            Restart::Temporary => false,
        };
        if !comes_back {
            return;
        }
        self.instants.push(now);
        let recent =
            self.instants.iter().filter(|then| now.since(**then) <= self.intensity.period).count();
        if recent > self.intensity.restarts_max as usize {
            self.escalated = true;
            return;
        }
        let group = match self.strategy {
            Strategy::OneForOne => failed..failed + 1,
            Strategy::OneForAll => 0..self.restarts.len(),
            Strategy::RestForOne => failed..self.restarts.len(),
        };
        for member in group {
            let is_back = self.restarts[member] != Restart::Temporary;
            self.alive[member] = is_back;
            self.generations[member] += u64::from(is_back);
        }
    }
}

fn any_strategy() -> impl Draw<Value = Strategy> {
    prop_oneof![Just(Strategy::OneForOne), Just(Strategy::OneForAll), Just(Strategy::RestForOne)]
}

fn any_restart() -> impl Draw<Value = Restart> {
    prop_oneof![
        4 => Just(Restart::Permanent),
        1 => Just(Restart::Transient),
        1 => Just(Restart::Temporary)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_history_of_crashes_ends_as_the_model_says(
        strategy in any_strategy(),
        restarts in prop::collection::vec(any_restart(), 1..7),
        restarts_max in 0u32..8,
        crashes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0u64..4), 1..40),
    ) {
        let intensity = Intensity { restarts_max, period: Duration::from_secs(5) };
        let mut world = World::of(strategy, &restarts, intensity);
        let count = restarts.len();
        let mut model = Model {
            strategy, restarts, intensity,
            generations: vec![1; count],
            alive: vec![true; count],
            instants: Vec::new(),
            escalated: false,
        };
        for (which, is_normal, gap) in crashes {
            let alive: Vec<u64> = world.alive.iter().copied().collect();
            if alive.is_empty() || model.escalated {
                break;
            }
            let failed = *which.get(&alive);
            let exit = if is_normal { Exit::Normal } else { Exit::Abnormal };
            world.pass(Duration::from_secs(gap));
            world.log.clear();
            world.crash(failed, exit);
            world.settle();
            model.crash(world.now, failed as usize, exit);

            prop_assert_eq!(world.escalated, model.escalated);
            if model.escalated {
                break;
            }
            let generations: Vec<u64> = world.generations.values().copied().collect();
            prop_assert_eq!(&generations, &model.generations);
            let alive: Vec<bool> = (0..count as u64).map(|place| world.alive.contains(&place)).collect();
            prop_assert_eq!(&alive, &model.alive);
            prop_assert!(is_in_order(&world.log), "{:?}", world.log);
        }
    }
}

/// Stops from the last to the first, then starts from the first to the last.
fn is_in_order(log: &[String]) -> bool {
    let ranks: Vec<i64> = log
        .iter()
        .map(|entry| {
            let place: i64 = entry[1..].parse().unwrap();
            if entry.starts_with('-') { -1 - place } else { place }
        })
        .collect();
    ranks.is_sorted()
}
