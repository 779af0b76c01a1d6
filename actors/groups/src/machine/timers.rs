//! What will be due when. Setting a timer again moves it.

use pyralog_env::Monotonic;
use std::collections::{BTreeMap, BTreeSet};

/// What a timer is for; groups and members by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A member may have been silent for too long.
    Session(String, String),
    /// A member that was given an id has not come back with it.
    Pending(String, String),
    /// A round of joining ends.
    Round(String),
    /// All members must have asked for their assignment.
    Sync(String),
    /// Time to look for offsets that have expired.
    Retention,
}

/// Timers by their time and by what they are for.
#[derive(Debug, Default)]
pub(super) struct Timers {
    order: BTreeSet<(Monotonic, Timer)>,
    times: BTreeMap<Timer, Monotonic>,
}

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Monotonic) {
        if let Some(before) = self.times.insert(timer.clone(), at) {
            self.order.remove(&(before, timer.clone()));
        }
        self.order.insert((at, timer));
    }

    pub(super) fn cancel(&mut self, timer: &Timer) {
        if let Some((timer, at)) = self.times.remove_entry(timer) {
            self.order.remove(&(at, timer));
        }
    }

    pub(super) fn next(&self) -> Option<Monotonic> {
        self.order.first().map(|(at, _)| *at)
    }

    /// How many are set.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Those that are due now, in order.
    pub(super) fn due(&self, now: Monotonic) -> Vec<(Monotonic, Timer)> {
        self.order.iter().take_while(|(at, _)| *at <= now).cloned().collect()
    }

    /// Takes one out, if it is still set to this time.
    pub(super) fn take(&mut self, at: Monotonic, timer: &Timer) -> bool {
        let is_set = self.times.get(timer) == Some(&at);
        if is_set {
            self.cancel(timer);
        }
        is_set
    }
}
