//! One operation of a life, of any kind.

use super::{Fate, World, some_segment_bytes};
use crate::judge::Verdict;
use pyralog_log::{Completion, Submission, WriterReport};
use pyralog_model::{Durability, LogNumber, Offset, PartitionId};
use std::collections::BTreeSet;

const PARTITIONS_MAX: usize = 6;

impl World {
    /// Does something. The power may be off and the store stopped afterwards.
    pub(super) fn operate(&mut self) -> Verdict {
        if self.alive().is_empty() {
            return self.create();
        }
        if self.full && self.chance.percent(8) {
            self.full = false;
            self.disk.set_capacity(u64::MAX);
        }
        match self.chance.below(1_000) {
            0..620 => self.step(),
            620..760 => self.run_tasks(1),
            760..800 => self.run_tasks(u64::MAX),
            800..925 => self.read(),
            925..940 => self.create(),
            940..950 => self.delete_some(),
            950..962 => self.stale_append(),
            962..975 => self.resize_segments(),
            975..985 => self.fill_disk(),
            985..992 => self.end_cleanly(),
            _ => self.kill(),
        }
    }

    /// If a full disk has stopped the store: nothing is taken any more, until it
    /// is started again.
    pub(super) fn restart_if_stopped(&mut self) -> Verdict {
        let Some(cause) = self.engine().failure().map(str::to_owned) else { return Ok(()) };
        if !self.full {
            return Err(format!("the store stopped: {cause}"));
        }
        self.tally.failed_full += 1;
        self.probe_stopped()?;
        self.disk.kill_process();
        self.start(false)
    }

    pub(super) fn run_tasks(&mut self, mut count: u64) -> Verdict {
        while count > 0 && self.engine().has_tasks() {
            count -= 1;
            self.tally.operations += 1;
            let report = self.engine().run_task().expect("there is a task");
            if matches!(report, WriterReport::Stalled(_)) {
                self.tally.stalls += 1;
                return if self.full { Ok(()) } else { Err(format!("{report:?} with room")) };
            }
            self.note(&report);
        }
        Ok(())
    }

    pub(super) fn create(&mut self) -> Verdict {
        let alive = self.alive();
        if alive.len() >= PARTITIONS_MAX {
            return Ok(());
        }
        let beside = self.chance.pick(&alive).filter(|_| self.chance.percent(50));
        let id = match beside {
            Some(other) => {
                let taken = self.fates.keys().filter(|id| id.log == other.log).count();
                PartitionId::new(other.log.0, taken as u32)
            }
            None => PartitionId::new(self.next_log, 0),
        };
        self.next_log = self.next_log.max(id.log.0 + 1);
        self.fates.insert(id, Fate::Creating);
        self.tally.operations += 1;
        match self.engine().create(id, Durability::Fsync) {
            Ok(()) => {
                self.tally.created += 1;
                self.fates.insert(id, Fate::Alive);
                self.judge.created(id);
                self.open(id)
            }
            Err(_) if self.is_off() => Ok(()),
            Err(error) => self.stop(error.to_string()),
        }
    }

    pub(super) fn delete_some(&mut self) -> Verdict {
        let logs: BTreeSet<LogNumber> = self.alive().iter().map(|id| id.log).collect();
        let logs: Vec<LogNumber> = logs.into_iter().collect();
        if logs.len() < 2 {
            return Ok(());
        }
        let log = self.chance.pick(&logs).expect("there are two");
        for id in self.alive().into_iter().filter(|id| id.log == log) {
            self.fates.insert(id, Fate::Deleting);
            self.judge.forgotten(id);
            match self.engine().step(vec![Submission::Close(id)]).remove(0) {
                Completion::Closed => {}
                other => return Err(format!("{id} was not closed: {other:?}")),
            }
        }
        // The segment writer knows nothing yet and goes on with its tasks.
        self.run_tasks(self.chance.below(3))?;
        if self.is_off() || self.engine().failure().is_some() {
            return Ok(());
        }
        self.delete(log)
    }

    /// Removes the files of a log that is closed, or was never opened.
    pub(super) fn delete(&mut self, log: LogNumber) -> Verdict {
        self.tally.operations += 1;
        match self.engine().delete(log) {
            Ok(()) => {
                self.tally.deleted += 1;
                let fates = self.fates.iter_mut().filter(|(id, _)| id.log == log);
                fates.for_each(|(_, fate)| *fate = Fate::Gone);
                Ok(())
            }
            Err(_) if self.is_off() => Ok(()),
            Err(error) => self.stop(error.to_string()),
        }
    }

    fn read(&mut self) -> Verdict {
        let Some(id) = self.chance.pick(&self.alive()) else { return Ok(()) };
        self.tally.reads += 1;
        let log = self.engine().partitions[&id].clone();
        let from = self.chance.below(self.judge.end(id) + 1);
        let slice = log.read(Offset(from), self.chance.below(40_000) as usize);
        let slice = slice.map_err(|error| format!("{id}: {error}"))?;
        self.judge.read(id, from, &slice.pieces.concat())?;
        let time = 1_000 + self.chance.below((self.time - 999) as u64) as i64;
        let batch =
            log.batch_at_time(time, Offset::ZERO).map_err(|error| format!("{id}: {error}"))?;
        self.judge.at_time(id, time, batch.as_deref())
    }

    fn resize_segments(&mut self) -> Verdict {
        let Some(id) = self.chance.pick(&self.alive()) else { return Ok(()) };
        let bytes = some_segment_bytes(&self.chance);
        self.engine().partitions[&id].set_segment_bytes(bytes);
        Ok(())
    }

    fn fill_disk(&mut self) -> Verdict {
        self.full = true;
        self.disk.set_capacity(self.disk.used_bytes() + self.chance.below(12) * 4096);
        Ok(())
    }

    fn end_cleanly(&mut self) -> Verdict {
        self.engine().ask_to_finish();
        self.run_tasks(u64::MAX)?;
        if self.is_off() || self.engine().failure().is_some() || self.engine().has_tasks() {
            return Ok(());
        }
        self.tally.clean_ends += 1;
        self.start(false)?;
        let report = self.engine().report;
        if (report.rounds, report.torn_tails) != (0, 0) {
            return Err(format!("after a clean end a start found {report:?}"));
        }
        Ok(())
    }

    fn kill(&mut self) -> Verdict {
        if self.fault {
            // What a failed directory sync has lost cannot be seen by a new process.
            return Ok(());
        }
        self.tally.kills += 1;
        self.disk.kill_process();
        self.start(false)
    }

    /// An error outside the committer: the store stops, if it may.
    fn stop(&mut self, cause: String) -> Verdict {
        if !self.full && !self.fault {
            return Err(cause);
        }
        self.engine().fail(cause);
        Ok(())
    }
}
