//! A node: its disk, its clocks, and what its present process holds.

use super::grantor::BEGIN_MS;
use crate::chance::Chance;
use pyralog_counter::{BoundFile, LaneClock, SteadyClock};
use pyralog_env::sim::{SimClock, SimDisk};
use pyralog_env::{Clock, WallMillis};
use pyralog_model::{Incarnation, LogicalClock, NodeNumber, StartToken};

/// What a running process holds.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) bound: BoundFile,
    pub(super) lane: Option<LaneClock>,
    pub(super) steady: SteadyClock,
    pub(super) incarnation: Incarnation,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) disk: SimDisk,
    pub(super) clock: SimClock,
    pub(super) number: NodeNumber,
    /// Those that a start presents.
    pub(super) tokens: Vec<StartToken>,
    pub(super) process: Option<Process>,
    /// A copy of an earlier process, which does not know that it is one.
    pub(super) copy: Option<Process>,
}

impl Node {
    pub(super) fn new(number: usize, chance: &Chance) -> Node {
        // Their walls never agreed in the first place.
        let wall = BEGIN_MS as i64 + chance.below(7_200_000) as i64 - 3_600_000;
        Node {
            disk: SimDisk::new(chance.next()),
            clock: SimClock::new(WallMillis(wall)),
            number: NodeNumber(number as u32),
            tokens: Vec::new(),
            process: None,
            copy: None,
        }
    }

    /// The time by which a process of it issues: never the wall's.
    pub(super) fn now(&self, process: &Process) -> LogicalClock {
        LogicalClock::at_unix_ms(process.steady.elapsed(self.clock.monotonic()))
    }

    /// The machine starts again: its monotonic clock begins anew, and what copy of
    /// it there was on its memory is gone.
    pub(super) fn reboot(&mut self) {
        self.process = None;
        self.copy = None;
        self.clock = SimClock::new(self.clock.wall());
    }
}
