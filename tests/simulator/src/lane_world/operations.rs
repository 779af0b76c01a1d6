//! What happens in a life: ids, leases, time, and clocks that jump.

use super::grantor::{TERM_MS, lease};
use super::node::Process;
use super::{LaneBug, LaneWorld, NODES};
use crate::judge::Verdict;
use pyralog_counter::{LaneClock, LaneRefusal, Mutation};
use pyralog_directory::{Command, DirectoryError, Outcome};
use pyralog_env::Clock;
use pyralog_model::{LogicalClock, ScarabId};
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;

impl LaneWorld {
    /// One operation by chance.
    pub(super) fn operate(&mut self) -> Verdict {
        self.tally.operations += 1;
        let node = self.some_node();
        match self.chance.below(200) {
            0..120 => self.claim_some(node)?,
            120..132 => self.claim_of_copy(node)?,
            132..140 => self.renew(node)?,
            140..144 => self.release(node)?,
            144..150 => self.jump_obelisk(),
            150..154 => self.jump_node(node),
            154..156 => {
                self.tally.obelisk_restarts += 1;
                self.grantor.restart();
            }
            156..158 => self.kill(node)?,
            158 => self.stop_clean(node)?,
            159..162 => self.go_on_as_copy(node)?,
            _ => self.wait(),
        }
        Ok(())
    }

    pub(super) fn some_node(&self) -> usize {
        self.chance.below(NODES as u64) as usize
    }

    /// Takes a process out of its node, lets it act and puts it back.
    pub(super) fn with_process<T>(
        &mut self,
        node: usize,
        act: impl FnOnce(&mut LaneWorld, &mut Process) -> Verdict<T>,
    ) -> Verdict<Option<T>> {
        let Some(mut process) = self.nodes[node].process.take() else { return Ok(None) };
        let result = act(self, &mut process);
        self.nodes[node].process = Some(process);
        result.map(Some)
    }

    /// A consumer asks until it is given ids, or something has to be waited for.
    pub(super) fn claim_some(&mut self, node: usize) -> Verdict {
        // Few of those that fill a millisecond: the judge keeps every id.
        let count = match self.chance.below(1_000) {
            0..900 => 1 + self.chance.below(8),
            900..999 => 1 + self.chance.below(80),
            _ => 8_000 + self.chance.below(400),
        } as u32;
        self.with_process(node, |world, process| {
            for _ in 0..3 {
                match world.claim(node, process, count)? {
                    Some(LaneRefusal::NotDurable { .. }) => {
                        world.tally.refused_not_durable += 1;
                        if !world.raise(node, process)? {
                            break;
                        }
                    }
                    Some(LaneRefusal::Exhausted { .. }) => {
                        world.tally.refused_exhausted += 1;
                        world.lease(node, process)?;
                    }
                    Some(LaneRefusal::Ahead { .. }) => {
                        world.tally.refused_ahead += 1;
                        break;
                    }
                    None => break,
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// One claim, given to the judge. `Some` if it was refused.
    fn claim(
        &mut self,
        node: usize,
        process: &mut Process,
        count: u32,
    ) -> Verdict<Option<LaneRefusal>> {
        let now = self.nodes[node].now(process);
        let Some(lane) = &process.lane else {
            self.lease(node, process)?;
            return Ok(None);
        };
        let seen = self.judge.last(self.some_node()).map(ScarabId::clock);
        let claimed = match seen {
            Some(seen) if self.chance.percent(10) => {
                self.tally.causal += 1;
                // Another node's clock may be far ahead: then this one refuses.
                lane.claim_after(now, seen, count)
            }
            _ => lane.claim(now, count),
        };
        let base = match claimed {
            Ok(base) => base,
            Err(refusal) => return Ok(Some(refusal)),
        };
        self.tally.claims += 1;
        self.tally.ids += u64::from(count);
        let carried = u64::from(base.sequence()) + u64::from(count) > 8_192;
        self.tally.carried += u64::from(carried);
        self.judge.issued(node, false, lane.ids(base, count))?;
        if lane.needs_raise(now) && self.chance.percent(60) {
            self.raise(node, process)?;
        }
        if process.lane.as_ref().is_some_and(|lane| lane.needs_lease(now)) {
            self.lease(node, process)?;
        }
        Ok(None)
    }

    /// Raises the local bound, with claims while the sync is under way. False if
    /// the power went.
    pub(super) fn raise(&mut self, node: usize, process: &mut Process) -> Verdict<bool> {
        let now = self.nodes[node].now(process);
        if self.nodes[node].disk.is_off() {
            return Ok(false);
        }
        let Some(lane) = &process.lane else { return Ok(true) };
        let target = lane.raise_target(now);
        if self.bug == Some(LaneBug::BoundNotSyncedFirst) {
            lane.set_durable(target);
        }
        for _ in 0..self.chance.below(3) {
            if let Ok(base) = lane.claim(now, 5) {
                self.tally.claims_in_flight += 1;
                self.judge.issued(node, false, lane.ids(base, 5))?;
            }
        }
        match process.bound.raise(target.0) {
            Ok(()) => {
                self.tally.raises += 1;
                lane.set_durable(target);
                Ok(true)
            }
            Err(_) if self.nodes[node].disk.is_off() => Ok(false),
            Err(error) => Err(format!("the bound was not raised: {error}")),
        }
    }

    /// Asks for a lane, or for more of the one that is held.
    pub(super) fn lease(&mut self, node: usize, process: &mut Process) -> Verdict {
        let held = process.lane.as_ref();
        let used = held.map_or(LogicalClock(0), LaneClock::next);
        let floor = LogicalClock(process.bound.bound()).max(used);
        let now = self.grantor.now();
        let number = self.nodes[node].number;
        let had: Vec<_> = self.grantor.directory.lanes().map(|entry| entry.lane).collect();
        let answer = self.grantor.decide(&lease(number, process.incarnation, floor, now, TERM_MS));
        if self.chance.percent(5) {
            self.tally.answers_lost += 1;
            return Ok(());
        }
        let (lane, from, to) = match answer {
            Ok(Outcome::LaneLeased { lane, from, to }) => (lane, from, to),
            Ok(other) => return Err(format!("a lease was answered {other:?}")),
            Err(DirectoryError::LanesExhausted { .. }) => {
                self.tally.lanes_exhausted += 1;
                return Ok(());
            }
            Err(DirectoryError::NotThePresentStart) => {
                self.tally.fenced += 1;
                return Ok(());
            }
            Err(error) => return Err(format!("a lease was refused: {error}")),
        };
        process.steady.raise_to(now.max(floor).unix_ms(), self.nodes[node].clock.monotonic());
        match held {
            Some(held) if held.lane() == lane => {
                self.tally.extensions += 1;
                held.extend(to);
            }
            _ => {
                self.tally.leases += 1;
                self.tally.reused += u64::from(had.contains(&lane));
                if let Some(held) = held {
                    held.retire();
                }
                let bug = self.bug == Some(LaneBug::XorInsteadOfCarry);
                let mutation = bug.then_some(Mutation::XorInsteadOfCarry);
                let fresh = LaneClock::new(lane, from, to).with_mutation(mutation);
                process.lane = Some(fresh);
            }
        }
        Ok(())
    }

    fn renew(&mut self, node: usize) -> Verdict {
        self.with_process(node, |world, process| world.lease(node, process))?;
        Ok(())
    }

    fn release(&mut self, node: usize) -> Verdict {
        self.with_process(node, |world, process| world.give_back(node, process))?;
        Ok(())
    }

    /// Gives the lane back, and asks once more if the answer is lost.
    pub(super) fn give_back(&mut self, node: usize, process: &mut Process) -> Verdict {
        let Some(held) = process.lane.take() else { return Ok(()) };
        let (lane, granted_to, used_to) = (held.lane(), held.to(), held.retire());
        let (number, incarnation) = (self.nodes[node].number, process.incarnation);
        let command = Command::ReleaseLane { node: number, incarnation, lane, granted_to, used_to };
        // What was used is kept: the next lease must not begin below it.
        if process.bound.raise(used_to.0).is_err() {
            return Ok(());
        }
        match self.grantor.decide(&command) {
            Ok(Outcome::LaneReleased) => self.tally.releases += 1,
            // Long over, and another's already.
            Err(DirectoryError::LaneNotHeld(_)) => self.tally.fenced += 1,
            // The answer to its last extension was lost: the lease runs out.
            Err(DirectoryError::LaneGrantOld(_)) => self.tally.old_grants += 1,
            other => return Err(format!("a release was answered {other:?}")),
        }
        if self.chance.percent(20) {
            self.tally.answers_lost += 1;
            if self.grantor.decide(&command).is_ok() {
                return Err("a lane was released twice".to_owned());
            }
        }
        Ok(())
    }

    /// What a copy issues is of its old lease, and nothing else.
    fn claim_of_copy(&mut self, node: usize) -> Verdict {
        let Some(mut copy) = self.nodes[node].copy.take() else { return Ok(()) };
        let now = self.nodes[node].now(&copy);
        if let Some(lane) = &copy.lane {
            let count = 1 + self.chance.below(30) as u32;
            if let Ok(base) = lane.claim(now, count) {
                self.tally.copy_claims += 1;
                self.tally.ids += u64::from(count);
                self.judge.issued(node, true, lane.ids(base, count))?;
            }
        }
        if self.chance.percent(20) {
            // Its disk is its own: raises succeed there.
            if let Some(lane) = &copy.lane {
                lane.set_durable(lane.raise_target(now));
            }
            self.lease(node, &mut copy)?;
        }
        self.nodes[node].copy = Some(copy);
        Ok(())
    }

    fn jump_obelisk(&mut self) {
        let millis = self.some_jump();
        self.grantor.clock.jump_wall(millis);
        let count =
            if millis > 0 { &mut self.tally.jumps_ahead } else { &mut self.tally.jumps_back };
        *count += 1;
    }

    fn jump_node(&mut self, node: usize) {
        let millis = self.some_jump();
        self.nodes[node].clock.jump_wall(millis);
        self.tally.node_jumps += 1;
    }

    fn some_jump(&mut self) -> i64 {
        let most = [10, 1_000, 60_000, 900_000, DAY_MS][self.chance.below(5) as usize];
        self.tally.days += u64::from(most == DAY_MS);
        let millis = if most == DAY_MS { most } else { 1 + self.chance.below(most as u64) as i64 };
        if self.chance.percent(50) { millis } else { -millis }
    }

    /// Time passes for all alike, or does not.
    pub(super) fn wait(&mut self) {
        let micros = match self.chance.below(100) {
            0..30 => {
                self.tally.repeated += 1;
                self.chance.below(300)
            }
            30..70 => self.chance.below(20_000),
            70..90 => self.chance.below(2_000_000),
            90..98 => self.chance.below(300_000_000),
            _ => {
                self.tally.late += 1;
                u64::from(TERM_MS) * 1_000 + self.chance.below(300_000_000)
            }
        };
        let duration = Duration::from_micros(micros);
        self.grantor.advance(duration);
        self.nodes.iter().for_each(|node| node.clock.advance(duration));
    }
}
