//! The common path: appends of many partitions in one WAL round.

use super::{Append, Appended, Committer, Completion, Round, Waiting};
use crate::durable::{Durable, SyncProof};
use crate::mutation::Mutation;
use crate::segment_writer::WriterTask;
use crate::wal::ROUND_BODY_BYTES_AIM;
use crate::{Frame, LogError};
use pyralog_model::{Durability, Lsn, Offset, PartitionId};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Committer {
    /// Checks an append and adds it to the round, or refuses it.
    pub(super) fn admit(
        &mut self,
        slot: usize,
        append: Append,
        round: &mut Round,
        answers: &mut [Option<Completion>],
    ) {
        if let Err(error) = self.check(&append) {
            answers[slot] = Some(Completion::Refused(error));
            return;
        }
        let bytes = append_bytes(&append);
        // Small WAL files hold less than a round may grow to.
        let aim = ROUND_BODY_BYTES_AIM.min(self.wal.body_bytes_max());
        if round.bytes > 0 && round.bytes + bytes > aim {
            self.write(round, answers);
            // The write may have failed and fenced this very partition.
            if let Err(error) = self.check(&append) {
                answers[slot] = Some(Completion::Refused(error));
                return;
            }
        }
        let frames = self.frames(&append);
        let end = frames.last().expect("an append has a batch").header.next_offset();
        let member = self.partitions.get_mut(&append.partition).expect("check found it");
        member.end = end;
        member.epoch = append.epoch;
        round.frames.extend(frames);
        round.bytes += bytes;
        round.waiting.push(Waiting {
            slot,
            partition: append.partition,
            appended: Appended { base: append.base, end },
        });
    }

    /// Writes the round, if there is anything in it, and answers.
    pub(super) fn write(&mut self, round: &mut Round, answers: &mut [Option<Completion>]) {
        let round = std::mem::take(round);
        if round.frames.is_empty() {
            return;
        }
        let batches = round.frames.len() as u64;
        let target = self.direct_target(&round);
        // Whoever holds the appender is writing this partition's tail: the WAL is
        // quicker than waiting for that.
        let free = target.as_ref().and_then(|log| Some((log, log.try_lock_appender()?)));
        let written = match free {
            Some((log, appender)) => self.write_direct(log, appender, round.frames),
            None => self.write_wal(round.frames, round.bytes),
        };
        match written {
            Ok(proof) => {
                self.counts.batches += batches;
                self.counts.batch_bytes += round.bytes as u64;
                for Waiting { slot, appended, .. } in round.waiting {
                    answers[slot] = Some(Completion::Appended(Durable::new(appended, proof)));
                }
            }
            Err(error) => {
                let error = self.judge(error);
                for Waiting { slot, partition, .. } in round.waiting {
                    self.partitions.fence(partition);
                    answers[slot] = Some(Completion::Refused(error.clone()));
                }
            }
        }
    }

    /// One durable round in the WAL, then shown to readers.
    pub(super) fn write_wal(
        &mut self,
        frames: Vec<Frame>,
        bytes: usize,
    ) -> Result<SyncProof, LogError> {
        let proof = self.write_round(&frames, bytes)?;
        let mut by_partition: BTreeMap<PartitionId, Vec<Frame>> = BTreeMap::new();
        for frame in frames {
            by_partition.entry(frame.header.partition).or_default().push(frame);
        }
        for (id, frames) in by_partition {
            self.partitions[&id].log.publish_tail(frames);
        }
        Ok(proof)
    }

    fn write_round(&mut self, frames: &[Frame], bytes: usize) -> Result<SyncProof, LogError> {
        if let Some(filled) = self.wal.make_room(bytes)? {
            self.filled.push(filled);
            self.keep_space();
        }
        let file = self.wal.active_file().expect("make_room chose one");
        let dirty = self.dirty.entry(file).or_default();
        for id in frames.iter().map(|frame| frame.header.partition) {
            dirty.entry(id).or_insert_with(|| Arc::clone(&self.partitions[&id].log));
        }
        let is_relaxed = |frame: &Frame| {
            self.partitions[&frame.header.partition].log.durability() != Durability::Fsync
        };
        if self.planted.is(Mutation::HoleInWal) && frames.iter().all(is_relaxed) {
            return Ok(self.wal.skip_round(bytes));
        }
        let proof = self.wal.append_round(frames)?;
        self.counts.rounds += 1;
        Ok(proof)
    }

    /// Cuts a partition back: the frame first, then memory and segments.
    pub(super) fn truncate(
        &mut self,
        partition: PartitionId,
        generation: u64,
        end: Offset,
    ) -> Result<Durable<Offset>, LogError> {
        let member = self.partitions.of(partition, generation)?;
        let log = Arc::clone(&member.log);
        // The start does not move meanwhile, and no segment is replaced.
        let mut appender = log.lock_appender();
        let (start, old_end) = log.bounds();
        let start = start.max(log.rewritten_end());
        if end < start || end > old_end {
            return Err(LogError::OutOfRange { from: end, start, end: old_end });
        }
        let end = log.batch_begin(end)?;
        let frame = Frame::truncate(partition, self.next_lsn, log.last_epoch(), end);
        let bytes = frame.header.frame_bytes();
        let proof = if self.planted.is(Mutation::TruncationNotLogged) {
            SyncProof::forged_by_a_mutant()
        } else {
            self.write_round(std::slice::from_ref(&frame), bytes)?
        };
        self.next_lsn = self.next_lsn.next();
        // The frame is durable: a cut that is done by halves would be done on the
        // next start, so whatever stops it stops the store.
        let cut = appender.truncate(&log, &frame.header);
        cut.map_err(|error| LogError::Failed { cause: error.to_string() })?;
        self.partitions.get_mut(&partition).expect("it was there").end = end;
        Ok(Durable::new(end, proof))
    }

    /// Asks for the oldest filled files once a quarter of the WAL waits, and for
    /// another file as long as there may be more.
    fn keep_space(&mut self) {
        if self.filled.len() * 4 >= self.options.wal_files_max as usize {
            self.ask_for_space();
        }
        let next = u32::try_from(self.wal.file_count()).expect("few files");
        if !self.preparing && next < self.options.wal_files_max {
            self.preparing = true;
            self.tasks.push(WriterTask::Prepare { number: next });
        }
    }

    fn check(&self, append: &Append) -> Result<(), LogError> {
        if let Some(cause) = &self.failed {
            return Err(LogError::Failed { cause: cause.clone() });
        }
        self.partitions.of(append.partition, append.generation)?;
        let (bytes, limit) = (append_bytes(append), self.wal.body_bytes_max());
        if bytes > limit {
            return Err(LogError::TooLarge { bytes, limit });
        }
        self.partitions.check(append)
    }

    fn frames(&mut self, append: &Append) -> Vec<Frame> {
        let frames = frames_of(append, self.next_lsn);
        self.next_lsn = Lsn(self.next_lsn.0 + frames.len() as u64);
        frames
    }
}

/// The frames of an append, numbered from `lsn` on.
pub(crate) fn frames_of(append: &Append, mut lsn: Lsn) -> Vec<Frame> {
    let (mut base, mut scarab) = (append.base, append.scarab_base);
    let mut frames = Vec::with_capacity(append.batches.len());
    for (header, batch) in &append.batches {
        let batch = batch.clone();
        let (partition, epoch) = (append.partition, append.epoch);
        frames.push(Frame::append(partition, lsn, epoch, base, scarab, header, batch));
        lsn = lsn.next();
        base = base.plus(header.records());
        scarab = scarab.map(|id| id.nth(header.records()));
    }
    frames
}

fn append_bytes(append: &Append) -> usize {
    let frame = crate::frame::FRAME_HEADER_BYTES;
    append.batches.iter().map(|(_, batch)| frame + batch.len()).sum()
}
