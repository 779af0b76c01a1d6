//! How many restarts are too many.
//!
//! A restart repairs what chance broke. When restarts pile up, chance is not
//! the cause, and the supervisor should stop trying and let its own supervisor
//! decide with a wider view. The window holds the instants of the last
//! restarts and nothing else.

use std::collections::VecDeque;
use std::time::Duration;

use pyralog_env::Monotonic;

/// The restarts a supervisor allows itself: at most `restarts_max` within `period`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed within the period; one more escalates.
    pub restarts_max: u32,
    /// The length of the sliding window.
    pub period: Duration,
}

impl Intensity {
    /// No limit: for children whose absence is a state and not a failure.
    pub const fn unlimited() -> Intensity {
        Intensity { restarts_max: u32::MAX, period: Duration::ZERO }
    }

    fn is_unlimited(&self) -> bool {
        self.restarts_max == u32::MAX
    }
}

impl Default for Intensity {
    /// Five restarts in ten seconds.
    fn default() -> Intensity {
        Intensity { restarts_max: 5, period: Duration::from_secs(10) }
    }
}

/// The sliding window of one supervisor's restarts.
#[derive(Debug)]
pub(crate) struct RestartWindow {
    intensity: Intensity,
    instants: VecDeque<Monotonic>,
}

impl RestartWindow {
    pub(crate) fn new(intensity: Intensity) -> RestartWindow {
        RestartWindow { intensity, instants: VecDeque::new() }
    }

    /// Counts a restart at `now`; false when it is one too many.
    pub(crate) fn allows(&mut self, now: Monotonic) -> bool {
        if self.intensity.is_unlimited() {
            return true;
        }
        while self.instants.front().is_some_and(|then| now.since(*then) > self.intensity.period) {
            self.instants.pop_front();
        }
        self.instants.push_back(now);
        self.instants.len() <= self.intensity.restarts_max as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(seconds * 1_000_000_000)
    }

    #[test]
    fn none_allowed_means_the_first_restart_is_too_many() {
        let mut window =
            RestartWindow::new(Intensity { restarts_max: 0, period: Duration::from_secs(5) });
        assert!(!window.allows(at(0)));
    }

    #[test]
    fn unlimited_allows_everything_and_keeps_nothing() {
        let mut window = RestartWindow::new(Intensity::unlimited());
        assert!((0..10_000).all(|_| window.allows(at(0))));
        assert!(window.instants.is_empty());
    }

    proptest! {
        /// The model keeps every instant for ever and counts by looking back.
        #[test]
        fn the_window_agrees_with_counting_by_hand(
            restarts_max in 0u32..6,
            period in 1u64..20,
            gaps in prop::collection::vec(0u64..10, 1..60),
        ) {
            let intensity = Intensity { restarts_max, period: Duration::from_secs(period) };
            let mut window = RestartWindow::new(intensity);
            let (mut now, mut history) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                history.push(now);
                let recent = history.iter().filter(|then| now - **then <= period).count();
                prop_assert_eq!(window.allows(at(now)), recent <= restarts_max as usize);
            }
        }
    }
}
