//! The way into a partition: admission, numbering, queueing, in this order.
//!
//! Admission is by permits over bytes; past the window a caller waits a while
//! and is then told `overloaded`: memory is never the queue. Numbering and
//! queueing happen under one short lock, so the committer sees appends in the
//! order of their offsets. Under the same lock batches of producers' sessions are
//! judged and ids are claimed: nothing can come between the judgement and the
//! append, and ids increase with the offsets.

mod pending;
mod sequences;
#[cfg(test)]
mod tests;

pub use pending::{Appended, PendingAppend};

use crate::in_flight::{Decision, InFlight};
use crate::sequencer::Sequencer;
use crate::services::{IdSource, PartitionServices};
use bytes::Bytes;
use pyralog_directory::Directory;
use pyralog_log::{
    Append, Completion, Opened, PartitionLog, SessionBatch, SessionState, Submission,
};
use pyralog_model::{ApiError, BatchHeader, Epoch, ErrorCode, LogName, Offset, ScarabId};
use pyralog_store::{CommitSlot, Pulse, StoreHandle};
use sequences::{is_duplicate, refusal, session_batch};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

/// Bytes of appends that one partition may have in flight.
const WINDOW_BYTES: usize = 32 << 20;
/// How long an append waits to be admitted.
const ADMISSION_PATIENCE: Duration = Duration::from_secs(10);

/// A partition's entrance, given out by its actor.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) log_name: LogName,
    pub(crate) log: Arc<PartitionLog>,
    pub(crate) store: StoreHandle,
    pulse: Arc<Pulse>,
    window: Arc<Semaphore>,
    serial: Mutex<Serial>,
    reopening: tokio::sync::Mutex<()>,
    closed: AtomicBool,
    services: PartitionServices,
    /// Batches get ids, by the log's settings.
    scarab_ids: AtomicBool,
    epoch_label: OnceLock<u64>,
}

/// What one append after the other goes through.
#[derive(Debug)]
struct Serial {
    sequencer: Sequencer,
    in_flight: InFlight,
    /// The id that was claimed last.
    scarab_last: Option<ScarabId>,
}

/// What became of an attempt to queue an append.
enum Attempt {
    Queued(oneshot::Receiver<Completion>),
    /// A retry of what is durable, here.
    Stored(Offset),
    /// To be judged again once what is in flight is decided.
    Wait(oneshot::Receiver<Completion>),
    /// The numbers of this generation are void.
    Stale,
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

impl Gate {
    pub(crate) fn new(
        log_name: LogName,
        log: Arc<PartitionLog>,
        store: StoreHandle,
        opened: Opened,
        services: PartitionServices,
    ) -> Gate {
        let sequencer = Sequencer::lead(opened);
        let serial = Serial { sequencer, in_flight: InFlight::default(), scarab_last: None };
        Gate {
            log_name,
            pulse: Arc::new(Pulse::new(opened.end)),
            window: Arc::new(Semaphore::new(WINDOW_BYTES)),
            serial: Mutex::new(serial),
            reopening: tokio::sync::Mutex::new(()),
            closed: AtomicBool::new(false),
            services,
            scarab_ids: AtomicBool::new(true),
            epoch_label: OnceLock::new(),
            log,
            store,
        }
    }

    /// Takes over the settings of its log.
    pub(crate) fn follow(&self, directory: &Directory) {
        let Some(log) = directory.log_by_number(self.log.id().log) else { return };
        self.log.set_segment_bytes(log.settings.segment_bytes);
        self.scarab_ids.store(log.settings.scarab_ids, Ordering::Relaxed);
        // Nobody looks into the cluster's own logs by key.
        self.store
            .keep_keys(&self.log, log.settings.indexes_keys() && !self.log_name.is_internal());
        if self.log.set_upkeep(log.settings.upkeep) {
            self.store.wake_upkeep();
        }
    }

    /// Where ids come from, if batches get any.
    fn ids(&self) -> Option<&Arc<dyn IdSource>> {
        self.services.ids.as_ref().filter(|_| self.scarab_ids.load(Ordering::Relaxed))
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.window.close();
    }

    pub(crate) fn watermarks(&self) -> Watermarks {
        let (log_start, _) = self.log.bounds();
        Watermarks { log_start, high: self.pulse.high(), epoch: self.serial().sequencer.epoch }
    }

    /// The label of the present leadership, once there is one.
    pub(crate) fn epoch_label(&self) -> Option<u64> {
        self.epoch_label.get().copied()
    }

    pub(crate) fn set_epoch_label(&self, label: u64) {
        self.epoch_label.get_or_init(|| label);
    }

    /// Forgets producers' sessions that are idle for long.
    pub(crate) fn forget_idle_sessions(&self) {
        let now = self.store.clock().monotonic();
        self.log.forget_idle(now, self.services.producer_id_expiration);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Offset> {
        self.pulse.watch()
    }

    /// Bytes of appends in flight.
    pub(crate) fn bytes_in_flight(&self) -> usize {
        WINDOW_BYTES - self.window.available_permits().min(WINDOW_BYTES)
    }

    /// Admits, judges, numbers and queues the batches.
    pub(crate) async fn append(
        &self,
        mut batches: Vec<(BatchHeader, Bytes)>,
    ) -> Result<PendingAppend, ApiError> {
        let session = session_batch(&batches)?;
        let bytes: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
        let admitted = self.admit(bytes).await?;
        if let Some(ids) = self.ids().and_then(|ids| ids.prepare()) {
            ids.await;
        }
        let log_start = self.log.bounds().0;
        let durability = self.log.durability();
        let mut waited = false;
        loop {
            let slot = self.store.reserve(durability).await?;
            self.check_open()?;
            match self.attempt(slot, &mut batches, session, waited)? {
                Attempt::Queued(answer) => {
                    return Ok(PendingAppend::queued(answer, (log_start, durability), admitted));
                }
                Attempt::Stored(base) => {
                    return Ok(PendingAppend::stored(base, (log_start, durability), admitted));
                }
                Attempt::Wait(decided) => {
                    decided.await.map_err(|_| ApiError::unavailable("the store"))?;
                    waited = true;
                }
                Attempt::Stale => self.reopen().await?,
            }
        }
    }

    /// One pass under the lock. Takes the batches if it queues them.
    fn attempt(
        &self,
        slot: CommitSlot,
        batches: &mut Vec<(BatchHeader, Bytes)>,
        session: Option<SessionBatch>,
        waited: bool,
    ) -> Result<Attempt, ApiError> {
        let mut serial = self.serial();
        if self.pulse.is_stale(serial.sequencer.generation) {
            return Ok(Attempt::Stale);
        }
        let mut next = None;
        if let Some(batch) = session {
            let (durable, end) = self.log.session(batch.session);
            match serial.in_flight.decide(&batch, &durable, end) {
                Decision::Store => next = Some((batch, durable)),
                Decision::Stored(base) => {
                    self.store.note_duplicate();
                    return Ok(Attempt::Stored(base));
                }
                Decision::Wait(verdict) if !waited || is_duplicate(verdict) => {
                    return Ok(Attempt::Wait(slot.submit(Submission::Barrier, None)));
                }
                Decision::Wait(verdict) | Decision::Refuse(verdict) => {
                    match is_duplicate(verdict) {
                        true => self.store.note_duplicate(),
                        false => self.store.note_sequence_refused(),
                    }
                    return Err(refusal(&batch, verdict));
                }
            }
        }
        let append = self.number(&mut serial, std::mem::take(batches), next);
        let pulse = Some(Arc::clone(&self.pulse));
        Ok(Attempt::Queued(slot.submit(Submission::Append(append), pulse)))
    }

    /// Gives an append its offsets and, if there are any, its ids.
    fn number(
        &self,
        serial: &mut Serial,
        batches: Vec<(BatchHeader, Bytes)>,
        next: Option<(SessionBatch, SessionState)>,
    ) -> Append {
        let records: u64 = batches.iter().map(|(header, _)| header.records()).sum();
        let base = serial.sequencer.claim(records);
        if let Some((batch, durable)) = next {
            serial.in_flight.note(&SessionBatch { base_offset: base, ..batch }, durable);
        }
        Append {
            partition: self.log.id(),
            generation: serial.sequencer.generation,
            epoch: serial.sequencer.epoch,
            base,
            batches,
            scarab_base: self.claim_ids(serial, records),
        }
    }

    /// Ids that follow those of the append before, or none.
    fn claim_ids(&self, serial: &mut Serial, records: u64) -> Option<ScarabId> {
        let ids = self.ids()?;
        let first = ids.claim(u32::try_from(records).ok()?)?;
        // A source that goes back is worse than none.
        if serial.scarab_last.is_some_and(|last| first <= last) {
            return None;
        }
        serial.scarab_last = Some(first.nth(records - 1));
        Some(first)
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
        if !self.pulse.is_stale(self.serial().sequencer.generation) {
            return Ok(());
        }
        self.check_open()?;
        match self.store.submit(Submission::Open(Arc::clone(&self.log))).await? {
            Completion::Opened(opened) => self.resume(opened),
            Completion::Refused(error) => Err(error.into()),
            other => unreachable!("an Open was answered by {other:?}"),
        }
    }

    /// Everything that was in flight is decided: what of it the log does not have
    /// never was.
    fn resume(&self, opened: Opened) -> Result<(), ApiError> {
        let mut serial = self.serial();
        serial.in_flight.clear();
        match serial.sequencer.resume(opened) {
            true => Ok(()),
            false => Err(ApiError::unavailable("the partition")),
        }
    }

    fn serial(&self) -> MutexGuard<'_, Serial> {
        self.serial.lock().expect("no one panics while numbering")
    }
}
