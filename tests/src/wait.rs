//! Waiting for something to become true, never for time to pass.

use std::thread;
use std::time::{Duration, Instant};

/// How often a condition is asked again. Short against everything waited for.
const PAUSE: Duration = Duration::from_millis(2);

/// Asks `condition` until it gives a value or `patience` is over.
pub fn until<T>(patience: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

/// Asks `condition` until it holds; whether it did within `patience`.
pub fn holds(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    until(patience, || condition().then_some(())).is_some()
}
