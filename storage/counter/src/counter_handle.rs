//! A counter in use: values by compare-and-swap, below the synced bound.

use crate::cells::View;
use crate::error::CounterError;
use crate::keyed_crc::keyed_crc;
use crate::mutation::{Mutation, Planted};
use pyralog_model::{ApiError, CounterNumber, ErrorCode, StoreId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use thiserror::Error;

/// The greatest value a counter reaches: what every language's integers hold.
pub const VALUE_MAX: u64 = i64::MAX as u64;

/// Why nothing was claimed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClaimRefusal {
    /// The durable bound is in the way: wish for a raise, then claim again.
    #[error("the bound has to be raised first")]
    NeedsRaise,
    /// The counter has no so many values left.
    #[error("the counter is at {value} and ends at {VALUE_MAX}")]
    Exhausted {
        /// The last value issued.
        value: u64,
    },
    /// A sync has failed: nothing more is issued by this process.
    #[error("counters have stopped: {cause}; replace the disk or restart the node")]
    Failed {
        /// The first failure.
        cause: String,
    },
    /// The arena was closed.
    #[error("counters are closed: the node is stopping")]
    Closed,
}

impl From<&ClaimRefusal> for ApiError {
    fn from(refusal: &ClaimRefusal) -> ApiError {
        let code = match refusal {
            ClaimRefusal::NeedsRaise => ErrorCode::Overloaded,
            ClaimRefusal::Exhausted { .. } => ErrorCode::CountersExhausted,
            ClaimRefusal::Failed { .. } => ErrorCode::StorageFailed,
            ClaimRefusal::Closed => ErrorCode::Unavailable,
        };
        ApiError::new(code, refusal.to_string())
    }
}

/// Whether anything is still issued. One per arena, seen by all its counters.
#[derive(Debug, Default)]
pub(crate) struct Health {
    closed: AtomicBool,
    failed: OnceLock<String>,
}

impl Health {
    pub(crate) fn fail(&self, cause: String) {
        let _ = self.failed.set(cause);
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }

    pub(crate) fn check(&self) -> Result<(), CounterError> {
        match self.refusal() {
            Some(ClaimRefusal::Failed { cause }) => Err(CounterError::Failed { cause }),
            Some(_) => Err(CounterError::Closed),
            None => Ok(()),
        }
    }

    fn refusal(&self) -> Option<ClaimRefusal> {
        if let Some(cause) = self.failed.get() {
            return Some(ClaimRefusal::Failed { cause: cause.clone() });
        }
        self.closed.load(Ordering::SeqCst).then_some(ClaimRefusal::Closed)
    }
}

/// What all handles of a counter share. There is at most one per counter.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) number: CounterNumber,
    pub(crate) view: Arc<dyn View>,
    /// Where in the view its slot begins, in words.
    pub(crate) word: usize,
    /// Only the completion of a sync stores here; 0 once nothing may be issued.
    pub(crate) bound: AtomicU64,
    /// Values per raise.
    pub(crate) block: u64,
    pub(crate) health: Arc<Health>,
    pub(crate) planted: Planted,
}

impl Counter {
    #[inline]
    pub(crate) fn cell(&self) -> &AtomicU64 {
        self.view.word(self.word)
    }

    pub(crate) fn value(&self) -> u64 {
        self.cell().load(Ordering::Acquire)
    }

    /// Sets the value that counting begins at. Nobody may be counting.
    pub(crate) fn begin_at(&self, value: u64) {
        self.cell().store(value, Ordering::Release);
        self.vouch(value);
    }

    /// The planted bug: a checksum beside the value.
    fn vouch(&self, value: u64) {
        if self.planted.is(Mutation::CrcOverMappedValue) {
            self.view.word(self.word + 1).store(value_crc(value), Ordering::Release);
        }
    }
}

/// The checksum of the planted bug `CrcOverMappedValue`.
pub(crate) fn value_crc(value: u64) -> u64 {
    u64::from(keyed_crc(StoreId(0), 0, &value.to_le_bytes())) | 1 << 32
}

/// Issues the values of one counter. Clones issue from the same counter. Never
/// blocks, and never asks the disk.
#[derive(Debug, Clone)]
pub struct CounterHandle {
    pub(crate) counter: Arc<Counter>,
}

impl CounterHandle {
    /// Whose values these are.
    pub fn number(&self) -> CounterNumber {
        self.counter.number
    }

    /// The last value issued; 0 before the first.
    pub fn value(&self) -> u64 {
        self.counter.value()
    }

    /// Claims `count` values in a row and returns the first of them. With a count
    /// of 0 it claims nothing.
    ///
    /// # Errors
    /// Why nothing was claimed; then nothing was taken either.
    #[inline]
    pub fn claim(&self, count: u64) -> Result<u64, ClaimRefusal> {
        let counter = &*self.counter;
        let cell = counter.cell();
        let mut value = cell.load(Ordering::Relaxed);
        loop {
            let end = value.checked_add(count).filter(|end| *end <= VALUE_MAX);
            let Some(end) = end else { return Err(self.refusal(value, true)) };
            let bound = counter.bound.load(Ordering::Acquire);
            let straddles = counter.planted.is(Mutation::BatchStraddlesBound) && value < bound;
            if end > bound && !straddles {
                return Err(self.refusal(value, false));
            }
            // Relaxed: the value alone is shared, and the bound was acquired.
            match cell.compare_exchange_weak(value, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    counter.vouch(end);
                    return Ok(value + 1);
                }
                Err(now) => value = now,
            }
        }
    }

    /// True if half of what was raised is used: time to raise ahead. Never true
    /// when every increment is synced.
    #[inline]
    pub fn wants_raise(&self) -> bool {
        let counter = &*self.counter;
        let bound = counter.bound.load(Ordering::Relaxed);
        bound < VALUE_MAX && bound.saturating_sub(self.value()) < counter.block / 2
    }

    #[cold]
    fn refusal(&self, value: u64, exhausted: bool) -> ClaimRefusal {
        match self.counter.health.refusal() {
            Some(refusal) => refusal,
            None if exhausted => ClaimRefusal::Exhausted { value },
            None => ClaimRefusal::NeedsRaise,
        }
    }
}
