//! Starts of a node, and how its lives end.

use super::grantor::start_node;
use super::node::Process;
use super::{LaneWorld, NODES};
use crate::judge::Verdict;
use pyralog_counter::{BoundFile, SteadyClock};
use pyralog_directory::Outcome;
use pyralog_env::{Clock, Disk};
use pyralog_model::{Incarnation, LogicalClock, StartToken, StoreId};
use std::path::Path;
use std::sync::Arc;

const LANE: &str = "/lane";
/// Operations after which an end that was aimed at something comes anyhow.
const PATIENCE: u32 = 100;

impl LaneWorld {
    /// Starts a node on whatever its disk holds; the first start of all, which
    /// makes the file, may be cut.
    pub(super) fn start(&mut self, node: usize, cut: bool) -> Verdict {
        self.tally.starts += 1;
        let incarnation = self.register(node)?;
        if cut {
            self.nodes[node].disk.arm_crash_at(self.chance.below(5));
        }
        let disk: Arc<dyn Disk> = Arc::new(self.nodes[node].disk.clone());
        let store = StoreId(node as u128 + 1);
        let bound = match BoundFile::open(&disk, Path::new(LANE), store) {
            Ok(bound) => bound,
            Err(error) if !self.nodes[node].disk.is_off() => {
                return Err(format!("the bound is not found: {error}"));
            }
            Err(_) => {
                self.tally.cuts_in_start += 1;
                self.crash(node);
                return self.start(node, false);
            }
        };
        self.judge.found(node, LogicalClock(bound.bound()))?;
        let floor = LogicalClock(bound.bound());
        let at = self.nodes[node].clock.monotonic();
        let steady = SteadyClock::new(floor.unix_ms(), at);
        let mut process = Process { bound, lane: None, steady, incarnation };
        self.lease(node, &mut process)?;
        self.nodes[node].process = Some(process);
        Ok(())
    }

    /// Registers the start, a second time if the answer was lost.
    fn register(&mut self, node: usize) -> Verdict<Incarnation> {
        let next =
            StartToken(u128::from(self.chance.next()) << 64 | u128::from(self.chance.next()));
        let command = start_node(node, self.nodes[node].tokens.clone(), next);
        let mut last = None;
        loop {
            let answer = self.grantor.decide(&command);
            let Ok(Outcome::NodeStarted { number, incarnation }) = answer else {
                return Err(format!("a start was answered {answer:?}"));
            };
            if last.is_some_and(|last| last != incarnation) {
                return Err("the same start was given two incarnations".to_owned());
            }
            last = Some(incarnation);
            if self.chance.percent(10) {
                self.tally.answers_lost += 1;
                self.tally.starts_repeated += 1;
                continue;
            }
            self.nodes[node].number = number;
            self.nodes[node].tokens = vec![next];
            return Ok(incarnation);
        }
    }

    /// As a SIGKILL: nothing that was written is lost.
    pub(super) fn kill(&mut self, node: usize) -> Verdict {
        self.tally.kills += 1;
        self.nodes[node].disk.kill_process();
        self.nodes[node].reboot();
        self.start(node, false)
    }

    /// Gives the lane back and starts again.
    pub(super) fn stop_clean(&mut self, node: usize) -> Verdict {
        self.tally.clean_stops += 1;
        self.with_process(node, |world, process| world.give_back(node, process))?;
        self.nodes[node].disk.kill_process();
        self.nodes[node].reboot();
        self.start(node, false)
    }

    /// The machine is copied as it runs, disk and memory. One of the two starts
    /// again; the other goes on and does not know.
    pub(super) fn go_on_as_copy(&mut self, node: usize) -> Verdict {
        self.tally.copies += 1;
        let copy = self.nodes[node].process.take();
        self.nodes[node].disk.kill_process();
        self.start(node, false)?;
        self.nodes[node].copy = copy;
        Ok(())
    }

    /// Ends the life of one node with a power cut, and starts it again.
    pub(super) fn end_life(&mut self) -> Verdict {
        let node = self.chance.below(NODES as u64) as usize;
        if self.chance.percent(75) {
            self.cut_in_raise(node, PATIENCE)?;
        }
        let met = match self.nodes[node].disk.is_off() {
            true => &mut self.tally.cuts_in_raise,
            false => &mut self.tally.cuts_at_rest,
        };
        *met += 1;
        self.crash(node);
        self.start(node, false)?;
        if self.chance.percent(10) {
            self.cut_in_raise(node, 1)?;
            self.tally.cuts_after_start += u64::from(self.nodes[node].disk.is_off());
            self.crash(node);
            self.start(node, false)?;
        }
        Ok(())
    }

    /// Lets the power go in one of the next writes and syncs of the bound.
    fn cut_in_raise(&mut self, node: usize, patience: u32) -> Verdict {
        let most = if patience == 1 { 2 } else { 4 };
        self.nodes[node].disk.arm_crash_at(self.chance.below(most));
        for _ in 0..patience {
            self.wait();
            self.claim_some(node)?;
            self.with_process(node, |world, process| world.raise(node, process))?;
            if self.nodes[node].disk.is_off() {
                break;
            }
        }
        Ok(())
    }

    fn crash(&mut self, node: usize) {
        let seed = self.chance.next();
        self.tally.met += &self.nodes[node].disk.crash(seed);
        self.nodes[node].reboot();
    }
}
