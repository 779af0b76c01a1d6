//! Turns: so many queries run, so many wait, and one more is told to come again.

use crate::counters::{Counting, Held};
use pyralog_model::{ApiError, ErrorCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The queue in front of the engine.
#[derive(Debug)]
pub(super) struct Admission {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Admission {
    pub(super) fn new(running_max: usize, waiting_max: usize) -> Admission {
        let turns = running_max.clamp(1, Semaphore::MAX_PERMITS);
        Admission {
            turns: Arc::new(Semaphore::new(turns)),
            waiting: AtomicUsize::new(0),
            waiting_max,
        }
    }

    /// Waits for a turn, which lasts as long as the permit.
    pub(super) async fn turn(&self, counting: &Counting) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.place()?;
        let _counted = Held::new(&counting.waiting);
        let permit = Arc::clone(&self.turns).acquire_owned().await;
        permit.map_err(|_| ApiError::unavailable("the query engine"))
    }

    /// A place in the queue, if it has one.
    fn place(&self) -> Result<Place<'_>, ApiError> {
        let waiting = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Place(&self.waiting);
        if waiting >= self.waiting_max {
            return Err(ApiError::new(
                ErrorCode::Overloaded,
                format!("{waiting} queries wait for their turn already; send it again, later"),
            ));
        }
        Ok(place)
    }
}

/// Given back when it is dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
