//! The counters that somebody holds a handle of. Others take no memory.

use crate::counter_handle::Counter;
use pyralog_model::CounterNumber;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Forgotten counters are looked for when this many were added since.
const SWEEP_MIN: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Active {
    counters: HashMap<u64, Weak<Counter>>,
    sweep_at: usize,
}

impl Active {
    pub(super) fn get(&self, number: CounterNumber) -> Option<Arc<Counter>> {
        self.counters.get(&number.0)?.upgrade()
    }

    pub(super) fn insert(&mut self, counter: &Arc<Counter>) {
        if self.counters.len() >= self.sweep_at {
            self.counters.retain(|_, counter| counter.strong_count() > 0);
            self.sweep_at = SWEEP_MIN + 2 * self.counters.len();
        }
        self.counters.insert(counter.number.0, Arc::downgrade(counter));
    }

    pub(super) fn each(&self, mut act: impl FnMut(&Counter)) {
        self.counters.values().filter_map(Weak::upgrade).for_each(|counter| act(&counter));
    }

    pub(super) fn count(&self) -> usize {
        self.counters.values().filter(|counter| counter.strong_count() > 0).count()
    }
}
