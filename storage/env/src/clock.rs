//! Time as an argument: one clock that only goes forward and one that follows
//! the world and may jump.

use std::fmt::Debug;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds since some fixed moment of this process. Never goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// Time since `earlier`, zero if it lies ahead.
    pub fn since(self, earlier: Monotonic) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Monotonic {
    type Output = Monotonic;
    fn add(self, duration: Duration) -> Monotonic {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Monotonic(self.0.saturating_add(nanos))
    }
}

impl Sub for Monotonic {
    type Output = Duration;
    fn sub(self, earlier: Monotonic) -> Duration {
        self.since(earlier)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. May jump in both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallMillis(pub i64);

/// A source of both times.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time that never goes back.
    fn monotonic(&self) -> Monotonic;
    /// The time that people and producers mean.
    fn wall(&self) -> WallMillis;
}
