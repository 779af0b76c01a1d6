//! What the committer's thread tells a partition, whether or not anybody still
//! waits for the append: a client that went away must not stop the watermark.

use pyralog_model::Offset;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Shared by a partition's appends and the committer's thread.
#[derive(Debug)]
pub struct Pulse {
    high: watch::Sender<Offset>,
    stale: AtomicBool,
}

impl Pulse {
    /// A pulse of a partition whose durable end is `high`.
    pub fn new(high: Offset) -> Pulse {
        Pulse { high: watch::Sender::new(high), stale: AtomicBool::new(false) }
    }

    /// The high watermark: the end of what is acknowledged.
    pub fn high(&self) -> Offset {
        *self.high.borrow()
    }

    /// Told when the high watermark moves.
    pub fn watch(&self) -> watch::Receiver<Offset> {
        self.high.subscribe()
    }

    /// True after an append was refused: offsets handed out since are void.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }

    /// To be called before a new generation is opened.
    pub fn refresh(&self) {
        self.stale.store(false, Ordering::Release);
    }

    pub(crate) fn acknowledged(&self, end: Offset) {
        self.high.send_if_modified(|high| {
            let moved = end > *high;
            *high = end.max(*high);
            moved
        });
    }

    pub(crate) fn refused(&self) {
        self.stale.store(true, Ordering::Release);
    }
}
