//! The committer of the logs that promise less than a sync, beside the [`Committer`].
//!
//! ```text
//!  submissions ─▶ RelaxedCommitter::step ─┬─ page-cache ─▶ written to the segment ─┬─▶ answers
//!                                         └─ memory ─▶ the tail, within a budget ──┘
//!                        │
//!                        └─ tasks: sync behind, reserve offsets ─▶ SegmentWriter
//! ```
//!
//! Nothing of it goes through the WAL. A frame there that is not synced would be a hole
//! in the rounds, and what comes after a hole cannot be told from corruption: logs that
//! promise nothing would put at risk those that promise all. And what waits behind a
//! sync would wait for the syncs of others. So this is another thread's, with files that
//! nobody else writes, and what it acknowledges is found as follows.
//!
//! - *page-cache*: the record is in its segment, as the kernel sees it. A killed process
//!   loses nothing. A power cut leaves a piece from the beginning, at least what was
//!   synced behind; recovery finds it as any torn tail. Bytes that are not synced are
//!   bounded over all logs.
//! - *memory*: nothing. A restart begins empty, above every offset that was given out.
//!
//! What a consumer has read and a restart has not, it finds out by the epoch: each
//! opening begins one that is durable before its first record is taken, so that no
//! epoch ever comes twice (see `floor`).
//!
//! [`Committer`]: crate::Committer

mod budget;

use crate::committer::{Members, frames_of};
use crate::frame::BATCH_BYTES_MAX;
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::segment_writer::WriterTask;
use crate::{Append, Appended, Completion, Frame, LogError, LogOptions, Submission};
use pyralog_model::{Durability, Lsn, Offset, PartitionId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Counts for people and metrics, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelaxedCounts {
    /// Batches taken.
    pub batches: u64,
    /// Bytes of batches taken.
    pub batch_bytes: u64,
    /// Bytes that the records of logs in memory take.
    pub memory_bytes: u64,
}

/// The one writer of the logs of a data directory whose records are not synced.
#[derive(Debug)]
pub struct RelaxedCommitter {
    members: Members,
    tasks: Vec<WriterTask>,
    /// Bytes that are written and that nobody was asked to sync.
    unsynced: usize,
    /// Bytes of logs in memory; more than there are once somebody has dropped some.
    in_memory: usize,
    /// Numbers the frames in memory, over all logs: the oldest go first.
    next_lsn: Lsn,
    failed: Option<String>,
    counts: RelaxedCounts,
    options: LogOptions,
    planted: Planted,
}

/// What a step has of one partition, and what to answer.
#[derive(Debug, Default)]
struct Draft {
    appends: Vec<Vec<Frame>>,
    bytes: usize,
    waiting: Vec<(usize, Appended)>,
}

type Drafts = BTreeMap<PartitionId, Draft>;

impl RelaxedCommitter {
    pub(crate) fn new(options: LogOptions, planted: Planted) -> RelaxedCommitter {
        RelaxedCommitter {
            members: Members::default(),
            tasks: Vec::new(),
            unsynced: 0,
            in_memory: 0,
            next_lsn: Lsn(1),
            failed: None,
            counts: RelaxedCounts::default(),
            options,
            planted,
        }
    }

    /// Answers every submission, in order. What is answered `Accepted` is where its log
    /// promises it to be.
    pub fn step(&mut self, submissions: Vec<Submission>) -> Vec<Completion> {
        let mut answers: Vec<Option<Completion>> = submissions.iter().map(|_| None).collect();
        let mut drafts = Drafts::new();
        for (slot, submission) in submissions.into_iter().enumerate() {
            match submission {
                Submission::Append(append) => match self.admit(slot, append, &mut drafts) {
                    Ok(()) => {}
                    Err(error) => answers[slot] = Some(Completion::Refused(error)),
                },
                other => {
                    self.take(&mut drafts, &mut answers);
                    answers[slot] = Some(self.control(other));
                }
            }
        }
        self.take(&mut drafts, &mut answers);
        self.keep_within_budget();
        answers.into_iter().map(|answer| answer.expect("every slot is answered")).collect()
    }

    /// What the segment writer is to do.
    pub fn take_tasks(&mut self) -> Vec<WriterTask> {
        std::mem::take(&mut self.tasks)
    }

    /// Why the store has stopped, if it has.
    pub fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Stops the store: everything is refused from now on.
    pub fn fail(&mut self, cause: String) {
        self.failed.get_or_insert(cause);
    }

    /// Counts since the start.
    pub fn counts(&self) -> RelaxedCounts {
        RelaxedCounts { memory_bytes: self.in_memory as u64, ..self.counts }
    }

    /// The tasks of a clean end. Everything is refused from now on.
    pub fn finish(&mut self) -> Vec<WriterTask> {
        self.fail("the store has ended".to_owned());
        let logs = || self.members.values().map(|member| Arc::clone(&member.log));
        let (in_memory, written): (Vec<_>, Vec<_>) =
            logs().partition(|log| log.durability() == Durability::Memory);
        let mut tasks = vec![sync_behind(written)];
        tasks.extend(in_memory.into_iter().map(WriterTask::ReturnOffsets));
        tasks
    }

    fn admit(&mut self, slot: usize, append: Append, drafts: &mut Drafts) -> Result<(), LogError> {
        self.check_sound()?;
        self.members.check(&append)?;
        let largest = append.batches.iter().map(|(_, batch)| batch.len()).max().unwrap_or(0);
        if largest > BATCH_BYTES_MAX {
            return Err(LogError::TooLarge { bytes: largest, limit: BATCH_BYTES_MAX });
        }
        // Who writes them numbers them.
        let frames = frames_of(&append, Lsn::default());
        let end = frames.last().expect("an append has a batch").header.next_offset();
        let member = self.members.get_mut(&append.partition).expect("check found it");
        member.end = end;
        member.epoch = append.epoch;
        let draft = drafts.entry(append.partition).or_default();
        draft.bytes += frames.iter().map(|frame| frame.header.frame_bytes()).sum::<usize>();
        draft.appends.push(frames);
        draft.waiting.push((slot, Appended { base: append.base, end }));
        Ok(())
    }

    /// Takes what there is of each partition, and answers.
    fn take(&mut self, drafts: &mut Drafts, answers: &mut [Option<Completion>]) {
        for (id, draft) in std::mem::take(drafts) {
            let log = Arc::clone(&self.members[&id].log);
            let (batches, bytes) = (draft.appends.iter().map(Vec::len).sum::<usize>(), draft.bytes);
            let (taken, result) = match (log.durability(), self.prepare(&log, &draft)) {
                (_, Err(error)) => (0, Err(error)),
                (Durability::Memory, Ok(())) => self.keep(&log, draft.appends, &draft.waiting),
                (_, Ok(())) => self.write(&log, draft.appends, bytes),
            };
            if taken == draft.waiting.len() {
                self.counts.batches += batches as u64;
                self.counts.batch_bytes += bytes as u64;
            }
            let refusal = result.map_err(|error| self.judge(error)).err();
            if refusal.is_some() {
                self.members.fence(id);
            }
            for (place, (slot, appended)) in draft.waiting.into_iter().enumerate() {
                answers[slot] = Some(match &refusal {
                    Some(error) if place >= taken => Completion::Refused(error.clone()),
                    _ => Completion::Accepted(appended),
                });
            }
        }
    }

    /// Into the segment. Says how many appends are there.
    fn write(
        &mut self,
        log: &Arc<PartitionLog>,
        mut appends: Vec<Vec<Frame>>,
        bytes: usize,
    ) -> (usize, Result<(), LogError>) {
        let mut appender = log.lock_appender();
        if self.planted.is(Mutation::AckBeforeWrite) {
            let count = appends.len();
            let written = appender.write_tail(log);
            let mut lsn = appender.next_lsn();
            for frame in appends.iter_mut().flatten() {
                frame.header.lsn = lsn;
                lsn = lsn.next();
            }
            log.publish_tail(appends.into_iter().flatten().collect());
            return (count, written);
        }
        let written = appender.write_through(log, appends);
        drop(appender);
        self.unsynced += bytes;
        self.members.get_mut(&log.id()).expect("it is open").bytes += bytes;
        if self.unsynced >= self.options.unsynced_bytes_max {
            self.ask_to_sync();
        }
        written
    }

    /// Into memory.
    fn keep(
        &mut self,
        log: &Arc<PartitionLog>,
        appends: Vec<Vec<Frame>>,
        waiting: &[(usize, Appended)],
    ) -> (usize, Result<(), LogError>) {
        let mut frames: Vec<Frame> = appends.into_iter().flatten().collect();
        for frame in &mut frames {
            frame.header.lsn = self.next_lsn;
            self.next_lsn = self.next_lsn.next();
        }
        let budget = log.upkeep_settings().and_then(|settings| settings.retention_bytes);
        let budget = budget.map_or(self.options.memory_log_bytes, |bytes| {
            usize::try_from(bytes).unwrap_or(usize::MAX)
        });
        let bytes = log.keep_in_memory(frames, budget);
        let member = self.members.get_mut(&log.id()).expect("it is open");
        self.in_memory = self.in_memory + bytes - member.bytes;
        member.bytes = bytes;
        (waiting.len(), Ok(()))
    }

    /// Makes sure that a start will begin above what is about to be given out.
    fn prepare(&mut self, log: &Arc<PartitionLog>, draft: &Draft) -> Result<(), LogError> {
        self.check_sound()?;
        let frame = draft.appends.last().and_then(|append| append.last());
        let last = frame.expect("a draft has an append").header;
        if last.epoch > log.epoch_begun() {
            log.begin_epoch(last.epoch, last.next_offset(), &self.options)?;
        }
        match log.durability() {
            Durability::Memory => self.reserve(log, last.next_offset()),
            _ => Ok(()),
        }
    }

    /// Makes sure that offsets up to `end` are reserved, and that more are before they
    /// are needed.
    fn reserve(&mut self, log: &Arc<PartitionLog>, end: Offset) -> Result<(), LogError> {
        let reserved = log.offsets_reserved();
        if end > reserved {
            return log.reserve_offsets(end, &self.options);
        }
        if reserved.0 - end.0 < self.options.offset_block / 2 && log.is_to_reserve() {
            self.tasks.push(WriterTask::Reserve(Arc::clone(log)));
        }
        Ok(())
    }

    fn control(&mut self, submission: Submission) -> Completion {
        if let Err(error) = self.check_sound() {
            return Completion::Refused(error);
        }
        match submission {
            Submission::Append(_) => unreachable!("appends are admitted, not controlled"),
            Submission::Barrier => Completion::Passed,
            Submission::Open(log) => match self.open(log) {
                Ok(opened) => opened,
                Err(error) => Completion::Refused(self.judge(error)),
            },
            Submission::Close(partition) => {
                self.close(partition);
                Completion::Closed
            }
            // Cutting back what only some replicas have comes with replicas.
            Submission::Truncate { partition, generation, .. } => {
                let durability = self.members.of(partition, generation).map(|m| m.log.durability());
                Completion::Refused(match durability {
                    Ok(durability) => LogError::Durability { partition, durability },
                    Err(error) => error,
                })
            }
        }
    }

    /// Begins a new generation. Nothing is synced: a start opens every partition.
    fn open(&mut self, log: Arc<PartitionLog>) -> Result<Completion, LogError> {
        if log.durability() == Durability::Fsync {
            return Err(LogError::Durability { partition: log.id(), durability: log.durability() });
        }
        let id = log.id();
        let counted = self.members.get(&id).map_or(0, |member| member.bytes);
        let opened = self.members.open(log);
        self.members.get_mut(&id).expect("it was opened").bytes = counted;
        Ok(Completion::Opened(opened))
    }

    fn close(&mut self, partition: PartitionId) {
        let Some(member) = self.members.remove(&partition) else { return };
        member.log.mark_deleted();
        match member.log.durability() {
            Durability::Memory => {
                member.log.drop_all();
                self.in_memory -= member.bytes;
            }
            _ => self.unsynced -= member.bytes,
        }
    }

    /// Has the segment writer sync all that is written.
    fn ask_to_sync(&mut self) {
        let mut logs = Vec::new();
        for member in self.members.values_mut() {
            if member.log.durability() == Durability::PageCache && member.bytes > 0 {
                member.bytes = 0;
                logs.push(Arc::clone(&member.log));
            }
        }
        self.unsynced = 0;
        self.tasks.push(sync_behind(logs));
    }

    fn check_sound(&self) -> Result<(), LogError> {
        match &self.failed {
            Some(cause) => Err(LogError::Failed { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    /// An error that is not "no room" or "not yours" stops the store.
    fn judge(&mut self, error: LogError) -> LogError {
        match error {
            LogError::Failed { ref cause } => self.fail(cause.clone()),
            LogError::Io { .. } | LogError::Corrupt { .. } => {
                let cause = error.to_string();
                self.fail(cause.clone());
                return LogError::Failed { cause };
            }
            _ => {}
        }
        error
    }
}

/// Nothing of these logs is in the WAL: only their own checkpoints move.
fn sync_behind(partitions: Vec<Arc<PartitionLog>>) -> WriterTask {
    WriterTask::Checkpoint { partitions, next_lsn: Lsn::default(), rounds_end: None, release: None }
}
