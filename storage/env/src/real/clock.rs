//! The kernel's two clocks.

use crate::{Clock, Monotonic, WallMillis};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The kernel's clocks. Monotonic time counts from the moment of `new`, so
/// values of two `RealClock`s must not be compared: make one and share it.
#[derive(Debug, Clone)]
pub struct RealClock {
    origin: Instant,
}

impl RealClock {
    /// A clock whose monotonic time begins now.
    #[allow(clippy::disallowed_methods, reason = "the one home of Instant::now")]
    pub fn new() -> RealClock {
        RealClock { origin: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock::new()
    }
}

impl Clock for RealClock {
    fn monotonic(&self) -> Monotonic {
        // A u64 of nanoseconds lasts for 584 years of uptime.
        Monotonic(self.origin.elapsed().as_nanos() as u64)
    }

    #[allow(clippy::disallowed_methods, reason = "the one home of SystemTime::now")]
    fn wall(&self) -> WallMillis {
        let now = SystemTime::now();
        WallMillis(match now.duration_since(UNIX_EPOCH) {
            Ok(after) => after.as_millis() as i64,
            // A machine whose battery died may believe in 1969.
            Err(before) => -(before.duration().as_millis() as i64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_the_year_is_plausible() {
        let clock = RealClock::new();
        let first = clock.monotonic();
        assert!(clock.monotonic() >= first);
        assert!(clock.wall() > WallMillis(1_700_000_000_000));
    }
}
