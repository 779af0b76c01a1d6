//! What an acknowledgement of this log promises, and the floor that makes it harmless
//! when a start finds less than was acknowledged.

use super::PartitionLog;
use crate::floor::{Bounds, Floor};
use crate::mutation::Mutation;
use crate::{LogError, LogOptions};
use pyralog_model::{Durability, Epoch, Offset};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The default is that of a log of `fsync`.
#[derive(Debug, Default)]
pub(super) struct Promise {
    durability: Durability,
    floor: Option<Mutex<Floor>>,
    /// The floor's offset, for those who must not wait while it is raised.
    offset: AtomicU64,
    /// Somebody was asked to raise it.
    asked: AtomicBool,
}

impl Promise {
    pub(super) fn with(floor: Floor) -> Promise {
        Promise {
            durability: floor.durability(),
            offset: AtomicU64::new(floor.bounds().offset.0),
            floor: Some(Mutex::new(floor)),
            asked: AtomicBool::new(false),
        }
    }
}

impl PartitionLog {
    /// What an acknowledgement promises.
    pub fn durability(&self) -> Durability {
        self.promise.durability
    }

    /// Offsets below this may be given out, if the log is one in memory.
    pub(crate) fn offsets_reserved(&self) -> Offset {
        Offset(self.promise.offset.load(Ordering::Acquire))
    }

    /// True if the caller is the one to have more offsets reserved.
    pub(crate) fn is_to_reserve(&self) -> bool {
        !self.promise.asked.swap(true, Ordering::AcqRel)
    }

    /// Reserves a block of offsets from `end` on, durably.
    pub(crate) fn reserve_offsets(
        &self,
        end: Offset,
        options: &LogOptions,
    ) -> Result<(), LogError> {
        let offset = end.plus(options.offset_block);
        let raised = self.raise(Bounds { offset, epoch: Epoch(0) });
        self.promise.asked.store(false, Ordering::Release);
        raised
    }

    /// Makes sure that no later start begins the epoch that begins now, nor, if the log
    /// is one in memory, gives out its offsets.
    pub(crate) fn begin_epoch(&self, options: &LogOptions) -> Result<(), LogError> {
        let (_, end) = self.bounds();
        let offset = match self.durability() {
            Durability::Memory => end.plus(options.offset_block),
            Durability::Fsync | Durability::PageCache => Offset::ZERO,
        };
        let next = Epoch(self.last_epoch().0 + 1);
        let epoch = if self.planted.is(Mutation::EpochReissued) { Epoch(0) } else { next };
        self.raise(Bounds { offset, epoch })
    }

    /// Gives back the offsets that are reserved and were not given out. Nothing may be
    /// appended in this process afterwards.
    pub(crate) fn return_offsets(&self) -> Result<(), LogError> {
        let Some(floor) = &self.promise.floor else { return Ok(()) };
        let mut floor = floor.lock().expect("no one panics holding this");
        let bounds = Bounds { offset: self.bounds().1, ..floor.bounds() };
        self.promise.offset.store(bounds.offset.0, Ordering::Release);
        floor.set(bounds)
    }

    fn raise(&self, to: Bounds) -> Result<(), LogError> {
        let Some(floor) = &self.promise.floor else { return Ok(()) };
        let mut floor = floor.lock().expect("no one panics holding this");
        if self.planted.is(Mutation::OffsetsReissued) {
            floor.raise(Bounds { offset: Offset::ZERO, ..to })?;
            self.promise.offset.fetch_max(to.offset.0, Ordering::AcqRel);
            return Ok(());
        }
        floor.raise(to)?;
        self.promise.offset.store(floor.bounds().offset.0, Ordering::Release);
        Ok(())
    }
}
