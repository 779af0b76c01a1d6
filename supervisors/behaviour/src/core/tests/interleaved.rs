//! Histories without pauses: children crash while their siblings are being
//! stopped, starts fail or are overtaken, timers fire in between. `World`
//! asserts *one life at a time* and *order* at every effect.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use proptest::sample::Index;

use super::*;

fn act(world: &mut World, action: u8, which: Index, is_good: bool) {
    let pick = |set: &BTreeSet<u64>| {
        let places: Vec<u64> = set.iter().copied().collect();
        (!places.is_empty()).then(|| *which.get(&places))
    };
    match action {
        0 => {
            if let Some(place) = pick(&world.alive) {
                world.crash(place, if is_good { Exit::Normal } else { Exit::Abnormal });
            }
        }
        1 => match pick(&world.starting) {
            Some(place) if is_good => world.come_up(place),
            Some(place) => world.fail_to_start(place),
            None => {}
        },
        2 => {
            if let Some(place) = pick(&world.waiting) {
                world.waiting.remove(&place);
                world.step(Input::Elapsed(place));
            }
        }
        _ => {
            let told: BTreeSet<u64> = world.stopping.intersection(&world.alive).copied().collect();
            if let Some(place) = pick(&told) {
                world.crash(place, Exit::Normal);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_interleaves_everybody_permanent_is_up_in_the_end(
        group in 0usize..3,
        count in 1usize..6,
        restarts_max in 0u32..30,
        actions in prop::collection::vec((0u8..4, any::<Index>(), any::<bool>(), 0u64..3), 0..120),
    ) {
        let strategy = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne][group];
        let intensity = Intensity { restarts_max, period: Duration::from_secs(20) };
        let mut world = World::of(strategy, &vec![Restart::Permanent; count], intensity);
        for (action, which, is_good, gap) in actions {
            world.pass(Duration::from_secs(gap));
            act(&mut world, action, which, is_good);
            if world.escalated {
                let recent = world.restarts.iter()
                    .filter(|then| world.now.since(**then) <= intensity.period).count();
                prop_assert_eq!(recent, restarts_max as usize, "gave up at the right failure");
                return Ok(());
            }
        }
        world.settle();
        prop_assert_eq!(world.alive.len(), count);
    }
}
