//! What the committer's thread tells a partition, whether or not anybody still
//! waits for the append: a client that went away must not stop the watermark.

use pyralog_model::Offset;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Shared by a partition's appends and the committer's thread.
#[derive(Debug)]
pub struct Pulse {
    high: watch::Sender<Offset>,
    /// The greatest generation of which an append was refused.
    refused: AtomicU64,
}

impl Pulse {
    /// A pulse of a partition whose durable end is `high`.
    pub fn new(high: Offset) -> Pulse {
        Pulse { high: watch::Sender::new(high), refused: AtomicU64::new(0) }
    }

    /// The high watermark: the end of what is acknowledged.
    pub fn high(&self) -> Offset {
        *self.high.borrow()
    }

    /// Told when the high watermark moves.
    pub fn watch(&self) -> watch::Receiver<Offset> {
        self.high.subscribe()
    }

    /// True once an append of this generation was refused: the offsets that it
    /// handed out since are void. Refusals of older ones say nothing about it.
    pub fn is_stale(&self, generation: u64) -> bool {
        self.refused.load(Ordering::Acquire) >= generation
    }

    pub(crate) fn acknowledged(&self, end: Offset) {
        self.high.send_if_modified(|high| {
            let moved = end > *high;
            *high = end.max(*high);
            moved
        });
    }

    pub(crate) fn refused(&self, generation: u64) {
        self.refused.fetch_max(generation, Ordering::AcqRel);
    }
}
