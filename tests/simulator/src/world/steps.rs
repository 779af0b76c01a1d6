//! Steps of the committer: many submissions at once, and the answers.

use super::World;
use crate::batches::{make_batch, some_bytes};
use crate::judge::{Attempt, Verdict};
use pyralog_log::{Append, Completion, LogError, Submission, WriterReport};
use pyralog_model::{BatchHeader, Epoch, Offset, PartitionId};
use std::collections::{BTreeMap, BTreeSet};

/// What a frame takes besides its batch, for sums of sizes.
const FRAME_BYTES: usize = 80;

/// A step takes no further append beyond this: a WAL file holds 56 KiB.
const STEP_BYTES_MAX: usize = 48 << 10;

/// Submissions that will be one step.
#[derive(Default)]
struct Draft {
    submissions: Vec<(PartitionId, Submission, Attempt)>,
    bytes: usize,
    ends: BTreeMap<PartitionId, u64>,
    cut_back: BTreeSet<PartitionId>,
}

impl World {
    /// One step of a few submissions to a few partitions.
    pub(super) fn step(&mut self) -> Verdict {
        let mut draft = Draft::default();
        let ids = self.alive();
        // Bulk belongs to one partition, the rest to all.
        let only = self.chance.percent(40).then(|| self.chance.pick(&ids)).flatten();
        for _ in 0..=self.chance.below(5) {
            let Some(id) = only.or_else(|| self.chance.pick(&ids)) else { return Ok(()) };
            if draft.cut_back.contains(&id) || draft.bytes > STEP_BYTES_MAX {
                continue;
            }
            match self.chance.percent(4) {
                true => self.draft_cut_back(id, &mut draft),
                false => self.draft_append(id, &mut draft),
            }
        }
        self.submit(draft)
    }

    /// One cut-back of a partition to anywhere.
    pub(super) fn cut_back(&mut self) -> Verdict {
        let mut draft = Draft::default();
        let Some(id) = self.chance.pick(&self.alive()) else { return Ok(()) };
        self.draft_cut_back(id, &mut draft);
        self.submit(draft)
    }

    /// After a failure the store must take nothing, and nothing of it may be seen.
    pub(super) fn probe_stopped(&mut self) -> Verdict {
        for id in self.alive() {
            let mut draft = Draft::default();
            // What is in flight may or may not count: any base will do.
            draft.ends.insert(id, self.judge.end(id));
            self.draft_append(id, &mut draft);
            let (_, submission, _) = draft.submissions.remove(0);
            let answer = self.engine().step(vec![submission]).remove(0);
            if !matches!(answer, Completion::Refused(LogError::Failed { .. })) {
                return Err(format!("after a failure the store answered {answer:?}"));
            }
        }
        Ok(())
    }

    /// A submission from a writer that was replaced.
    pub(super) fn stale_append(&mut self) -> Verdict {
        let Some(id) = self.chance.pick(&self.alive()) else { return Ok(()) };
        let mut draft = Draft::default();
        self.draft_append(id, &mut draft);
        let (_, submission, _) = draft.submissions.remove(0);
        self.open(id)?;
        match self.engine().step(vec![submission]).remove(0) {
            Completion::Refused(LogError::Fenced { .. }) => self.tally.refused_fenced += 1,
            other => return Err(format!("a stale append was answered {other:?}")),
        }
        Ok(())
    }

    /// Runs tasks until the WAL has room. False if the disk is too full for that.
    fn make_room(&mut self, bytes: usize) -> Verdict<bool> {
        while self.engine().failure().is_none() && !self.engine().has_room(bytes) {
            match self.engine().run_task() {
                Some(WriterReport::Stalled(_)) => {
                    self.tally.stalls += 1;
                    return if self.full { Ok(false) } else { Err("stalled with room".into()) };
                }
                Some(report) => self.note(&report),
                None => return Err("no room, and nothing to do about it".into()),
            }
        }
        Ok(true)
    }

    pub(super) fn note(&mut self, report: &WriterReport) {
        self.tally.tasks += 1;
        self.tally.recycled += u64::from(matches!(report, WriterReport::Released(_)));
    }

    fn draft_append(&mut self, id: PartitionId, draft: &mut Draft) {
        let (chance, seat) = (&self.chance, self.seats.get_mut(&id).expect("it is open"));
        seat.epoch += u32::from(chance.percent(2));
        let count = if chance.percent(80) { 1 } else { 1 + chance.below(3) };
        let (mut batches, mut attempts, mut bytes, mut records) = (Vec::new(), Vec::new(), 0, 0);
        for _ in 0..count {
            let count = 1 + chance.below(5);
            self.time += chance.below(3) as i64;
            let batch = make_batch(chance, count as u32, some_bytes(chance), self.time);
            let header = BatchHeader::parse(&batch).expect("batches are well-formed");
            bytes += batch.len() + FRAME_BYTES;
            records += count;
            attempts.push((count, batch.clone()));
            batches.push((header, batch));
            if draft.bytes + bytes > STEP_BYTES_MAX {
                break;
            }
        }
        let end = draft.ends.entry(id).or_insert_with(|| self.judge.end(id));
        let append = Append {
            partition: id,
            generation: seat.generation,
            epoch: Epoch(seat.epoch),
            base: Offset(*end),
            batches,
            scarab_base: None,
        };
        *end += records;
        draft.bytes += bytes;
        let attempt = Attempt::Append { epoch: seat.epoch, batches: attempts };
        draft.submissions.push((id, Submission::Append(append), attempt));
    }

    fn draft_cut_back(&mut self, id: PartitionId, draft: &mut Draft) {
        let end = *draft.ends.entry(id).or_insert_with(|| self.judge.end(id));
        let back = if self.chance.percent(75) { 30 } else { end + 1 };
        let end = end.saturating_sub(self.chance.below(back));
        let generation = self.seats[&id].generation;
        let submission = Submission::Truncate { partition: id, generation, end: Offset(end) };
        draft.submissions.push((id, submission, Attempt::Truncate { end }));
        draft.bytes += FRAME_BYTES;
        draft.cut_back.insert(id);
    }

    fn submit(&mut self, draft: Draft) -> Verdict {
        // A caller that does not wait for room is refused, not harmed.
        let patient = !self.chance.percent(10);
        if patient && !self.make_room(draft.bytes)? {
            return Ok(());
        }
        let (mut asked, mut submissions) = (Vec::new(), Vec::new());
        for (id, submission, attempt) in draft.submissions {
            self.judge.asked(id, attempt.clone());
            submissions.push(submission);
            asked.push((id, attempt));
        }
        let answers = self.engine().step(submissions);
        self.tally.operations += asked.len() as u64;
        let mut refused = BTreeSet::new();
        for ((id, attempt), answer) in asked.into_iter().zip(answers) {
            self.heed(id, &attempt, answer, &mut refused)?;
        }
        if self.engine().failure().is_none() {
            for id in refused {
                self.open(id)?;
            }
        }
        Ok(())
    }

    fn heed(
        &mut self,
        id: PartitionId,
        attempt: &Attempt,
        answer: Completion,
        refused: &mut BTreeSet<PartitionId>,
    ) -> Verdict {
        match (attempt, answer) {
            (Attempt::Append { batches, .. }, Completion::Appended(appended)) => {
                self.tally.appends += 1;
                self.tally.batches += batches.len() as u64;
                self.judge.acknowledged(id, appended.into_inner().end.0)
            }
            (Attempt::Truncate { .. }, Completion::Truncated(end)) => {
                self.tally.truncations += 1;
                self.judge.acknowledged(id, end.into_inner().0)
            }
            // It stays in flight: part of it may have reached the disk.
            (_, Completion::Refused(LogError::Failed { .. })) => Ok(()),
            (_, Completion::Refused(LogError::WalFull)) => {
                self.tally.refused_full += 1;
                refused.insert(id);
                self.judge.refused(id);
                Ok(())
            }
            (_, Completion::Refused(LogError::DiskFull { .. })) if self.full => {
                self.tally.refused_full += 1;
                refused.insert(id);
                self.judge.refused(id);
                Ok(())
            }
            (_, Completion::Refused(LogError::Fenced { .. })) if refused.contains(&id) => {
                self.judge.refused(id);
                Ok(())
            }
            (_, answer) => Err(format!("{id}: {attempt:?} was answered {answer:?}")),
        }
    }
}
