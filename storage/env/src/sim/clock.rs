//! A clock that stands still until a test moves it.

use crate::{Clock, Monotonic, WallMillis};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Both times under a test's control. Monotonic time begins at 0.
#[derive(Debug, Default)]
pub struct SimClock {
    monotonic_nanos: AtomicU64,
    wall_micros: AtomicI64,
}

impl SimClock {
    /// A clock that shows `wall`.
    pub fn new(wall: WallMillis) -> SimClock {
        let clock = SimClock::default();
        clock.set_wall(wall);
        clock
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.monotonic_nanos.fetch_add(nanos, Ordering::SeqCst);
        // Microseconds, so that many small steps are not rounded away.
        self.wall_micros.fetch_add((nanos / 1_000) as i64, Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an operator or a time server would.
    pub fn set_wall(&self, wall: WallMillis) {
        self.wall_micros.store(wall.0.saturating_mul(1_000), Ordering::SeqCst);
    }

    /// Moves the wall clock alone, forward or back, by milliseconds.
    pub fn jump_wall(&self, millis: i64) {
        self.wall_micros.fetch_add(millis.saturating_mul(1_000), Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn monotonic(&self) -> Monotonic {
        Monotonic(self.monotonic_nanos.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallMillis {
        WallMillis(self.wall_micros.load(Ordering::SeqCst).div_euclid(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_jumps_and_the_monotonic_clock_does_not() {
        let clock = SimClock::new(WallMillis(1_000));
        clock.advance(Duration::from_millis(5));
        clock.jump_wall(-500);
        assert_eq!(clock.wall(), WallMillis(505));
        assert_eq!(clock.monotonic(), Monotonic(5_000_000));
    }
}
