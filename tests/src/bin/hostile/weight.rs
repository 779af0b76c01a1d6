//! What a connection costs, against what it is allowed.

use crate::ALLOCATOR;
use pyralog_tests::wait;
use std::time::Duration;

const FACTOR: usize = 4;
/// What a connection may cost that sends nothing.
pub const SLACK_BYTES: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(1);

/// What one connection cost.
#[derive(Clone)]
pub struct Weight {
    /// What it may cost beside four times what it sent.
    slack: usize,
    /// Bytes sent to it so far.
    pub received: usize,
    /// Mutations after which it was still open.
    pub answered: usize,
    /// True if one of them closed it.
    pub closed: bool,
    worst: Option<Moment>,
}

/// The most memory since the connection began, and what had been received then.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub peak: usize,
    pub received: usize,
    slack: usize,
}

impl Moment {
    /// Memory beyond what is allowed, in bytes; negative is good.
    pub fn excess(&self) -> i64 {
        self.peak as i64 - (FACTOR * self.received + self.slack) as i64
    }
}

impl Weight {
    /// Nothing yet.
    pub fn new(slack: usize) -> Weight {
        Weight { slack, received: 0, answered: 0, closed: false, worst: None }
    }

    /// Notes the most memory until now.
    pub fn note(&mut self, peak: usize) {
        let now = Moment { peak, received: self.received, slack: self.slack };
        if now.excess() > self.excess() {
            self.worst = Some(now);
        }
    }

    /// Its worst moment.
    pub fn worst(&self) -> Option<Moment> {
        self.worst
    }

    /// Memory beyond what is allowed at its worst moment.
    pub fn excess(&self) -> i64 {
        self.worst.map_or(i64::MIN, |worst| worst.excess())
    }
}

/// Waits until the process has let go of what it lets go of.
pub fn settle() {
    let mut last = usize::MAX;
    wait::holds(PATIENCE, || {
        let now = ALLOCATOR.current_usage();
        let quiet = now >= last;
        last = now;
        quiet
    });
}
