//! The place of a partition's index, open or not.

use super::partition_keys::PartitionKeys;
use super::{Keys, KeysError};
use pyralog_env::Monotonic;
use pyralog_index::IndexError;
use pyralog_log::PartitionLog;
use pyralog_model::Offset;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One for each partition that was ever wanted with an index.
pub(crate) struct Seat {
    pub(super) log: Arc<PartitionLog>,
    recovered: Offset,
    wanted: AtomicBool,
    /// Files may be lying there that are of no use any more.
    pub(super) untidy: AtomicBool,
    index: Mutex<Option<Arc<PartitionKeys>>>,
    /// Held by whoever writes files; true once nobody may any more.
    at_work: Mutex<bool>,
    /// Told to those who do something that takes long.
    closing: AtomicBool,
    /// Nanoseconds: after an error it is left alone until then.
    rests_until: AtomicU64,
}

impl Seat {
    pub(super) fn new(log: Arc<PartitionLog>, recovered: Offset) -> Seat {
        Seat {
            log,
            recovered,
            wanted: AtomicBool::new(false),
            untidy: AtomicBool::new(true),
            index: Mutex::default(),
            at_work: Mutex::default(),
            closing: AtomicBool::new(false),
            rests_until: AtomicU64::new(0),
        }
    }

    /// Says whether there is to be an index. True if that is new.
    pub(super) fn want(&self, wanted: bool) -> bool {
        self.wanted.swap(wanted, Ordering::AcqRel) != wanted
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// The index, opened if it is not yet.
    pub(super) fn open(&self, keys: &Keys) -> Result<Arc<PartitionKeys>, KeysError> {
        if !self.is_wanted() {
            return Err(KeysError::Off);
        }
        let mut index = self.index();
        if let Some(index) = &*index {
            return Ok(Arc::clone(index));
        }
        // Not while files are removed, nor after the partition was closed.
        if *self.at_work() {
            return Err(KeysError::Log(pyralog_log::LogError::Closed));
        }
        let opened = PartitionKeys::open(keys, &self.log, self.recovered)?;
        Ok(Arc::clone(index.insert(Arc::new(opened))))
    }

    /// The index, if it is open.
    pub(super) fn opened(&self) -> Option<Arc<PartitionKeys>> {
        self.index().clone()
    }

    /// Does something that changes files, unless it is too late for that.
    pub(super) fn work<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let closed = self.at_work();
        (!*closed).then(work)
    }

    /// Lets go of the index and removes its files: nobody wants it.
    pub(super) fn tidy(&self, keys: &Keys) -> Result<(), IndexError> {
        *self.index() = None;
        let removed = self.work(|| PartitionKeys::remove(&*keys.disk, &self.log));
        removed.unwrap_or(Ok(()))
    }

    /// Nobody writes files of this index once this returns.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        *self.at_work() = true;
        *self.index() = None;
    }

    /// True if whoever does something long should leave it.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(super) fn rests(&self, now: Monotonic) -> bool {
        now.0 < self.rests_until.load(Ordering::Relaxed)
    }

    /// Leaves it alone until then. True if it was not resting before.
    pub(super) fn rest_until(&self, then: Monotonic) -> bool {
        self.rests_until.swap(then.0, Ordering::Relaxed) == 0
    }

    /// All is well again.
    pub(super) fn rested(&self) {
        self.rests_until.store(0, Ordering::Relaxed);
    }

    fn index(&self) -> MutexGuard<'_, Option<Arc<PartitionKeys>>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at_work(&self) -> MutexGuard<'_, bool> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
