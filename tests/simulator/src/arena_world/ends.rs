//! How a life ends: cleanly, by a kill, by a failed sync, or by the power going in
//! the middle of something chosen.

use super::{ArenaWorld, Doing};
use crate::judge::Verdict;
use pyralog_counter::ClaimRefusal;

/// Operations after which an end that was aimed at something comes anyhow.
const PATIENCE: u32 = 200;

impl ArenaWorld {
    /// Ends the life with a power cut. True if the next start is to be cut too.
    pub(super) fn end_life(&mut self) -> Verdict<bool> {
        let mut cut_next_start = self.chance.percent(5);
        match self.chance.below(12) {
            0..2 => self.cut_within(40, ArenaWorld::operate)?,
            2..5 => self.cut_within(8, ArenaWorld::raise)?,
            5 => self.cut_within(4, ArenaWorld::create)?,
            6 => self.cut_within(3, |world| {
                world.write_back();
                Ok(())
            })?,
            7..9 => {
                self.disk.arm_crash_at(self.chance.below(6));
                self.close()?;
                cut_next_start |= self.chance.percent(30);
            }
            9 => cut_next_start = true,
            10 => self.fail_a_sync()?,
            _ => {
                self.kill()?;
                self.cut_within(6, ArenaWorld::raise)?;
            }
        }
        let met = match if self.disk.is_off() { self.doing } else { Doing::Nothing } {
            Doing::Start => &mut self.tally.cuts_in_start,
            Doing::Create => &mut self.tally.cuts_in_create,
            Doing::Raise => &mut self.tally.cuts_in_raise,
            Doing::Sync => &mut self.tally.cuts_in_sync,
            Doing::Writeback => &mut self.tally.cuts_in_writeback,
            Doing::Close => &mut self.tally.cuts_in_close,
            Doing::Nothing => &mut self.tally.cuts_at_rest,
        };
        *met += 1;
        self.crash();
        Ok(cut_next_start)
    }

    fn cut_within(
        &mut self,
        operations: u64,
        mut act: impl FnMut(&mut ArenaWorld) -> Verdict,
    ) -> Verdict {
        self.disk.arm_crash_at(self.chance.below(operations));
        for _ in 0..PATIENCE {
            if self.disk.is_off() {
                break;
            }
            act(self)?;
        }
        Ok(())
    }

    /// A clean end and the start after it.
    pub(super) fn restart_clean(&mut self) -> Verdict {
        if self.close()? {
            self.start(false)?;
        }
        Ok(())
    }

    /// True if the arena says that it has ended cleanly.
    fn close(&mut self) -> Verdict<bool> {
        self.doing = Doing::Close;
        let handles: Vec<_> = self.handles.values().cloned().collect();
        let closed = self.arena().close_clean();
        if self.heed(closed)?.is_none() {
            return Ok(false);
        }
        for handle in handles {
            if handle.claim(1) != Err(ClaimRefusal::Closed) {
                return Err("a value was issued after the clean end".to_owned());
            }
        }
        self.forget();
        self.judge.stopped_clean();
        // The kernel may go on writing, or the power may go: all is durable.
        let _ = self.kernel.survive_kill();
        if self.disk.is_off() {
            self.crash();
        }
        self.disk.kill_process();
        Ok(true)
    }

    /// As a SIGKILL: the kernel still has everything.
    pub(super) fn kill(&mut self) -> Verdict {
        if self.disk.is_off() {
            return Ok(());
        }
        self.tally.kills += 1;
        self.judge.stopped_unclean();
        self.forget();
        if self.kernel.survive_kill().is_err() && !self.full && !self.disk.is_off() {
            return Err("the kernel lost pages".to_owned());
        }
        if self.disk.is_off() {
            // The power went instead.
            self.crash();
        } else {
            self.disk.kill_process();
        }
        self.start(false)
    }

    /// Makes a sync fail: nothing more may be issued, and whatever was must survive
    /// the power cut that follows.
    fn fail_a_sync(&mut self) -> Verdict {
        self.disk.set_capacity(u64::MAX);
        (self.full, self.fault) = (false, true);
        self.disk.fail_next_sync("arena");
        for _ in 0..PATIENCE {
            self.claim_some()?;
            self.raise()?;
            if self.arena().failure().is_some() {
                self.tally.failed_syncs += 1;
                break;
            }
        }
        for handle in self.handles.values() {
            if handle.claim(1).is_ok() {
                return Err("a value was issued after a failed sync".to_owned());
            }
        }
        // A new process on the same kernel sees what the failed sync has lost.
        if self.chance.percent(50) {
            self.kill()?;
            self.cut_within(10, ArenaWorld::raise)?;
        }
        Ok(())
    }
}
