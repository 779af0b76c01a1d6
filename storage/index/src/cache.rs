//! How many bytes of index blocks may stay in memory, over all indexes of a node.
//!
//! There is no eviction by age: a lookup in a cached block must not write anything,
//! or readers would wait for each other. Past the bound a block is read, used once
//! and dropped; whoever owns the indexes lets idle ones go (`KeyIndex::cool`).

use std::sync::atomic::{AtomicU64, Ordering};

/// A bound that many indexes share.
#[derive(Debug)]
pub struct BlockCache {
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl BlockCache {
    /// A bound of `limit_bytes`.
    pub fn new(limit_bytes: u64) -> BlockCache {
        BlockCache { limit_bytes, used_bytes: AtomicU64::new(0) }
    }

    /// Bytes of blocks in memory now.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// The bound in bytes.
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Reserves `bytes`, or says that there is no room.
    pub(crate) fn reserve(&self, bytes: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit_bytes);
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    pub(crate) fn release(&self, bytes: u64) {
        let before = self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        debug_assert!(before >= bytes, "only what was reserved is released");
    }
}
