//! One query's share of the memory that all queries have.

use crate::QuerySettings;
use crate::counters::Counting;
use datafusion::common::DataFusionError;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bound of its own, inside the bound of all.
#[derive(Debug)]
pub(super) struct QueryMemory {
    all: Arc<dyn MemoryPool>,
    all_bytes_max: usize,
    bytes: AtomicUsize,
    bytes_max: usize,
    counting: Arc<Counting>,
}

impl QueryMemory {
    pub(super) fn new(
        all: Arc<dyn MemoryPool>,
        settings: &QuerySettings,
        counting: Arc<Counting>,
    ) -> QueryMemory {
        let (all_bytes_max, bytes_max) =
            (settings.memory_bytes_max, settings.memory_bytes_per_query_max);
        QueryMemory { all, all_bytes_max, bytes: AtomicUsize::new(0), bytes_max, counting }
    }

    fn grown(&self, by: usize) {
        self.counting.memory_bytes.fetch_add(by as u64, Ordering::Relaxed);
    }

    fn shrunk(&self, by: usize) {
        self.counting.memory_bytes.fetch_sub(by as u64, Ordering::Relaxed);
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &str {
        "query"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.all.grow(reservation, additional);
        self.bytes.fetch_add(additional, Ordering::Relaxed);
        self.grown(additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.all.shrink(reservation, shrink);
        self.bytes.fetch_sub(shrink, Ordering::Relaxed);
        self.shrunk(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let fits =
            |bytes: usize| bytes.checked_add(additional).filter(|sum| *sum <= self.bytes_max);
        let grown = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        grown.map_err(|_| exhausted("one query", self.bytes_max))?;
        if self.all.try_grow(reservation, additional).is_err() {
            self.bytes.fetch_sub(additional, Ordering::Relaxed);
            return Err(exhausted("all queries together", self.all_bytes_max));
        }
        self.grown(additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes_max)
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.reserved(), self.bytes_max)
    }
}

/// The engine asks for this kind, to go on with less where it can.
fn exhausted(whose: &str, bytes_max: usize) -> DataFusionError {
    DataFusionError::ResourcesExhausted(format!("{whose} may hold {bytes_max} bytes"))
}
