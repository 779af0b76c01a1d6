//! The way into a partition: admission, numbering, queueing, in this order.
//!
//! Admission is by permits over bytes; past the window a caller waits a while
//! and is then told `overloaded`: memory is never the queue. Numbering and
//! queueing happen under one short lock, so the committer sees appends in the
//! order of their offsets.

use crate::sequencer::Sequencer;
use bytes::Bytes;
use pyralog_log::{Append, Completion, LogError, Opened, PartitionLog, Submission};
use pyralog_model::{ApiError, BatchHeader, Durability, Epoch, ErrorCode, Offset};
use pyralog_store::{Pulse, StoreHandle};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

/// Bytes of appends that one partition may have in flight.
const WINDOW_BYTES: usize = 32 << 20;
/// How long an append waits to be admitted.
const ADMISSION_PATIENCE: Duration = Duration::from_secs(10);

/// A partition's entrance, given out by its actor.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) log: Arc<PartitionLog>,
    pub(crate) store: StoreHandle,
    pulse: Arc<Pulse>,
    window: Arc<Semaphore>,
    sequencer: Mutex<Sequencer>,
    reopening: tokio::sync::Mutex<()>,
    closed: AtomicBool,
}

/// Where an acknowledged append lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of its first record.
    pub base_offset: Offset,
    /// The first offset that the partition keeps.
    pub log_start: Offset,
    /// What the acknowledgement promises.
    pub durability: Durability,
}

/// The offsets that clients ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset that is kept.
    pub log_start: Offset,
    /// The end of what is acknowledged.
    pub high: Offset,
    /// The epoch of the present leadership.
    pub epoch: Epoch,
}

/// An append that is queued; resolves when it is durable. Dropping it does not
/// undo the append.
#[derive(Debug)]
pub struct PendingAppend {
    answer: oneshot::Receiver<Completion>,
    log_start: Offset,
    _admitted: OwnedSemaphorePermit,
}

impl Gate {
    pub(crate) fn new(log: Arc<PartitionLog>, store: StoreHandle, opened: Opened) -> Gate {
        Gate {
            pulse: Arc::new(Pulse::new(opened.end)),
            window: Arc::new(Semaphore::new(WINDOW_BYTES)),
            sequencer: Mutex::new(Sequencer::lead(opened)),
            reopening: tokio::sync::Mutex::new(()),
            closed: AtomicBool::new(false),
            log,
            store,
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.window.close();
    }

    pub(crate) fn watermarks(&self) -> Watermarks {
        let (log_start, _) = self.log.bounds();
        Watermarks { log_start, high: self.pulse.high(), epoch: self.sequencer().epoch }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Offset> {
        self.pulse.watch()
    }

    /// Bytes of appends in flight.
    pub(crate) fn bytes_in_flight(&self) -> usize {
        WINDOW_BYTES - self.window.available_permits().min(WINDOW_BYTES)
    }

    /// Admits, numbers and queues the batches.
    pub(crate) async fn append(
        &self,
        batches: Vec<(BatchHeader, Bytes)>,
    ) -> Result<PendingAppend, ApiError> {
        let bytes: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
        let admitted = self.admit(bytes).await?;
        loop {
            let slot = self.store.reserve().await?;
            self.check_open()?;
            {
                let mut sequencer = self.sequencer();
                if !self.pulse.is_stale(sequencer.generation) {
                    let records = batches.iter().map(|(header, _)| header.records()).sum();
                    let append = Append {
                        partition: self.log.id(),
                        generation: sequencer.generation,
                        epoch: sequencer.epoch,
                        base: sequencer.claim(records),
                        batches,
                    };
                    let pulse = Some(Arc::clone(&self.pulse));
                    let answer = slot.submit(Submission::Append(append), pulse);
                    let log_start = self.log.bounds().0;
                    return Ok(PendingAppend { answer, log_start, _admitted: admitted });
                }
            }
            drop(slot);
            self.reopen().await?;
        }
    }

    fn check_open(&self) -> Result<(), ApiError> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(ApiError::unavailable("the partition")),
            false => Ok(()),
        }
    }

    async fn admit(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let permits = u32::try_from(bytes.min(WINDOW_BYTES)).expect("the window fits");
        let admission = Arc::clone(&self.window).acquire_many_owned(permits);
        match tokio::time::timeout(ADMISSION_PATIENCE, admission).await {
            Ok(Ok(admitted)) => Ok(admitted),
            Ok(Err(_closed)) => Err(ApiError::unavailable("the partition")),
            Err(_elapsed) => Err(ApiError::new(
                ErrorCode::Overloaded,
                "too many bytes are in flight for this partition; send again, more slowly",
            )),
        }
    }

    /// After a refusal: a new generation, numbered from the real end. Appends wait
    /// for it here, instead of queueing behind it with numbers that are void.
    async fn reopen(&self) -> Result<(), ApiError> {
        let _one_at_a_time = self.reopening.lock().await;
        if !self.pulse.is_stale(self.sequencer().generation) {
            return Ok(());
        }
        self.check_open()?;
        match self.store.submit(Submission::Open(Arc::clone(&self.log))).await? {
            Completion::Opened(opened) if self.sequencer().resume(opened) => Ok(()),
            Completion::Opened(_) => Err(ApiError::unavailable("the partition")),
            Completion::Refused(error) => Err(error.into()),
            other => unreachable!("an Open was answered by {other:?}"),
        }
    }

    fn sequencer(&self) -> std::sync::MutexGuard<'_, Sequencer> {
        self.sequencer.lock().expect("no one panics while numbering")
    }
}

impl Future for PendingAppend {
    type Output = Result<Appended, ApiError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| match answer {
            Ok(Completion::Appended(appended)) => Ok(Appended {
                base_offset: appended.into_inner().base,
                log_start: self.log_start,
                durability: Durability::Fsync,
            }),
            // Fenced: an append before this one was refused. Nothing was stored.
            Ok(Completion::Refused(LogError::Fenced { .. })) => Err(ApiError::new(
                ErrorCode::Overloaded,
                "an earlier append was refused, and this one with it; send it again",
            )),
            Ok(Completion::Refused(error)) => Err(error.into()),
            Ok(other) => unreachable!("an Append was answered by {other:?}"),
            Err(_) => Err(ApiError::new(
                ErrorCode::Timeout,
                "the store closed before it answered; the append may or may not be stored",
            )),
        })
    }
}
