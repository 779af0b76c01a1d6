//! What an acknowledgement of this log promises, and the floor that makes it harmless
//! when a start finds less than was acknowledged.

use super::PartitionLog;
use crate::floor::{Bounds, Floor};
use crate::mutation::Mutation;
use crate::{LogError, LogOptions};
use pyralog_model::{Durability, Epoch, Offset};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// The default is that of a log of `fsync`.
#[derive(Debug, Default)]
pub(super) struct Promise {
    durability: Durability,
    floor: Option<Mutex<Floor>>,
    /// What is known to be durable of the floor in this process, for those who must not
    /// wait while it is raised.
    offset: AtomicU64,
    epoch: AtomicU32,
    /// Somebody was asked to raise it.
    asked: AtomicBool,
}

impl Promise {
    pub(super) fn with(floor: Floor) -> Promise {
        Promise {
            durability: floor.durability(),
            floor: Some(Mutex::new(floor)),
            ..Promise::default()
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

    /// The last epoch that no later start will begin.
    pub(crate) fn epoch_begun(&self) -> Epoch {
        Epoch(self.promise.epoch.load(Ordering::Acquire))
    }

    /// Makes sure that no later start begins this epoch nor, if the log is one in
    /// memory, gives out offsets up to `end`.
    pub(crate) fn begin_epoch(
        &self,
        epoch: Epoch,
        end: Offset,
        options: &LogOptions,
    ) -> Result<(), LogError> {
        let offset = match self.durability() {
            Durability::Memory => end.plus(options.offset_block),
            Durability::Fsync | Durability::PageCache => Offset::ZERO,
        };
        self.raise(Bounds { offset, epoch })
    }

    /// Gives back the offsets that are reserved and were not given out. Nothing may be
    /// appended in this process afterwards.
    pub(crate) fn return_offsets(&self) -> Result<(), LogError> {
        let Some(floor) = &self.promise.floor else { return Ok(()) };
        // None were reserved in this process.
        if self.offsets_reserved() == Offset::ZERO {
            return Ok(());
        }
        let mut floor = floor.lock().expect("no one panics holding this");
        let bounds = Bounds { offset: self.bounds().1, ..floor.bounds() };
        self.promise.offset.store(bounds.offset.0, Ordering::Release);
        floor.set(bounds)
    }

    fn raise(&self, to: Bounds) -> Result<(), LogError> {
        let Some(floor) = &self.promise.floor else { return Ok(()) };
        let mut floor = floor.lock().expect("no one panics holding this");
        let mut said = to;
        if self.planted.is(Mutation::OffsetsReissued) {
            said.offset = Offset::ZERO;
        }
        if self.planted.is(Mutation::EpochReissued) {
            said.epoch = Epoch(0);
        }
        floor.raise(said)?;
        self.promise.offset.fetch_max(to.offset.0, Ordering::AcqRel);
        self.promise.epoch.fetch_max(to.epoch.0, Ordering::AcqRel);
        Ok(())
    }
}
