//! A clock that follows the wall and never goes back, over restarts too if its
//! floor is kept.
//!
//! While the wall goes back, or stands, it goes on at the pace of the monotonic
//! clock. A wall that jumps ahead would take it along for good, so a large step is
//! followed only when it has lasted: whoever set the clock by mistake has some
//! minutes to set it right.
//!
//! ```text
//!   wall                ┌──── a day ahead ────┐
//!            ───────────┘                     └────────────     not followed
//!   wall                ┌──── 10 minutes and more ─────────
//!            ───────────┘                       └─ followed
//! ```

use pyralog_env::{Monotonic, WallMillis};
use std::time::Duration;

/// A wall that is ahead by no more is followed at once.
const STEP_MS: u64 = 60_000;
/// One that is ahead by more is followed when it has been for so long.
const STEP_LASTS: Duration = Duration::from_secs(600);

/// Milliseconds since 1970 that never go back.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    /// The time at `at`, and since then at the monotonic clock's pace.
    base_ms: u64,
    at: Monotonic,
    /// The wall was read before: without an earlier reading there is no step.
    has_read: bool,
    step: Option<Step>,
}

/// A wall that is ahead and not followed yet.
#[derive(Debug, Clone, Copy)]
struct Step {
    since: Monotonic,
    /// By how much it has been ahead at the least.
    ahead_ms: u64,
}

impl SteadyClock {
    /// A clock that shows at least `floor_ms` from `at` on. The first wall that it
    /// is told is followed, whatever it says.
    pub fn new(floor_ms: u64, at: Monotonic) -> SteadyClock {
        SteadyClock { base_ms: floor_ms, at, has_read: false, step: None }
    }

    /// The time, in milliseconds since 1970, when the wall says `wall`.
    pub fn now(&mut self, wall: WallMillis, at: Monotonic) -> u64 {
        let wall_ms = u64::try_from(wall.0).unwrap_or(0);
        let steady = self.elapsed(at);
        let ahead_ms = wall_ms.saturating_sub(steady);
        let is_first = !std::mem::replace(&mut self.has_read, true);
        if is_first || ahead_ms <= STEP_MS {
            self.step = None;
            return self.raise_to(wall_ms, at);
        }
        let step = self.step.get_or_insert(Step { since: at, ahead_ms });
        step.ahead_ms = step.ahead_ms.min(ahead_ms);
        let Step { since, ahead_ms: lasting_ms } = *step;
        if at.since(since) < STEP_LASTS {
            return steady;
        }
        // What is beyond that is another step, and has begun now.
        self.step = None;
        let now = self.raise_to(steady.saturating_add(lasting_ms), at);
        if wall_ms - now > STEP_MS {
            self.step = Some(Step { since: at, ahead_ms: wall_ms - now });
            return now;
        }
        self.raise_to(wall_ms, at)
    }

    /// The time without a wall: only the monotonic clock counts.
    pub fn elapsed(&self, at: Monotonic) -> u64 {
        let millis = at.since(self.at).as_millis();
        self.base_ms.saturating_add(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// Lets it show at least `floor_ms` from `at` on, and returns what it shows.
    pub fn raise_to(&mut self, floor_ms: u64, at: Monotonic) -> u64 {
        let steady = self.elapsed(at);
        // The base stays where it is otherwise: parts of a millisecond add up.
        if floor_ms > steady {
            (self.base_ms, self.at) = (floor_ms, at.max(self.at));
        }
        floor_ms.max(steady)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back() {
        let mut clock = SteadyClock::new(500, Monotonic(0));
        let ms = |millis: u64| Monotonic(millis * 1_000_000);
        // The wall is behind the floor.
        assert_eq!(clock.now(WallMillis(100), ms(10)), 510);
        assert_eq!(clock.now(WallMillis(1_000), ms(20)), 1_000);
        // A day back, and a time before 1970.
        assert_eq!(clock.now(WallMillis(1_000 - 86_400_000), ms(25)), 1_005);
        assert_eq!(clock.now(WallMillis(-5), ms(25)), 1_005);
        // The same millisecond again and again.
        assert_eq!(clock.now(WallMillis(1_006), ms(25)), 1_006);
        assert_eq!(clock.now(WallMillis(1_006), ms(27)), 1_008);
        assert_eq!(clock.elapsed(ms(30)), 1_011);
    }

    const DAY_MS: u64 = 86_400_000;

    fn told(clock: &mut SteadyClock, seconds: u64, ahead_ms: u64) -> u64 {
        let wall = 1_000_000 + seconds * 1_000 + ahead_ms;
        let now = clock.now(WallMillis(wall as i64), Monotonic(seconds * 1_000_000_000));
        // By how much it has followed the wall's steps.
        now - 1_000_000 - seconds * 1_000
    }

    #[test]
    fn a_large_step_is_followed_when_it_has_lasted() {
        let mut clock = SteadyClock::new(0, Monotonic(0));
        assert_eq!(told(&mut clock, 0, 0), 0, "the first is followed");
        assert_eq!(told(&mut clock, 1, 60_000), 60_000, "a small one at once");
        let ahead = 60_000 + DAY_MS;
        assert_eq!(told(&mut clock, 10, ahead), 60_000);
        assert_eq!(told(&mut clock, 609, ahead), 60_000);
        assert_eq!(told(&mut clock, 610, ahead), ahead);
        assert_eq!(told(&mut clock, 611, 0), ahead, "and never taken back");
    }

    #[test]
    fn a_step_that_is_put_right_leaves_nothing() {
        let mut clock = SteadyClock::new(0, Monotonic(0));
        told(&mut clock, 0, 30);
        for again in 0..10 {
            let from = 1 + again * 700;
            assert_eq!(told(&mut clock, from, 64 * 365 * DAY_MS), 30);
            assert_eq!(told(&mut clock, from + 599, 64 * 365 * DAY_MS), 30);
            assert_eq!(told(&mut clock, from + 650, 30), 30);
        }
    }

    #[test]
    fn what_has_not_lasted_is_not_followed_with_what_has() {
        let mut clock = SteadyClock::new(0, Monotonic(0));
        told(&mut clock, 0, 0);
        told(&mut clock, 1, DAY_MS);
        told(&mut clock, 500, 2 * DAY_MS);
        // A day has lasted; of the years nobody can tell.
        assert_eq!(told(&mut clock, 700, 5_000 * DAY_MS), DAY_MS);
        assert_eq!(told(&mut clock, 1_299, 5_000 * DAY_MS), DAY_MS);
        assert_eq!(told(&mut clock, 1_300, 5_000 * DAY_MS), 5_000 * DAY_MS);
    }

    #[test]
    fn a_floor_is_no_step() {
        let mut clock = SteadyClock::new(0, Monotonic(0));
        told(&mut clock, 0, 0);
        clock.raise_to(1_000_000 + DAY_MS, Monotonic(0));
        assert_eq!(told(&mut clock, 1, 0), DAY_MS);
        // The wall catches up with it.
        assert_eq!(told(&mut clock, 2, DAY_MS + 50_000), DAY_MS + 50_000);
    }

    #[test]
    fn parts_of_a_millisecond_add_up() {
        let mut clock = SteadyClock::new(0, Monotonic(0));
        for tenth in 1..=100 {
            clock.now(WallMillis(0), Monotonic(tenth * 100_000));
        }
        assert_eq!(clock.elapsed(Monotonic(10_000_000)), 10);
    }
}
