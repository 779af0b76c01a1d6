//! How fast it goes, and how it is told to end.

use pyralog_env::{Clock, Monotonic};
use pyralog_log::CompactionOptions;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// How old records are looked after.
#[derive(Debug, Clone, Copy)]
pub struct UpkeepOptions {
    /// How often every partition is looked at.
    pub interval: Duration,
    /// The most bytes that compaction reads and writes in a second.
    pub bytes_per_second_max: u64,
    /// Memory for the keys of a partition that is being compacted, in bytes.
    pub key_bytes_max: usize,
}

impl Default for UpkeepOptions {
    fn default() -> UpkeepOptions {
        UpkeepOptions {
            interval: Duration::from_secs(10),
            bytes_per_second_max: 64 << 20,
            key_bytes_max: 64 << 20,
        }
    }
}

impl UpkeepOptions {
    pub(super) fn compaction(&self) -> CompactionOptions {
        CompactionOptions { key_bytes_max: self.key_bytes_max }
    }
}

/// Told once, and heard by who waits.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    told: Mutex<bool>,
    change: Condvar,
}

impl Stop {
    /// Says that it is time to end.
    pub(crate) fn tell(&self) {
        *self.told.lock().expect("no one panics holding this") = true;
        self.change.notify_all();
    }

    pub(crate) fn is_told(&self) -> bool {
        *self.told.lock().expect("no one panics holding this")
    }

    /// Waits so long, or until it is told. True if it is.
    fn wait(&self, time: Duration) -> bool {
        let told = self.told.lock().expect("no one panics holding this");
        let waited = self.change.wait_timeout_while(told, time, |told| !*told);
        *waited.expect("no one panics holding this").0
    }
}

/// Bytes between two looks at the clock.
const LOOK_BYTES: u64 = 1 << 20;

/// Holds a round to a rate.
pub(super) struct Pace<'a> {
    clock: &'a dyn Clock,
    stop: &'a Stop,
    bytes_per_second_max: u64,
    /// Where the present stretch began.
    since: Monotonic,
    bytes: u64,
}

impl<'a> Pace<'a> {
    pub(super) fn new(clock: &'a dyn Clock, stop: &'a Stop, options: &UpkeepOptions) -> Pace<'a> {
        let bytes_per_second_max = options.bytes_per_second_max.max(1);
        Pace { clock, stop, bytes_per_second_max, since: clock.monotonic(), bytes: 0 }
    }

    /// Waits as long as so many bytes more take. False if it is time to end.
    pub(super) fn take(&mut self, bytes: u64) -> bool {
        self.bytes += bytes;
        if self.bytes < LOOK_BYTES {
            return !self.stop.is_told();
        }
        let due = Duration::from_secs_f64(self.bytes as f64 / self.bytes_per_second_max as f64);
        let took = self.clock.monotonic() - self.since;
        let told = self.stop.wait(due.saturating_sub(took));
        // What was not used is not saved up.
        self.since = self.clock.monotonic();
        self.bytes = 0;
        !told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::WallMillis;
    use pyralog_env::sim::SimClock;
    use std::sync::Arc;

    #[test]
    fn who_waits_hears_that_it_is_time_to_end() {
        let clock: Arc<dyn Clock> = Arc::new(SimClock::new(WallMillis(0)));
        let stop = Stop::default();
        let slow = UpkeepOptions { bytes_per_second_max: 1, ..UpkeepOptions::default() };
        let mut pace = Pace::new(&*clock, &stop, &slow);
        assert!(pace.take(LOOK_BYTES - 1), "a few bytes are not waited for");
        stop.tell();
        assert!(!pace.take(LOOK_BYTES), "twelve days later it would go on");
    }

    #[test]
    fn a_rate_that_is_not_reached_costs_nothing() {
        let clock: Arc<dyn Clock> = Arc::new(SimClock::new(WallMillis(0)));
        let stop = Stop::default();
        let fast = UpkeepOptions { bytes_per_second_max: u64::MAX, ..UpkeepOptions::default() };
        let mut pace = Pace::new(&*clock, &stop, &fast);
        assert!((0..1_000).all(|_| pace.take(LOOK_BYTES)));
    }
}
