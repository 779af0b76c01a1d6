//! The segment writer's thread: everything that may take long on the disk and
//! that nobody's acknowledgement waits for.

use crate::health::HealthLatch;
use pyralog_env::Disk;
use pyralog_log::{
    Expiry, LogError, LogOptions, PartitionLog, Replacement, SegmentWriter, Switched, WriterReport,
    WriterTask, create_partition, delete_log,
};
use pyralog_model::{Durability, LogNumber, Offset, PartitionId, StoreId};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;
use tokio::sync::oneshot;

/// What may wait in the queue.
pub(crate) enum WriterJob {
    /// From the committer.
    Task(WriterTask),
    /// The last task of a clean end, and whom to tell.
    Finish(WriterTask, SyncSender<bool>),
    /// End at once: the committer has ended before.
    Stop,
    /// Make a partition's directory.
    Create(PartitionId, Durability, oneshot::Sender<Result<Arc<PartitionLog>, LogError>>),
    /// Let a partition begin later.
    MoveStart(Arc<PartitionLog>, Offset, oneshot::Sender<Result<Offset, LogError>>),
    /// Change a partition's files for the sake of old records.
    Upkeep(Arc<PartitionLog>, UpkeepTask, oneshot::Sender<Result<Option<Switched>, LogError>>),
    /// Remove a closed log's files and checkpoints.
    Delete(LogNumber, oneshot::Sender<Result<(), LogError>>),
}

/// What the upkeep's thread asks for.
pub(crate) enum UpkeepTask {
    /// Seal the segment that grows.
    Seal,
    /// Let go of what retention does not keep.
    Expire(Expiry),
    /// Put a compacted file in the place of others.
    Replace(Replacement),
    /// Save how far the partition is compacted.
    SaveCleaned(Offset),
}

/// How long to leave a full disk alone before the same task is tried again.
const STALL_RETRY: Duration = Duration::from_millis(100);

pub(crate) struct Writing {
    pub(crate) writer: SegmentWriter,
    pub(crate) jobs: Receiver<WriterJob>,
    pub(crate) reports: SyncSender<WriterReport>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) pyramid: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) options: LogOptions,
    pub(crate) health: HealthLatch,
    /// Tasks in order; the first may have found the disk full.
    pub(crate) tasks: VecDeque<WriterTask>,
    pub(crate) stalled: bool,
}

impl Writing {
    /// Ends when told to.
    pub(crate) fn run(mut self) {
        loop {
            let job = match self.tasks.is_empty() {
                true => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => self.jobs.recv_timeout(STALL_RETRY),
            };
            match job {
                Ok(WriterJob::Task(task)) => self.tasks.push_back(task),
                Ok(WriterJob::Finish(task, done)) => {
                    self.tasks.push_back(task);
                    self.work();
                    let all = self.tasks.is_empty() && self.writer.failure().is_none();
                    let _ = done.send(all);
                    return;
                }
                Ok(WriterJob::Create(id, durability, reply)) => {
                    let _ = reply.send(self.create(id, durability));
                }
                Ok(WriterJob::MoveStart(log, start, reply)) => {
                    let _ = reply.send(self.move_start(&log, start));
                }
                Ok(WriterJob::Upkeep(log, task, reply)) => {
                    let _ = reply.send(self.upkeep(&log, task));
                }
                Ok(WriterJob::Delete(log, reply)) => {
                    let _ = reply.send(self.delete(log));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(WriterJob::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            self.work();
        }
    }

    /// Does tasks until none is left or the disk is full.
    fn work(&mut self) {
        while let Some(task) = self.tasks.front() {
            let report = self.writer.step(task);
            let stalled = matches!(report, WriterReport::Stalled(_));
            if let WriterReport::Failed(cause) = &report {
                self.health.fail(cause);
            }
            // Said once, not at every try: the committer may be idle and not listen.
            if !(stalled && self.stalled) {
                let _ = self.reports.send(report);
            }
            self.stalled = stalled;
            if stalled {
                return;
            }
            self.tasks.pop_front();
        }
    }

    fn create(
        &mut self,
        id: PartitionId,
        durability: Durability,
    ) -> Result<Arc<PartitionLog>, LogError> {
        self.obey_latch()?;
        let (disk, pyramid) = (&self.disk, &self.pyramid);
        let created = create_partition(disk, pyramid, self.store, id, durability, &self.options);
        self.latch(created)
    }

    fn move_start(&mut self, log: &PartitionLog, start: Offset) -> Result<Offset, LogError> {
        self.obey_latch()?;
        let moved = self.writer.move_start(log, start);
        self.latch(moved)
    }

    fn upkeep(
        &mut self,
        log: &PartitionLog,
        task: UpkeepTask,
    ) -> Result<Option<Switched>, LogError> {
        self.obey_latch()?;
        let done = match task {
            UpkeepTask::Seal => self.writer.seal(log).map(|()| None),
            UpkeepTask::Expire(expiry) => self.writer.expire(log, expiry).map(|_| None),
            UpkeepTask::Replace(replacement) => self.writer.replace(log, replacement).map(Some),
            UpkeepTask::SaveCleaned(cleaned) => {
                self.writer.save_cleaned(log, cleaned).map(|()| None)
            }
        };
        self.latch(done)
    }

    fn delete(&mut self, log: LogNumber) -> Result<(), LogError> {
        self.obey_latch()?;
        let deleted = delete_log(&*self.disk, &self.pyramid, log);
        self.latch(deleted)?;
        let forgotten = match self.writer.step(&WriterTask::Forget(log)) {
            WriterReport::Failed(cause) => Err(LogError::Failed { cause }),
            WriterReport::Stalled(what) => Err(LogError::DiskFull { what }),
            _ => Ok(()),
        };
        self.latch(forgotten)
    }

    /// What failed elsewhere in the data directory ends this, too.
    fn obey_latch(&self) -> Result<(), LogError> {
        self.health.failure().map_or(Ok(()), |cause| Err(LogError::Failed { cause }))
    }

    /// A failed sync of a directory is final like any other: the second one would
    /// say Ok for a name that is lost.
    fn latch<T>(&mut self, done: Result<T, LogError>) -> Result<T, LogError> {
        if let Err(LogError::Failed { cause }) = &done {
            self.writer.fail(cause.clone());
            self.health.fail(cause);
            let _ = self.reports.send(WriterReport::Failed(cause.clone()));
        }
        done
    }
}
