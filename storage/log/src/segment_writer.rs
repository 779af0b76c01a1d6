//! The loop behind the committer: it writes tails into segments, syncs them,
//! saves the checkpoint, and only then gives the WAL file back. It also makes new
//! WAL files, since filling one with zeros takes too long for the committer.
//!
//! Tasks come in the order in which WAL files were filled and are done in that
//! order, so a checkpoint that frees one file covers all earlier ones.

mod start;

use crate::checkpoint::{CheckpointStore, PartitionCheckpoint, WalCheckpoint};
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::wal::prepare_file;
use crate::{LogError, LogOptions};
use pyralog_env::Disk;
use pyralog_model::{Durability, LogNumber, Lsn, PartitionId, StoreId};
use std::path::PathBuf;
use std::sync::Arc;

/// Something for the segment writer to do.
#[derive(Debug, Clone)]
pub enum WriterTask {
    /// Write and sync these partitions, save how far they are, and free a file.
    Checkpoint {
        /// Whose tails to write.
        partitions: Vec<Arc<PartitionLog>>,
        /// No frame has this number yet.
        next_lsn: Lsn,
        /// Rounds below this one are not needed afterwards, if that moves.
        rounds_end: Option<u64>,
        /// The WAL file that may be used again afterwards.
        release: Option<u32>,
    },
    /// Make a WAL file.
    Prepare {
        /// Its number.
        number: u32,
    },
    /// Forget the checkpoints of a deleted log.
    Forget(LogNumber),
    /// Reserve more offsets of a log in memory.
    Reserve(Arc<PartitionLog>),
    /// Give back those that are reserved and will not be given out.
    ReturnOffsets(Arc<PartitionLog>),
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterReport {
    /// The WAL file may be used again.
    Released(u32),
    /// The WAL file is there.
    Prepared(u32),
    /// There is no room for another WAL file; those that are there must do.
    NotPrepared,
    /// A checkpoint that frees no file is saved.
    Checkpointed,
    /// The disk is full: the same task is to be tried again later.
    Stalled(String),
    /// A write or a sync failed: the store must stop.
    Failed(String),
}

/// The state of the loop.
pub struct SegmentWriter {
    disk: Arc<dyn Disk>,
    pyramid: PathBuf,
    store: StoreId,
    pub(crate) checkpoints: Box<dyn CheckpointStore>,
    wal: WalCheckpoint,
    failed: Option<String>,
    options: LogOptions,
    planted: Planted,
}

impl SegmentWriter {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        pyramid: PathBuf,
        store: StoreId,
        checkpoints: Box<dyn CheckpointStore>,
        wal: WalCheckpoint,
        options: LogOptions,
        planted: Planted,
    ) -> SegmentWriter {
        SegmentWriter { disk, pyramid, store, checkpoints, wal, failed: None, options, planted }
    }

    /// Does one task. After `Stalled` the caller gives the same task again; after
    /// `Failed` every task fails, for a checkpoint might vouch for lost bytes.
    pub fn step(&mut self, task: &WriterTask) -> WriterReport {
        if let Some(cause) = &self.failed {
            return WriterReport::Failed(cause.clone());
        }
        let done = match task {
            WriterTask::Checkpoint { partitions, next_lsn, rounds_end, release } => {
                let saved = self.checkpoint(partitions, *next_lsn, *rounds_end);
                saved.map(|()| match release {
                    Some(number) => WriterReport::Released(*number),
                    None => WriterReport::Checkpointed,
                })
            }
            WriterTask::Prepare { number } => self.prepare(*number),
            WriterTask::Forget(log) => {
                self.checkpoints.remove_log(*log).map(|()| WriterReport::Checkpointed)
            }
            WriterTask::Reserve(log) => self.reserve(log),
            WriterTask::ReturnOffsets(log) => {
                spare(log.return_offsets()).map(|()| WriterReport::Checkpointed)
            }
        };
        match done {
            Ok(report) => report,
            Err(LogError::DiskFull { what }) => WriterReport::Stalled(what),
            Err(error) => {
                let cause = error.to_string();
                self.failed = Some(cause.clone());
                WriterReport::Failed(cause)
            }
        }
    }

    pub(crate) fn check_sound(&self) -> Result<(), LogError> {
        match &self.failed {
            Some(cause) => Err(LogError::Failed { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    /// What has changed nothing may be tried again; everything else is final.
    pub(crate) fn judged<T>(&mut self, done: Result<T, LogError>) -> Result<T, LogError> {
        done.map_err(|error| match error {
            LogError::DiskFull { .. } | LogError::OutOfRange { .. } | LogError::NotOpen(_) => error,
            error => {
                let cause = error.to_string();
                self.fail(cause.clone());
                LogError::Failed { cause }
            }
        })
    }

    /// Fails every task from now on.
    pub fn fail(&mut self, cause: String) {
        self.failed.get_or_insert(cause);
    }

    /// Why every task fails, if that is so.
    pub fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    fn checkpoint(
        &mut self,
        partitions: &[Arc<PartitionLog>],
        next_lsn: Lsn,
        rounds_end: Option<u64>,
    ) -> Result<(), LogError> {
        let mut saved: Vec<(PartitionId, PartitionCheckpoint)> = Vec::new();
        for log in partitions {
            if log.is_gone()? {
                continue;
            }
            let checkpoint = match log.durability() {
                Durability::Fsync => {
                    let mut appender = log.lock_appender();
                    appender.write_tail(log)?;
                    appender.sync()?;
                    appender.checkpoint(log)
                }
                Durability::PageCache => log.sync_behind()?,
                Durability::Memory => continue,
            };
            saved.push((log.id(), checkpoint));
        }
        if let Some(rounds_end) = rounds_end {
            self.wal.first_needed_round = self.wal.first_needed_round.max(rounds_end);
        }
        self.wal.next_lsn = self.wal.next_lsn.max(next_lsn);
        if self.planted.is(Mutation::RecycleBeforeCheckpoint) {
            return Ok(());
        }
        self.checkpoints.save(&saved, self.wal)
    }

    /// Ahead of need. Whoever needs them and does not have them tries again.
    fn reserve(&self, log: &PartitionLog) -> Result<WriterReport, LogError> {
        let (_, end) = log.bounds();
        match log.is_gone()? {
            true => Ok(WriterReport::Checkpointed),
            false => {
                spare(log.reserve_offsets(end, &self.options)).map(|()| WriterReport::Checkpointed)
            }
        }
    }

    /// A WAL file that cannot be had is not an error: there are others.
    fn prepare(&mut self, number: u32) -> Result<WriterReport, LogError> {
        let sync_directory = !self.planted.is(Mutation::NoDirectorySync);
        let bytes = self.options.wal_file_bytes;
        let made =
            prepare_file(&*self.disk, &self.pyramid, self.store, number, bytes, sync_directory);
        match made {
            Ok(()) => Ok(WriterReport::Prepared(number)),
            Err(LogError::DiskFull { .. }) => Ok(WriterReport::NotPrepared),
            Err(error) => Err(error),
        }
    }
}

/// No room for what only makes things better.
fn spare(done: Result<(), LogError>) -> Result<(), LogError> {
    match done {
        Err(LogError::DiskFull { .. }) => Ok(()),
        done => done,
    }
}
