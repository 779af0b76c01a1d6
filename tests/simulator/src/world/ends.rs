//! The end of a life: where the power goes. Left to chance it would nearly
//! always go in an append, so most ends are aimed at something rarer.

use super::World;
use crate::judge::Verdict;

/// Operations after which an end that was aimed at something comes anyhow.
const PATIENCE: u32 = 300;

impl World {
    /// Ends the life with a power cut. True if the next start is to be cut too.
    pub(super) fn end_life(&mut self) -> Verdict<bool> {
        let mut cut_next_start = self.chance.percent(5);
        match self.chance.below(14) {
            0..3 => self.cut_within(150, World::operate)?,
            3 => self.cut_within(4, World::create)?,
            4 => {
                self.create()?;
                let operations = self.chance.pick(&[2, 12]).expect("two");
                self.cut_within(operations, World::delete_some)?;
            }
            5 => self.cut_within(12, World::cut_back)?,
            6..8 => {
                self.engine().ask_to_finish();
                self.cut_within(30, |world| world.run_tasks(u64::MAX))?;
            }
            8 => self.cut_within(3, World::step)?,
            9 => self.cut_within(12, World::step)?,
            10 => cut_next_start = true,
            11 => self.fail_a_sync()?,
            12 => {
                self.kill_within(40)?;
                self.cut_within(30, World::operate)?;
            }
            _ => {
                self.kill_within(10)?;
                self.cut_within(6, World::step)?;
            }
        }
        let report = self.disk.crash(self.chance.next());
        self.tally.met += &report;
        Ok(cut_next_start)
    }

    /// Cuts the power in one of the next `operations` changes of the disk, while
    /// the world does `act`.
    fn cut_within(
        &mut self,
        operations: u64,
        mut act: impl FnMut(&mut World) -> Verdict,
    ) -> Verdict {
        if self.is_off() {
            return Ok(());
        }
        self.disk.arm_crash_at(self.chance.below(operations));
        for _ in 0..PATIENCE {
            act(self)?;
            if self.is_off() || self.engine().failure().is_some() {
                break;
            }
        }
        if !self.is_off() {
            self.judge_stop()?;
        }
        Ok(())
    }

    /// Kills the process in the middle of an operation: what is seen afterwards
    /// need not be durable, and the next store must not believe that it is.
    fn kill_within(&mut self, operations: u64) -> Verdict {
        self.cut_within(operations, World::operate)?;
        self.tally.kills += 1;
        self.disk.kill_process();
        self.start(false)
    }

    /// Makes a sync fail. The store must stop, and whatever it had acknowledged
    /// must survive the power cut that follows.
    fn fail_a_sync(&mut self) -> Verdict {
        let parts = ["/wal/", ".segment", ".segment", "/logs/", "meta.redb"];
        let part = self.chance.pick(&parts).expect("there are some");
        self.lift_limits();
        self.fault = true;
        self.disk.fail_next_sync(part);
        for _ in 0..PATIENCE {
            self.operate()?;
            if self.engine().failure().is_some() {
                self.tally.failed_syncs += 1;
                self.probe_stopped()?;
                break;
            }
        }
        // A new process on the same kernel sees what the failed sync has lost.
        let rewritten = part == ".segment" || part == "meta.redb";
        if rewritten && self.engine().failure().is_some() && self.chance.percent(50) {
            self.disk.kill_process();
            self.start(false)?;
            return self.cut_within(20, World::operate);
        }
        Ok(())
    }

    /// A store that stopped with the power on had a reason.
    fn judge_stop(&mut self) -> Verdict {
        let Some(cause) = self.engine().failure().map(str::to_owned) else { return Ok(()) };
        if self.full || self.fault {
            return self.probe_stopped();
        }
        Err(format!("the store stopped: {cause}"))
    }
}
