//! One operation of a life, of any kind.

use super::World;
use super::paper::Kept;
use crate::batches::{make_batch, some_bytes};
use crate::judge::Verdict;
use pyralog_log::{Append, Completion, LogError, Submission, WriterReport, WriterTask};
use pyralog_model::{BatchHeader, Durability, Epoch, Offset, PartitionId};
use std::collections::{BTreeMap, BTreeSet};

const PARTITIONS_MAX: usize = 6;
/// A WAL file holds 56 KiB.
const STEP_BYTES_MAX: usize = 40 << 10;

impl World {
    pub(super) fn operate(&mut self) -> Verdict {
        if self.full && self.chance.percent(15) {
            self.full = false;
            self.disk.set_capacity(u64::MAX);
        }
        match self.chance.below(1_000) {
            0..600 => self.step(),
            600..700 => self.run_tasks(1),
            700..760 => self.run_tasks(u64::MAX),
            760..860 => self.read(),
            860..880 => self.move_start(),
            880..900 => self.seal(),
            900..920 => self.reopen(),
            920..935 => {
                let durability = self.some_durability();
                self.create(durability)
            }
            935..945 => self.delete(),
            945..960 => {
                self.full = true;
                self.disk.set_capacity(self.disk.used_bytes() + self.chance.below(12) * 4096);
                Ok(())
            }
            960..975 => self.end_cleanly(),
            _ => self.kill_soundly(),
        }
    }

    pub(super) fn some_durability(&self) -> Durability {
        let all = [Durability::Fsync, Durability::PageCache, Durability::Memory];
        self.chance.pick(&all).expect("three")
    }

    /// A few appends to any partitions, in one step.
    pub(super) fn step(&mut self) -> Verdict {
        let ids = self.ids();
        let (mut drafts, mut bytes) = (Vec::new(), 0);
        let mut ends: BTreeMap<PartitionId, u64> = BTreeMap::new();
        for _ in 0..=self.chance.below(6) {
            let Some(id) = self.chance.pick(&ids).filter(|_| bytes < STEP_BYTES_MAX) else { break };
            let end = ends.entry(id).or_insert(self.papers[&id].end());
            let (append, kept) = self.draft(id, *end);
            *end = kept.last().map_or(*end, |last| last.base + last.records);
            bytes += append.batches.iter().map(|(_, batch)| batch.len() + 80).sum::<usize>();
            drafts.push((id, append, kept));
        }
        if !self.make_room(bytes)? {
            return Ok(());
        }
        let appends = drafts.iter().map(|(_, append, _)| clone_of(append));
        let submissions = appends.map(Submission::Append).collect();
        let answers = self.engine().step(submissions);
        let mut refused = BTreeSet::new();
        for ((id, _, kept), answer) in drafts.into_iter().zip(answers) {
            self.heed(id, kept, answer, &mut refused)?;
        }
        for id in refused {
            if self.engine().failure().is_none() {
                self.open(id, false)?;
            }
        }
        self.judge_memory()
    }

    fn draft(&mut self, id: PartitionId, end: u64) -> (Append, Vec<Kept>) {
        let (mut batches, mut kept, mut base) = (Vec::new(), Vec::new(), end);
        let epoch = self.papers[&id].epoch;
        for _ in 0..=self.chance.below(2) {
            let records = 1 + self.chance.below(4);
            self.time += 1;
            let bytes = some_bytes(&self.chance);
            let sent = make_batch(&self.chance, records as u32, bytes, self.time);
            batches.push((BatchHeader::parse(&sent).expect("well-formed"), sent.clone()));
            kept.push(Kept { base, records, epoch, sent });
            base += records;
        }
        let append = Append {
            partition: id,
            generation: self.seats[&id],
            epoch: Epoch(epoch),
            base: Offset(end),
            batches,
            scarab_base: None,
        };
        (append, kept)
    }

    fn heed(
        &mut self,
        id: PartitionId,
        kept: Vec<Kept>,
        answer: Completion,
        refused: &mut BTreeSet<PartitionId>,
    ) -> Verdict {
        let paper = self.papers.get_mut(&id).expect("it is there");
        let hole_planted = self.options.mutation == Some(pyralog_log::Mutation::HoleInWal);
        match (answer, paper.durability) {
            (Completion::Appended(_), Durability::Fsync) => self.tally.synced_appends += 1,
            (Completion::Appended(_), Durability::PageCache) if hole_planted => {}
            (Completion::Accepted(_), Durability::PageCache) => self.tally.written_appends += 1,
            (Completion::Accepted(_), Durability::Memory) => self.tally.memory_appends += 1,
            (Completion::Refused(LogError::Failed { cause }), _) => {
                paper.failed(kept);
                return self.hurt(&cause);
            }
            (Completion::Refused(LogError::DiskFull { .. } | LogError::WalFull), _)
                if self.full =>
            {
                self.tally.refused_full += 1;
                refused.insert(id);
                return Ok(());
            }
            (Completion::Refused(LogError::Fenced { .. }), _) if refused.contains(&id) => {
                return Ok(());
            }
            (answer, durability) => {
                return Err(format!("{id}: an append to {durability} was answered {answer:?}"));
            }
        }
        paper.acknowledged(kept);
        Ok(())
    }

    /// Runs tasks until the WAL has room. False if the disk is too full for that.
    fn make_room(&mut self, bytes: usize) -> Verdict<bool> {
        while self.engine().failure().is_none() && !self.engine().has_room(bytes) {
            if !self.run_task()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn run_tasks(&mut self, count: u64) -> Verdict {
        for _ in 0..count {
            if !self.engine().has_tasks() || !self.run_task()? {
                break;
            }
        }
        Ok(())
    }

    /// False if there is no room to do it.
    fn run_task(&mut self) -> Verdict<bool> {
        let mut synced = Vec::new();
        if let Some(WriterTask::Checkpoint { partitions, .. }) = self.engine().next_task() {
            synced.extend(partitions.iter().map(|log| (log.id(), log.bounds().1.0)));
        }
        match self.engine().run_task() {
            None => Err("no room, and nothing to do about it".to_owned()),
            Some(WriterReport::Stalled(_)) if self.full => Ok(false),
            Some(WriterReport::Stalled(what)) => Err(format!("stalled with room: {what}")),
            Some(WriterReport::Failed(cause)) => self.hurt(&cause).map(|()| false),
            Some(_) => {
                self.tally.tasks += 1;
                for (id, end) in synced {
                    if let Some(paper) = self.papers.get_mut(&id) {
                        paper.synced(end);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Logs in memory keep within their budgets.
    fn judge_memory(&mut self) -> Verdict {
        let (of_log, of_all) = (self.options.memory_log_bytes, self.options.memory_bytes_max);
        let mut sum = 0;
        for id in self.ids() {
            let log = self.engine().partitions[&id].clone();
            let paper = &self.papers[&id];
            if paper.durability == Durability::Memory {
                let bytes = log.sizes().tail_bytes;
                let (start, end) = log.bounds();
                if bytes > of_log.max(STEP_BYTES_MAX) && end.0 - start.0 > 4 {
                    return Err(format!("{id} takes {bytes} bytes of memory"));
                }
                self.tally.dropped += u64::from(start.0 > paper.start());
                sum += bytes;
                self.is_there(id)?;
            }
        }
        match sum <= of_all && self.engine().memory_bytes() <= of_all as u64 {
            true => Ok(()),
            false => Err(format!("logs in memory take {sum} bytes, {of_all} is the most")),
        }
    }

    fn is_there(&mut self, id: PartitionId) -> Verdict {
        let log = self.engine().partitions[&id].clone();
        let paper = self.papers.get_mut(&id).expect("it is there");
        paper.is_there(&log).map_err(|what| format!("{id}: {what}"))
    }

    fn read(&mut self) -> Verdict {
        let Some(id) = self.chance.pick(&self.ids()) else { return Ok(()) };
        self.is_there(id)?;
        let log = self.engine().partitions[&id].clone();
        let start = self.papers[&id].start();
        match start.checked_sub(1).map(|before| log.read(Offset(before), 100)) {
            None | Some(Err(LogError::OutOfRange { .. })) => Ok(()),
            Some(other) => Err(format!("{id}: a read before the start gave {other:?}")),
        }
    }

    fn move_start(&mut self) -> Verdict {
        let Some(id) = self.chance.pick(&self.ids()) else { return Ok(()) };
        self.is_there(id)?;
        let paper = self.papers.get_mut(&id).expect("it is there");
        let (start, end) = (paper.start(), paper.end());
        let to = start + self.chance.below(end - start + 1);
        paper.ask_start(to);
        let moved = self.engine().move_start(id, Offset(to));
        let paper = self.papers.get_mut(&id).expect("it is there");
        match moved {
            Ok(Offset(moved)) if moved == to => {
                paper.answer_start(to);
                if to > start {
                    // What is kept of it begins there, whatever happens.
                    paper.synced(if paper.durability == Durability::Memory { 0 } else { end });
                    self.tally.starts_moved += 1;
                }
                Ok(())
            }
            Ok(other) => Err(format!("{id}: the start was moved to {other}, not to {to}")),
            Err(LogError::DiskFull { .. }) if self.full => {
                paper.refuse_start();
                Ok(())
            }
            Err(error) => self.hurt(&error.to_string()),
        }
    }

    fn seal(&mut self) -> Verdict {
        let Some(id) = self.chance.pick(&self.ids()) else { return Ok(()) };
        match self.engine().seal(id) {
            Ok(()) => {
                self.tally.sealed += 1;
                Ok(())
            }
            Err(LogError::DiskFull { .. }) if self.full => Ok(()),
            Err(error) => self.hurt(&error.to_string()),
        }
    }

    fn reopen(&mut self) -> Verdict {
        match self.chance.pick(&self.ids()) {
            Some(id) => self.open(id, false),
            None => Ok(()),
        }
    }

    pub(super) fn create(&mut self, durability: Durability) -> Verdict {
        if self.papers.len() >= PARTITIONS_MAX {
            return Ok(());
        }
        let id = PartitionId::new(self.next_log, 0);
        self.next_log += 1;
        self.creating.insert(id, durability);
        match self.engine().create(id, durability) {
            Ok(()) => {
                self.tally.created += 1;
                self.creating.remove(&id);
                self.papers.insert(id, super::Paper::new(durability));
                self.open(id, true)
            }
            Err(error) => self.hurt(&error.to_string()),
        }
    }

    fn delete(&mut self) -> Verdict {
        let ids = self.ids();
        let Some(id) = self.chance.pick(&ids).filter(|_| ids.len() > 3) else { return Ok(()) };
        self.deleting.insert(id);
        self.papers.remove(&id);
        self.seats.remove(&id);
        match self.engine().step(vec![Submission::Close(id)]).remove(0) {
            Completion::Closed => {}
            other => return Err(format!("{id} was not closed: {other:?}")),
        }
        self.run_tasks(self.chance.below(3))?;
        if self.disk.is_off() || self.engine().failure().is_some() {
            return Ok(());
        }
        match self.engine().delete(id.log) {
            Ok(()) => {
                self.deleting.remove(&id);
                self.tally.deleted += 1;
                Ok(())
            }
            Err(error) => self.hurt(&error.to_string()),
        }
    }

    /// After a clean end nothing is lost but what is in memory, and that log goes on
    /// at the very offset.
    fn end_cleanly(&mut self) -> Verdict {
        if self.full || self.fault || self.disk.is_off() {
            return Ok(());
        }
        self.engine().finish_relaxed();
        self.engine().ask_to_finish();
        self.run_tasks(u64::MAX)?;
        if self.engine().has_tasks() || self.disk.is_off() {
            return Ok(());
        }
        self.tally.clean_ends += 1;
        let ends: Vec<(PartitionId, u64)> =
            self.papers.iter().map(|(id, paper)| (*id, paper.end())).collect();
        self.tally.met += &self.disk.crash(self.chance.next());
        self.start(super::Harm::Cut)?;
        for (id, end) in ends {
            let now = self.papers[&id].end();
            if now != end {
                return Err(format!("{id}: a clean end at {end} was followed by {now}"));
            }
        }
        Ok(())
    }

    fn kill_soundly(&mut self) -> Verdict {
        match self.fault || self.disk.is_off() {
            true => Ok(()),
            false => self.kill(),
        }
    }
}

fn clone_of(append: &Append) -> Append {
    let Append { partition, generation, epoch, base, ref batches, scarab_base } = *append;
    Append { partition, generation, epoch, base, batches: batches.clone(), scarab_base }
}
