//! What is known of a connection from its bytes alone, shared by its two
//! halves and by those who watch it.

use pyralog_env::{Clock, Monotonic};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use tokio::sync::{Notify, watch};

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The preamble is done, the session is not.
    Opening,
    /// Calls pass.
    Up,
    /// Nothing has been heard for a while.
    Silent,
    /// The connection is gone.
    Ended,
}

/// How much may be read while nothing can be written: a peer that never reads
/// its answers is not read from for ever. Far above what two well-behaved nodes
/// can owe each other, because if both stopped reading, neither would go on.
const UNANSWERED_BYTES_MAX: u64 = 64 << 20;

/// What a frame counts there beside its bytes: the smallest one, of twelve
/// bytes, asks for an answer that is kept in hundreds.
const FRAME_BYTES: u64 = 4 << 10;

/// The shared part.
pub(crate) struct Pulse {
    clock: Arc<dyn Clock>,
    heard: AtomicU64,
    read_bytes: AtomicU64,
    /// Bytes read, and what their frames count.
    owed_bytes: AtomicU64,
    written_bytes: AtomicU64,
    /// `owed_bytes` when the writer got stuck; `u64::MAX` while it is not.
    stuck_at: AtomicU64,
    closed: AtomicBool,
    reader: Mutex<Option<Waker>>,
    standing: watch::Sender<Standing>,
    /// Somebody waits for the next byte.
    listening: AtomicBool,
    sign: Notify,
}

impl Pulse {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Pulse {
        let heard = AtomicU64::new(clock.monotonic().0);
        Pulse {
            clock,
            heard,
            read_bytes: AtomicU64::new(0),
            owed_bytes: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            stuck_at: AtomicU64::new(u64::MAX),
            closed: AtomicBool::new(false),
            reader: Mutex::new(None),
            standing: watch::Sender::new(Standing::Opening),
            listening: AtomicBool::new(false),
            sign: Notify::new(),
        }
    }

    pub(crate) fn now(&self) -> Monotonic {
        self.clock.monotonic()
    }

    /// When the last bytes came.
    pub(crate) fn heard(&self) -> Monotonic {
        Monotonic(self.heard.load(Ordering::Relaxed))
    }

    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.read_bytes.load(Ordering::Relaxed), self.written_bytes.load(Ordering::Relaxed))
    }

    pub(crate) fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Moves on, unless the connection has ended: nothing comes after that.
    pub(crate) fn stand(&self, standing: Standing) {
        self.standing.send_if_modified(|now| {
            let changes = *now != Standing::Ended && *now != standing;
            if changes {
                *now = standing;
            }
            changes
        });
    }

    /// Tells the watchers that something else about the link has changed.
    pub(crate) fn nudge(&self) {
        self.standing.send_modify(|_| ());
    }

    /// Waits until the connection is gone.
    pub(crate) async fn ended(&self) {
        // The sender is ours, so the channel cannot close.
        let _ = self.watch().wait_for(|standing| *standing == Standing::Ended).await;
    }

    /// Waits for the next bytes.
    pub(crate) async fn sign(&self) {
        self.listening.store(true, Ordering::Relaxed);
        self.sign.notified().await;
    }

    /// Makes both halves fail, which ends the session and the connection.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake_reader();
    }

    pub(crate) fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn bytes_came(&self, count: usize) {
        self.heard.store(self.now().0, Ordering::Relaxed);
        self.read_bytes.fetch_add(count as u64, Ordering::Relaxed);
        self.owed_bytes.fetch_add(count as u64, Ordering::Relaxed);
        if self.listening.swap(false, Ordering::Relaxed) {
            self.sign.notify_one();
        }
    }

    pub(crate) fn frames_came(&self, count: u64) {
        self.owed_bytes.fetch_add(count * FRAME_BYTES, Ordering::Relaxed);
    }

    pub(crate) fn bytes_went(&self, count: usize) {
        self.written_bytes.fetch_add(count as u64, Ordering::Relaxed);
        if self.stuck_at.swap(u64::MAX, Ordering::AcqRel) != u64::MAX {
            self.wake_reader();
        }
    }

    pub(crate) fn writer_is_stuck(&self) {
        let read = self.owed_bytes.load(Ordering::Relaxed);
        let free = u64::MAX;
        let _ = self.stuck_at.compare_exchange(free, read, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Whether the reader must wait until something could be written.
    pub(crate) fn must_wait(&self) -> bool {
        let read = self.owed_bytes.load(Ordering::Relaxed);
        read.saturating_sub(self.stuck_at.load(Ordering::Acquire)) > UNANSWERED_BYTES_MAX
    }

    pub(crate) fn reader_waits(&self, waker: &Waker) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *reader {
            Some(kept) => kept.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    fn wake_reader(&self) {
        let waker = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::RealClock;

    #[test]
    fn who_reads_no_answers_is_not_read_from_for_ever() {
        let pulse = Pulse::new(Arc::new(RealClock::new()));
        pulse.bytes_came(1 << 30);
        assert!(!pulse.must_wait(), "whatever came while answers went out");
        pulse.writer_is_stuck();
        pulse.bytes_came(UNANSWERED_BYTES_MAX as usize);
        pulse.writer_is_stuck();
        assert!(!pulse.must_wait());
        pulse.bytes_came(1);
        assert!(pulse.must_wait());
        pulse.bytes_went(1);
        assert!(!pulse.must_wait());
    }

    #[test]
    fn nothing_comes_after_the_end() {
        let pulse = Pulse::new(Arc::new(RealClock::new()));
        pulse.stand(Standing::Up);
        pulse.stand(Standing::Ended);
        pulse.stand(Standing::Up);
        assert_eq!(pulse.standing(), Standing::Ended);
    }
}
