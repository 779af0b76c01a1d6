//! The Obelisk's time, by which it grants lanes: it follows the wall and never
//! goes back, not even over a restart, because the directory keeps the last time
//! that was granted by.

use pyralog_counter::SteadyClock;
use pyralog_env::{Clock, WallMillis};
use pyralog_model::LogicalClock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones are the same clock.
#[derive(Debug, Clone)]
pub(crate) struct Steady {
    clock: Arc<dyn Clock>,
    steady: Arc<Mutex<SteadyClock>>,
}

impl Steady {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Steady {
        let steady = SteadyClock::new(0, clock.monotonic());
        Steady { clock, steady: Arc::new(Mutex::new(steady)) }
    }

    /// The present millisecond.
    pub(crate) fn now(&self) -> LogicalClock {
        // The lock first: readings of the clock are then in order.
        let mut steady = self.lock();
        let WallMillis(wall) = self.clock.wall();
        let unix_ms = steady.now(WallMillis(wall), self.clock.monotonic());
        LogicalClock::at_unix_ms(unix_ms)
    }

    /// It shows at least `floor` from now on.
    pub(crate) fn raise_to(&self, floor: LogicalClock) {
        self.lock().raise_to(floor.unix_ms(), self.clock.monotonic());
    }

    fn lock(&self) -> MutexGuard<'_, SteadyClock> {
        self.steady.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
