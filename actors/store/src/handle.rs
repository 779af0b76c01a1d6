//! What hot paths hold instead of the store's actor.

use crate::committing::CommitJob;
use crate::health::{Health, HealthLatch};
use crate::keys::{FoundRecord, KeyQuestion, Keys, KeysError, KeysJob};
use crate::metrics::{StoreGauges, StoreMetrics};
use crate::pulse::Pulse;
use crate::reading::ReadJob;
use crate::scrubbing::ScrubJob;
use crate::upkeep::UpkeepJob;
use crate::writing::WriterJob;
use bytes::Bytes;
use pyralog_env::{Clock, Disk};
use pyralog_log::{Completion, LogError, PartitionLog, ScrubReport, Slice, Submission};
use pyralog_model::{Durability, Epoch, LogNumber, Offset, PartitionId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, RwLock};
use tokio::sync::{mpsc, oneshot};

/// A store as its users see it. Clones share it; it outlives the actor, and then
/// everything but reads from memory fails with `Failed`.
#[derive(Clone)]
pub struct StoreHandle {
    pub(crate) commits: mpsc::Sender<CommitJob>,
    /// The same for logs that promise less than a sync.
    pub(crate) relaxed: mpsc::Sender<CommitJob>,
    pub(crate) writes: SyncSender<WriterJob>,
    pub(crate) reads: mpsc::Sender<Option<ReadJob>>,
    pub(crate) key_reads: mpsc::Sender<Option<ReadJob>>,
    pub(crate) scrubs: SyncSender<ScrubJob>,
    pub(crate) upkeep: SyncSender<UpkeepJob>,
    pub(crate) key_looks: SyncSender<KeysJob>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) partitions: Arc<RwLock<BTreeMap<PartitionId, Arc<PartitionLog>>>>,
    pub(crate) health: HealthLatch,
    pub(crate) gauges: Arc<StoreGauges>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) pyramid: Arc<Path>,
}

/// A place in the committer's queue, to be filled at once and in order.
pub struct CommitSlot(mpsc::OwnedPermit<CommitJob>);

impl CommitSlot {
    /// Queues the submission. Two calls on one thread are committed in order.
    pub fn submit(
        self,
        submission: Submission,
        pulse: Option<Arc<Pulse>>,
    ) -> oneshot::Receiver<Completion> {
        let (reply, answer) = oneshot::channel();
        self.0.send(CommitJob::Submit { submission, pulse, reply });
        answer
    }
}

impl StoreHandle {
    /// Waits for a place in the queue of the committer that a log of this durability has.
    pub async fn reserve(&self, durability: Durability) -> Result<CommitSlot, LogError> {
        let queue = match durability {
            Durability::Fsync => &self.commits,
            Durability::PageCache | Durability::Memory => &self.relaxed,
        };
        let permit = queue.clone().reserve_owned().await;
        permit.map(CommitSlot).map_err(|_| self.gone())
    }

    /// Queues a submission and waits for its answer.
    pub async fn submit(&self, submission: Submission) -> Result<Completion, LogError> {
        let slot = self.reserve(self.durability_of(&submission)).await?;
        slot.submit(submission, None).await.map_err(|_| self.gone())
    }

    /// That of the log which the submission concerns.
    fn durability_of(&self, submission: &Submission) -> Durability {
        let id = match submission {
            Submission::Open(log) => return log.durability(),
            Submission::Append(append) => append.partition,
            Submission::Truncate { partition, .. } | Submission::Close(partition) => *partition,
            Submission::Barrier => return Durability::Fsync,
        };
        self.partition(id).map_or(Durability::Fsync, |log| log.durability())
    }

    /// A partition that has a directory.
    pub fn partition(&self, id: PartitionId) -> Option<Arc<PartitionLog>> {
        self.read_partitions().get(&id).cloned()
    }

    /// Every partition that has a directory.
    pub fn partition_ids(&self) -> Vec<PartitionId> {
        self.read_partitions().keys().copied().collect()
    }

    /// Makes a partition's directory, or finds it.
    ///
    /// # Errors
    /// `Durability` if it is there and of another one, and has had records.
    pub async fn create_partition(
        &self,
        id: PartitionId,
        durability: Durability,
    ) -> Result<Arc<PartitionLog>, LogError> {
        match self.partition(id) {
            Some(log) if log.durability() == durability => return Ok(log),
            // A creation that was cut off before it was known what it promises.
            Some(log) if log.durability() == Durability::Fsync && is_untouched(&log) => {}
            Some(log) => {
                return Err(LogError::Durability { partition: id, durability: log.durability() });
            }
            None => {}
        }
        let (reply, answer) = oneshot::channel();
        self.write(WriterJob::Create(id, durability, reply)).await?;
        let log = answer.await.map_err(|_| self.gone())??;
        let mut partitions = self.partitions.write().expect("no one panics holding this");
        let known = partitions.entry(id).or_insert_with(|| Arc::clone(&log));
        if known.durability() != durability {
            *known = log;
        }
        Ok(Arc::clone(known))
    }

    /// Closes a log's partitions for good and removes its files.
    pub async fn delete_log(&self, log: LogNumber) -> Result<(), LogError> {
        let ids: Vec<_> = self.partition_ids().into_iter().filter(|id| id.log == log).collect();
        for id in ids {
            self.submit(Submission::Close(id)).await?;
            self.partitions.write().expect("no one panics holding this").remove(&id);
        }
        let keys = Arc::clone(&self.keys);
        self.on_reader(move || {
            keys.close(log);
            Ok(())
        })
        .await?;
        let (reply, answer) = oneshot::channel();
        self.write(WriterJob::Delete(log, reply)).await?;
        answer.await.map_err(|_| self.gone())?
    }

    /// Lets a partition begin at `start`, durably, and says where it begins now.
    pub async fn move_start(
        &self,
        log: &Arc<PartitionLog>,
        start: Offset,
    ) -> Result<Offset, LogError> {
        let (reply, answer) = oneshot::channel();
        self.write(WriterJob::MoveStart(Arc::clone(log), start, reply)).await?;
        answer.await.map_err(|_| self.gone())?
    }

    /// Has old records looked after soon: settings of some log have changed. If that is
    /// being done already, it is done again within seconds anyway.
    pub fn wake_upkeep(&self) {
        let _ = self.upkeep.try_send(UpkeepJob::Look(None));
    }

    /// Has every partition looked after now; returns when that is done.
    ///
    /// # Errors
    /// `Closed` if the store ends before.
    pub async fn look_after(&self) -> Result<(), LogError> {
        let (reply, answer) = oneshot::channel();
        let mut job = UpkeepJob::Look(Some(reply));
        while let Err(error) = self.upkeep.try_send(job) {
            let TrySendError::Full(back) = error else { return Err(self.gone()) };
            job = back;
            tokio::task::yield_now().await;
        }
        answer.await.map_err(|_| self.gone())
    }

    /// Keeps an index of the partition's keys from now on, or none.
    pub fn keep_keys(&self, log: &Arc<PartitionLog>, wanted: bool) {
        self.keys.keep(log, wanted);
    }

    /// Brings every key index up to date; returns when nothing is left to do, or all
    /// that could be done is.
    ///
    /// # Errors
    /// `Closed` if the store ends before.
    pub async fn look_after_keys(&self) -> Result<(), LogError> {
        let (reply, answer) = oneshot::channel();
        let mut job = KeysJob::Look(reply);
        while let Err(error) = self.key_looks.try_send(job) {
            let TrySendError::Full(back) = error else { return Err(self.gone()) };
            job = back;
            tokio::task::yield_now().await;
        }
        answer.await.map_err(|_| self.gone())
    }

    /// As [`StoreHandle::find`], by the thread that calls: it may wait for the disk.
    ///
    /// # Errors
    /// As `find`.
    pub fn find_here(
        &self,
        partition: PartitionId,
        question: &KeyQuestion,
    ) -> Result<Vec<FoundRecord>, KeysError> {
        self.keys.find(partition, question)
    }

    /// The records that answer questions about keys, one answer a question: newest first.
    ///
    /// # Errors
    /// `Off` for a partition without an index; `Behind` when it is not indexed and cannot
    /// be scanned in time; those of reading.
    pub async fn find(
        &self,
        questions: Vec<(PartitionId, KeyQuestion)>,
    ) -> Result<Vec<Vec<FoundRecord>>, KeysError> {
        let keys = Arc::clone(&self.keys);
        let find = move || {
            let each = questions.iter();
            let found = each.map(|(partition, question)| keys.find(*partition, question));
            Ok(found.collect::<Result<Vec<_>, KeysError>>())
        };
        // One that has to scan takes long, and must not hold up those who read.
        self.on_thread(&self.key_reads, find).await?
    }

    /// The greatest epoch up to `epoch` that has records, and the offset after them.
    pub async fn epoch_end(
        &self,
        log: &Arc<PartitionLog>,
        epoch: Epoch,
    ) -> Result<Option<(Epoch, Offset)>, LogError> {
        let log = Arc::clone(log);
        self.on_reader(move || log.epoch_end(epoch)).await
    }

    /// Reads from memory at once, else on a reader thread.
    pub async fn read(
        &self,
        log: &Arc<PartitionLog>,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Slice, LogError> {
        if log.is_in_memory(from) {
            return log.read(from, bytes_max);
        }
        let log = Arc::clone(log);
        self.on_reader(move || log.read(from, bytes_max)).await
    }

    /// The first batch that ends after `from` with a record at `time` (milliseconds)
    /// or later.
    pub async fn batch_at_time(
        &self,
        log: &Arc<PartitionLog>,
        time: i64,
        from: Offset,
    ) -> Result<Option<Bytes>, LogError> {
        let log = Arc::clone(log);
        self.on_reader(move || log.batch_at_time(time, from)).await
    }

    /// Reads every sealed segment once, at the scrub's pace, and tells what was found.
    ///
    /// # Errors
    /// `Closed` when the store ends before that, or more ask at once than can wait.
    pub async fn scrub(&self) -> Result<ScrubReport, LogError> {
        let (reply, answer) = oneshot::channel();
        self.scrubs.try_send(ScrubJob::Pass(reply)).map_err(|_| self.gone())?;
        answer.await.map_err(|_| self.gone())
    }

    /// Where it keeps everything.
    pub fn pyramid(&self) -> &Path {
        &self.pyramid
    }

    /// Bytes that may still be written where it keeps everything.
    pub async fn free_bytes(&self) -> Result<u64, LogError> {
        let (disk, pyramid) = (Arc::clone(&self.disk), Arc::clone(&self.pyramid));
        self.on_reader(move || {
            disk.free_bytes(&pyramid).map_err(|error| LogError::Io {
                what: "cannot measure the room at",
                path: pyramid.to_path_buf(),
                cause: error.to_string(),
            })
        })
        .await
    }

    /// Whether this store may still acknowledge.
    pub fn health(&self) -> &HealthLatch {
        &self.health
    }

    /// Counts of the storage threads.
    pub fn metrics(&self) -> StoreMetrics {
        self.gauges.snapshot()
    }

    /// The clock that the store was given.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Counts a batch of a producer's session that was stored before.
    pub fn note_duplicate(&self) {
        self.gauges.duplicate();
    }

    /// Counts a batch of a producer's session that was refused for its sequence.
    pub fn note_sequence_refused(&self) {
        self.gauges.sequence_refused();
    }

    async fn on_reader<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        self.on_thread(&self.reads, read).await
    }

    async fn on_thread<T: Send + 'static>(
        &self,
        threads: &mpsc::Sender<Option<ReadJob>>,
        read: impl FnOnce() -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move || {
            let _ = reply.send(read());
        });
        threads.send(Some(job)).await.map_err(|_| self.gone())?;
        answer.await.map_err(|_| self.gone())?
    }

    /// The queue to the writer is short and moves; waiting in turns is enough.
    async fn write(&self, job: WriterJob) -> Result<(), LogError> {
        let mut job = job;
        loop {
            match self.writes.try_send(job) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(self.gone()),
                Err(TrySendError::Full(back)) => job = back,
            }
            tokio::task::yield_now().await;
        }
    }

    fn gone(&self) -> LogError {
        match self.health.get() {
            Health::Failed { cause } => LogError::Failed { cause },
            Health::Good => LogError::Closed,
        }
    }

    fn read_partitions(
        &self,
    ) -> std::sync::RwLockReadGuard<'_, BTreeMap<PartitionId, Arc<PartitionLog>>> {
        self.partitions.read().expect("no one panics holding this")
    }
}

/// True if nothing was ever stored in it.
fn is_untouched(log: &PartitionLog) -> bool {
    log.bounds() == (Offset::ZERO, Offset::ZERO) && log.sizes().segments == 0
}

impl std::fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreHandle").field("health", &self.health).finish_non_exhaustive()
    }
}
