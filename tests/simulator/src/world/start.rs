//! A start: on whatever the last life left, perhaps cut itself, and then the
//! judge reads everything.

use super::{Fate, Seat, World};
use crate::engine::Engine;
use crate::judge::Verdict;
use pyralog_log::{Completion, PartitionLog, Submission};
use pyralog_model::{LogNumber, Offset, PartitionId};
use std::collections::BTreeSet;

/// Mutating operations of the disk among which a start may be cut.
const START_OPERATIONS: u64 = 60;

impl World {
    /// Starts the store and holds it to all it ever acknowledged. `cut` makes the
    /// power go in the first try.
    pub(super) fn start(&mut self, mut cut: bool) -> Verdict {
        self.keep_counts();
        self.engine = None;
        self.seats.clear();
        self.lift_limits();
        let engine = loop {
            if cut {
                self.disk.arm_crash_at(self.chance.below(START_OPERATIONS));
            }
            let little_room = !cut && self.chance.percent(3);
            if little_room {
                self.disk.set_capacity(self.disk.used_bytes() + self.chance.below(3) * 4096);
            }
            let started = Engine::start(&self.disk, &self.options);
            self.lift_limits();
            match started {
                Ok(engine) if !self.is_off() => break engine,
                _ if self.is_off() => {
                    self.tally.met += &self.disk.crash(self.chance.next());
                    self.tally.recovery_cuts += 1;
                }
                Err(_) if little_room => {
                    self.tally.starts_without_room += 1;
                    self.disk.kill_process();
                }
                Err(error) => return Err(format!("the start was refused: {error}")),
                Ok(_) => unreachable!("either on or off"),
            }
            cut = self.chance.percent(20);
        };
        self.disk.arm_crash_at(u64::MAX);
        self.tally.starts += 1;
        self.tally.replayed += engine.report.frames_replayed;
        self.tally.torn_tails += engine.report.torn_tails;
        self.engine = Some(engine);
        let half_deleted = self.judge_partitions()?;
        for id in self.alive() {
            self.judge_content(id)?;
            self.open(id)?;
        }
        for log in half_deleted {
            self.delete(log)?;
        }
        Ok(())
    }

    /// Which partitions there are. Returns the logs whose deletion must be asked
    /// for again.
    fn judge_partitions(&mut self) -> Verdict<BTreeSet<LogNumber>> {
        let found: BTreeSet<PartitionId> = self.engine().partitions.keys().copied().collect();
        let mut half_deleted = BTreeSet::new();
        for &id in &found {
            match self.fates.get(&id) {
                Some(Fate::Alive) => {}
                Some(Fate::Creating) => {
                    self.fates.insert(id, Fate::Alive);
                    self.judge.created(id);
                }
                Some(Fate::Deleting) => {
                    half_deleted.insert(id.log);
                }
                Some(Fate::Gone) | None => return Err(format!("partition {id} came back")),
            }
        }
        for (id, fate) in &mut self.fates {
            match fate {
                Fate::Alive if !found.contains(id) => {
                    return Err(format!("partition {id} is gone"));
                }
                Fate::Creating => *fate = Fate::Gone,
                Fate::Deleting if !half_deleted.contains(&id.log) => *fate = Fate::Gone,
                _ => {}
            }
        }
        Ok(half_deleted)
    }

    fn judge_content(&mut self, id: PartitionId) -> Verdict {
        let log = self.engine().partitions[&id].clone();
        let (stored, end) = read_all(&log).map_err(|error| format!("{id}: {error}"))?;
        self.tally.batches_judged += self.judge.found(id, end, &stored)?;
        Ok(())
    }

    /// Takes a partition's seat: a new generation, and an epoch that is not lower.
    pub(super) fn open(&mut self, id: PartitionId) -> Verdict {
        let log = self.engine().partitions[&id].clone();
        match self.engine().step(vec![Submission::Open(log)]).remove(0) {
            Completion::Opened(opened) => {
                self.judge.opened(id, opened.end.0, opened.last_epoch.0)?;
                let epoch = self.judge.epoch_asked(id) + u32::from(self.chance.percent(30));
                self.seats.insert(id, Seat { generation: opened.generation, epoch });
                Ok(())
            }
            other => Err(format!("{id} was not opened: {other:?}")),
        }
    }
}

/// Everything a partition holds, from offset 0, and its end.
fn read_all(log: &PartitionLog) -> Result<(Vec<u8>, u64), String> {
    let (start, end) = log.bounds();
    if start != Offset(0) {
        return Err(format!("it begins at {start}"));
    }
    let (mut stored, mut from) = (Vec::new(), 0);
    while from < end.0 {
        let slice = log.read(Offset(from), 256 << 10).map_err(|error| error.to_string())?;
        let begin = stored.len();
        slice.pieces.iter().for_each(|piece| stored.extend_from_slice(piece));
        let next = end_of(&stored[begin..]).filter(|next| *next > from);
        from = next.ok_or(format!("a read from {from} leads nowhere"))?;
    }
    Ok((stored, end.0))
}

/// The offset after the last of these batches.
fn end_of(mut batches: &[u8]) -> Option<u64> {
    let mut end = None;
    while !batches.is_empty() {
        let base = u64::from_be_bytes(batches.get(0..8)?.try_into().ok()?);
        let length = u32::from_be_bytes(batches.get(8..12)?.try_into().ok()?);
        let records = u32::from_be_bytes(batches.get(57..61)?.try_into().ok()?);
        end = Some(base + u64::from(records));
        batches = batches.get(length as usize + 12..)?;
    }
    end
}
