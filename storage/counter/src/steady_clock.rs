//! A clock that follows the wall and never goes back, over restarts too if its
//! floor is kept.
//!
//! While the wall goes back, or stands, it goes on at the pace of the monotonic
//! clock. A wall that jumps ahead takes it along for good: who grants times by it
//! bounds how far.

use pyralog_env::{Monotonic, WallMillis};

/// Milliseconds since 1970 that never go back.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    /// The time at `at`, and since then at the monotonic clock's pace.
    base_ms: u64,
    at: Monotonic,
}

impl SteadyClock {
    /// A clock that shows at least `floor_ms` from `at` on.
    pub fn new(floor_ms: u64, at: Monotonic) -> SteadyClock {
        SteadyClock { base_ms: floor_ms, at }
    }

    /// The time, in milliseconds since 1970, when the wall says `wall`.
    pub fn now(&mut self, wall: WallMillis, at: Monotonic) -> u64 {
        self.raise_to(u64::try_from(wall.0).unwrap_or(0), at)
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
            *self = SteadyClock { base_ms: floor_ms, at: at.max(self.at) };
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

    #[test]
    fn parts_of_a_millisecond_add_up() {
        let mut clock = SteadyClock::new(0, Monotonic(0));
        for tenth in 1..=100 {
            clock.now(WallMillis(0), Monotonic(tenth * 100_000));
        }
        assert_eq!(clock.elapsed(Monotonic(10_000_000)), 10);
    }
}
