//! Records by their keys: one index a partition, and a thread that keeps them.
//!
//! ```text
//!  durable records ──feed──▶ map of the newest ──build──▶ file ──merge──▶ larger file
//!                     ▲                │                              │
//!    the thread, or whoever asks       └────────── candidates ────────┘
//!    before it came by                                 │
//!                                    the record at the offset is read, its key compared
//! ```
//!
//! Nothing of it is on the way of a write. The thread comes by several times a second
//! while records come in; who asks for a key first feeds what is missing, so that an
//! answer is never older than the question. The rules that keep an index right are
//! those of [`pyralog_index`]; what this adds is *when*:
//!
//! - An index is opened before it is used, against the end that the store had when *it*
//!   was opened: what files say of offsets past that may be of records that are no more.
//! - Only durable records are fed, and those are never cut back while the store is open.
//! - Whoever removes a partition's files closes its index first, and waits for the work
//!   that is being done on it.

mod feeding;
mod finding;
mod keeping;
mod partition_keys;
mod question;
mod seat;
mod stored;

pub(crate) use keeping::{Keeping, KeysJob};
pub use question::{FoundRecord, KeyQuestion, KeysError};
use seat::Seat;

use crate::metrics::StoreGauges;
use pyralog_env::{Clock, Disk};
use pyralog_index::BlockCache;
use pyralog_log::PartitionLog;
use pyralog_model::{LogNumber, Offset, PartitionId, StoreId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// How keys are indexed.
#[derive(Debug, Clone, Copy)]
pub struct KeyOptions {
    /// The seed of indexes that are begun; drawn at random, so that nobody can make many
    /// keys with one hash.
    pub hash_seed: u64,
    /// Memory of all indexes together, in bytes: three quarters for blocks of files, the
    /// rest for maps of the newest records.
    pub memory_bytes: u64,
}

impl Default for KeyOptions {
    fn default() -> KeyOptions {
        KeyOptions { hash_seed: 0, memory_bytes: 256 << 20 }
    }
}

impl KeyOptions {
    fn cache_bytes(&self) -> u64 {
        self.memory_bytes / 4 * 3
    }

    fn map_bytes(&self) -> usize {
        usize::try_from(self.memory_bytes / 4).unwrap_or(usize::MAX)
    }
}

/// Every index of a store.
pub(crate) struct Keys {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    store: StoreId,
    options: KeyOptions,
    cache: Arc<BlockCache>,
    gauges: Arc<StoreGauges>,
    /// Where each partition ended when the store was opened.
    recovered: BTreeMap<PartitionId, Offset>,
    seats: RwLock<BTreeMap<PartitionId, Arc<Seat>>>,
    /// Whether the thread has something to look at, besides new records.
    stirred: AtomicBool,
    /// Nobody is to be answered any more.
    ended: AtomicBool,
}

impl Keys {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        store: StoreId,
        options: KeyOptions,
        gauges: Arc<StoreGauges>,
        partitions: &BTreeMap<PartitionId, Arc<PartitionLog>>,
    ) -> Keys {
        let ends = partitions.iter().map(|(id, log)| (*id, log.bounds().1));
        Keys {
            disk,
            clock,
            store,
            options,
            cache: Arc::new(BlockCache::new(options.cache_bytes())),
            gauges,
            recovered: ends.collect(),
            seats: RwLock::default(),
            stirred: AtomicBool::new(true),
            ended: AtomicBool::new(false),
        }
    }

    /// Keeps an index of the partition's keys from now on, or none.
    pub(crate) fn keep(&self, log: &Arc<PartitionLog>, wanted: bool) {
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        let recovered = self.recovered.get(&log.id()).copied().unwrap_or(Offset::ZERO);
        let seat = seats
            .entry(log.id())
            .or_insert_with(|| Arc::new(Seat::new(Arc::clone(log), recovered)));
        if seat.want(wanted) {
            self.stirred.store(true, Ordering::Release);
        }
    }

    /// The records that answer a question, newest first.
    pub(crate) fn find(
        &self,
        partition: PartitionId,
        question: &KeyQuestion,
    ) -> Result<Vec<FoundRecord>, KeysError> {
        let seat = self.read_seats().get(&partition).cloned();
        let found = seat.ok_or(KeysError::Off)?.open(self)?.find(question, self)?;
        self.gauges.keys.looked_up(found.len());
        Ok(found)
    }

    /// Has those who are looking give up.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Lets go of the indexes of a log whose files are about to be removed; waits for
    /// the work that is being done on them.
    pub(crate) fn close(&self, log: LogNumber) {
        let mut closed = Vec::new();
        let mut seats = self.seats.write().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|id, seat| {
            let stays = id.log != log;
            if !stays {
                closed.push(Arc::clone(seat));
            }
            stays
        });
        drop(seats);
        closed.iter().for_each(|seat| seat.close());
    }

    fn all_seats(&self) -> Vec<Arc<Seat>> {
        self.read_seats().values().cloned().collect()
    }

    fn read_seats(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<PartitionId, Arc<Seat>>> {
        // Nothing that is done under the lock leaves it halfway.
        self.seats.read().unwrap_or_else(PoisonError::into_inner)
    }
}
