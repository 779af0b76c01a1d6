//! Ends of lives: kills, power cuts in the middle of something, failed syncs.

use super::World;
use super::paper::Harm;
use crate::judge::Verdict;

/// Operations after which an end that was aimed at something comes anyhow.
const PATIENCE: u32 = 60;

impl World {
    /// If something has stopped the store, for a reason: another process starts.
    pub(super) fn restart_if_stopped(&mut self) -> Verdict {
        let Some(cause) = self.engine().failure().map(str::to_owned) else { return Ok(()) };
        self.hurt(&cause)?;
        self.kill()
    }

    pub(super) fn kill(&mut self) -> Verdict {
        self.tally.kills += 1;
        self.disk.kill_process();
        self.start(Harm::Kill)
    }

    /// Says what harm the next start has to expect.
    pub(super) fn end_life(&mut self) -> Verdict<Harm> {
        match self.chance.below(8) {
            0..3 => self.until(40, World::operate)?,
            3 => self.until(6, World::step)?,
            4 => self.until(20, |world| world.run_tasks(u64::MAX))?,
            5 => {
                let durability = self.some_durability();
                self.until(10, |world| world.create(durability))?;
            }
            6 => self.fail_a_sync()?,
            _ => {}
        }
        if self.chance.percent(40) {
            self.tally.kills += 1;
            self.disk.kill_process();
            return Ok(Harm::Kill);
        }
        self.tally.cuts += 1;
        self.tally.met += &self.disk.crash(self.chance.next());
        Ok(Harm::Cut)
    }

    /// Stops the disk in one of the next `operations` changes of it, during `act`.
    fn until(&mut self, operations: u64, mut act: impl FnMut(&mut World) -> Verdict) -> Verdict {
        self.lift_limits();
        self.disk.arm_crash_at(self.chance.below(operations));
        for _ in 0..PATIENCE {
            act(self)?;
            if self.disk.is_off() || self.engine().failure().is_some() {
                break;
            }
        }
        Ok(())
    }

    fn fail_a_sync(&mut self) -> Verdict {
        let parts = [".segment", ".segment", "floor", "/wal/", "meta.redb"];
        let part = self.chance.pick(&parts).expect("there are some");
        self.fault = true;
        self.disk.fail_next_sync(part);
        for _ in 0..PATIENCE {
            self.operate()?;
            if self.engine().failure().is_some() {
                self.tally.failed_syncs += 1;
                break;
            }
        }
        Ok(())
    }
}
