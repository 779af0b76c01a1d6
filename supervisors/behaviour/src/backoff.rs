//! How long to wait before the next attempt.
//!
//! The first restart comes almost at once, because most crashes are chance.
//! Each failure in a row doubles the wait, so that a child which cannot start
//! costs next to nothing. A child that has been up for as long as the longest
//! wait counts as healthy again, and its failures are forgotten.

use std::time::Duration;

/// Waits between restarts: `first`, doubled per consecutive failure, at most `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait, and the time up after which a child is healthy again.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { first: Duration::from_millis(10), max: Duration::from_secs(5) }
    }
}

impl Backoff {
    /// The wait after `failures` consecutive failures; `failures` counts from 1.
    pub fn delay(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }

    /// Whether a child that was up for `up` has left its failures behind.
    pub(crate) fn is_healthy_after(&self, up: Duration) -> bool {
        up >= self.max
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_doubles_from_ten_milliseconds_to_five_seconds() {
        let waits: Vec<u128> =
            (1..=11).map(|failures| Backoff::default().delay(failures).as_millis()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000]);
    }

    proptest! {
        #[test]
        fn waits_never_shrink_and_stay_within_the_bounds(
            first in 0u64..10_000, more in 0u64..100_000, failures in 1u32..u32::MAX,
        ) {
            let backoff = Backoff {
                first: Duration::from_millis(first),
                max: Duration::from_millis(first + more),
            };
            let wait = backoff.delay(failures);
            prop_assert!(backoff.first <= wait && wait <= backoff.max);
            prop_assert!(wait <= backoff.delay(failures.saturating_add(1)));
        }
    }
}
