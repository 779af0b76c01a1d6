//! Turning many appends into one durable moment.
//!
//! `step` takes what queued up, writes it as one round and returns the answers.
//! It is called again at once: rounds run back to back, and each gathers what
//! arrived during the sync of the last, so the busier the store, the larger the
//! rounds. There is no timer.
//!
//! A *generation* fences each partition. Whoever opens a partition gets a new
//! one, and submissions of an older one are refused, whatever queue they wait
//! in. After an error the generation moves too: appends that were numbered after
//! a failed one must not slip in behind the gap.
//!
//! A failed write or sync is final (FAILSTOP). A full disk is not: nothing was
//! stored, and the next submission may succeed.

mod direct;
mod members;
mod round;

pub(crate) use members::Members;
pub(crate) use round::frames_of;

use crate::durable::Durable;
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::segment_writer::{WriterReport, WriterTask};
use crate::wal::Wal;
use crate::{Frame, LogError, LogOptions};
use bytes::Bytes;
use pyralog_model::{BatchHeader, Durability, Epoch, Lsn, Offset, PartitionId, ScarabId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What may be asked of the committer.
#[derive(Debug)]
pub enum Submission {
    /// Add batches to a partition.
    Append(Append),
    /// Cut a partition back. The answer is `Truncated`.
    Truncate {
        /// The partition.
        partition: PartitionId,
        /// The caller's generation.
        generation: u64,
        /// The end to cut back to; moved down to where a batch begins.
        end: Offset,
    },
    /// Begin a new generation of a partition. The answer is `Opened`.
    Open(Arc<PartitionLog>),
    /// Forget a partition whose log is deleted; its submissions are refused from
    /// then on, and what of it waits for a segment is dropped with its directory.
    Close(PartitionId),
    /// Nothing. The answer, `Passed`, comes when everything before it is decided.
    Barrier,
}

/// One append: batches that are acknowledged or refused together. After a crash
/// before the answer, its first few batches may be found, each of them whole.
#[derive(Debug)]
pub struct Append {
    /// The partition.
    pub partition: PartitionId,
    /// The generation in which `base` was chosen.
    pub generation: u64,
    /// The epoch to store them under.
    pub epoch: Epoch,
    /// The offset of the first record. Must be the partition's end.
    pub base: Offset,
    /// Verified batches.
    pub batches: Vec<(BatchHeader, Bytes)>,
    /// The Scarab id of the first record; the others have those that follow.
    pub scarab_base: Option<ScarabId>,
}

/// Where an append lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of its first record.
    pub base: Offset,
    /// The offset after its last record.
    pub end: Offset,
}

/// A partition's new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// To be given with every submission.
    pub generation: u64,
    /// The offset after the last record.
    pub end: Offset,
    /// The epoch of the last record.
    pub last_epoch: Epoch,
}

/// The answer to one submission.
#[derive(Debug, Clone)]
pub enum Completion {
    /// The batches are on disk.
    Appended(Durable<Appended>),
    /// The batches are where their log promises them to be, which is less than on disk.
    Accepted(Appended),
    /// The cut is on disk; the value is the new end.
    Truncated(Durable<Offset>),
    /// The partition is open.
    Opened(Opened),
    /// The partition is forgotten.
    Closed,
    /// Everything before the barrier is decided.
    Passed,
    /// Nothing was stored; but after `Failed` a restart may find part of it.
    Refused(LogError),
}

/// Counts for people and metrics, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommitCounts {
    /// WAL rounds written.
    pub rounds: u64,
    /// Writes that went straight into a segment.
    pub direct_writes: u64,
    /// Batches stored.
    pub batches: u64,
    /// Bytes of batches stored.
    pub batch_bytes: u64,
}

/// The one writer of the logs of a data directory whose records are synced.
#[derive(Debug)]
pub struct Committer {
    wal: Wal,
    partitions: Members,
    /// By WAL file: whose frames it holds, closed partitions included, for until
    /// their directories are gone a restart would miss those frames.
    dirty: BTreeMap<u32, BTreeMap<PartitionId, Arc<PartitionLog>>>,
    /// Filled files, oldest first, whose segments have not been asked for yet.
    filled: Vec<crate::wal::FilledFile>,
    tasks: Vec<WriterTask>,
    preparing: bool,
    next_lsn: Lsn,
    failed: Option<String>,
    counts: CommitCounts,
    options: LogOptions,
    planted: Planted,
}

/// Frames that wait for the round to be written, and what to answer then.
#[derive(Debug, Default)]
struct Round {
    frames: Vec<Frame>,
    bytes: usize,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    slot: usize,
    partition: PartitionId,
    appended: Appended,
}

impl Committer {
    pub(crate) fn new(wal: Wal, next_lsn: Lsn, options: LogOptions, planted: Planted) -> Committer {
        Committer {
            wal,
            partitions: Members::default(),
            dirty: BTreeMap::new(),
            filled: Vec::new(),
            tasks: Vec::new(),
            preparing: false,
            next_lsn,
            failed: None,
            counts: CommitCounts::default(),
            options,
            planted,
        }
    }

    /// Answers every submission, in order. What is answered `Appended` or
    /// `Truncated` is on disk.
    pub fn step(&mut self, submissions: Vec<Submission>) -> Vec<Completion> {
        let mut answers: Vec<Option<Completion>> = submissions.iter().map(|_| None).collect();
        let mut round = Round::default();
        for (slot, submission) in submissions.into_iter().enumerate() {
            match submission {
                Submission::Append(append) => self.admit(slot, append, &mut round, &mut answers),
                other => {
                    self.write(&mut round, &mut answers);
                    answers[slot] = Some(self.control(other));
                }
            }
        }
        self.write(&mut round, &mut answers);
        answers.into_iter().map(|answer| answer.expect("every slot is answered")).collect()
    }

    /// What the segment writer is to do, in order.
    pub fn take_tasks(&mut self) -> Vec<WriterTask> {
        std::mem::take(&mut self.tasks)
    }

    /// Takes note of what the segment writer did.
    pub fn heed(&mut self, report: WriterReport) {
        match report {
            WriterReport::Released(number) => {
                self.dirty.remove(&number);
                self.wal.release(number);
            }
            WriterReport::Prepared(number) => {
                self.preparing = false;
                if let Err(error) = self.wal.add_file(number) {
                    self.fail(error.to_string());
                }
            }
            WriterReport::NotPrepared => self.preparing = false,
            WriterReport::Checkpointed | WriterReport::Stalled(_) => {}
            WriterReport::Failed(cause) => self.fail(cause),
        }
    }

    /// True if a round of `bytes` can be written without waiting for the segment
    /// writer. When it cannot, `take_tasks` has what must happen first.
    pub fn has_room(&mut self, bytes: usize) -> bool {
        let room = self.wal.has_room(bytes.min(self.wal.body_bytes_max()));
        if !room {
            self.ask_for_space();
        }
        room
    }

    /// Why the store has stopped, if it has.
    pub fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Counts since the start.
    pub fn counts(&self) -> CommitCounts {
        self.counts
    }

    /// The task that writes everything, so that the next start replays nothing.
    pub fn finish(&mut self) -> WriterTask {
        WriterTask::Checkpoint {
            partitions: self.partitions.values().map(|m| Arc::clone(&m.log)).collect(),
            next_lsn: self.next_lsn,
            rounds_end: Some(self.wal.next_round()),
            release: None,
        }
    }

    /// Stops the store: everything is refused from now on.
    pub fn fail(&mut self, cause: String) {
        self.failed.get_or_insert(cause);
    }

    fn control(&mut self, submission: Submission) -> Completion {
        if let Some(cause) = &self.failed {
            return Completion::Refused(LogError::Failed { cause: cause.clone() });
        }
        match submission {
            Submission::Append(_) => unreachable!("appends are admitted, not controlled"),
            Submission::Barrier => Completion::Passed,
            Submission::Open(log) => match log.durability() {
                Durability::Fsync => Completion::Opened(self.partitions.open(log)),
                _ if self.planted.is(Mutation::HoleInWal) => {
                    Completion::Opened(self.partitions.open(log))
                }
                durability => {
                    Completion::Refused(LogError::Durability { partition: log.id(), durability })
                }
            },
            Submission::Close(partition) => {
                if let Some(member) = self.partitions.remove(&partition) {
                    member.log.mark_deleted();
                }
                Completion::Closed
            }
            Submission::Truncate { partition, generation, end } => {
                match self.truncate(partition, generation, end) {
                    Ok(end) => Completion::Truncated(end),
                    Err(error) => Completion::Refused(self.judge(error)),
                }
            }
        }
    }

    /// An error that is not "no room" or "not yours" stops the store.
    fn judge(&mut self, error: LogError) -> LogError {
        match &error {
            LogError::Failed { cause } => self.fail(cause.clone()),
            LogError::Io { .. } | LogError::Corrupt { .. } => {
                let cause = error.to_string();
                self.fail(cause.clone());
                return LogError::Failed { cause };
            }
            _ => {}
        }
        error
    }

    fn ask_for_space(&mut self) {
        for file in self.filled.drain(..) {
            let whose = self.dirty.get(&file.number);
            self.tasks.push(WriterTask::Checkpoint {
                partitions: whose.map(|logs| logs.values().cloned().collect()).unwrap_or_default(),
                next_lsn: self.next_lsn,
                rounds_end: Some(file.rounds_end),
                release: Some(file.number),
            });
        }
    }
}
