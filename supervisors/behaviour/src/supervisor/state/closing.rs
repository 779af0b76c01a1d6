//! Stopping in order, to be gone or to give up.
//!
//! Children that were added while running do not depend on each other and stop
//! at once; the listed ones stop one by one from the last. Each is waited for
//! by the news of its end, and its event has been dropped by then: an earlier
//! child may in its own `post_stop` wait for what a later one still held.

use ractor::RpcReplyPort;

use super::SupervisorState;
use crate::core::Phase;
use crate::supervisor::TooManyRestarts;
use crate::tree::Outcome;
use crate::{Intensity, Report, ReportKind, Strategy};

/// A supervisor that is on its way out, and why.
pub(super) struct Closing {
    outcome: Outcome,
    /// Told to stop and not yet gone.
    awaited: Vec<u64>,
}

impl SupervisorState {
    pub(in crate::supervisor) fn shut_down(
        &mut self,
        reply: Option<RpcReplyPort<()>>,
    ) -> Result<(), TooManyRestarts> {
        self.shutdown_replies.extend(reply);
        self.begin_closing(Outcome::Stopped);
        self.go_on_closing()
    }

    /// Too many restarts: everything is stopped, and then this supervisor fails.
    pub(super) fn give_up(&mut self, child: u64) {
        let Intensity { restarts_max, period } = self.intensity;
        let id = self.slots.get(&child).map(|slot| slot.spec.id.clone()).unwrap_or_default();
        let reason = self.last_error(child).unwrap_or_else(|| "it ended".to_owned());
        let (path, child) = (self.board.path.clone(), self.path_of(&id));
        let failure = TooManyRestarts { path: path.clone(), restarts_max, period, child, reason };
        let (kind, at) = (ReportKind::Escalated, self.shared.clock.monotonic());
        let reason = Some(failure.to_string());
        self.shared.reports.publish(Report { path, kind, generation: 0, reason, at });
        self.begin_closing(Outcome::GaveUp(failure));
    }

    fn begin_closing(&mut self, outcome: Outcome) {
        if self.closing.is_some() {
            return;
        }
        self.vitals.set_state("stopping");
        let awaited = self.alive(|was_added| was_added);
        for place in &awaited {
            self.close_child(*place);
        }
        self.closing = Some(Closing { outcome, awaited });
    }

    /// Stops the next child when the last one is gone, and ends when all are.
    pub(super) fn go_on_closing(&mut self) -> Result<(), TooManyRestarts> {
        let Some(closing) = &mut self.closing else { return Ok(()) };
        closing
            .awaited
            .retain(|place| self.slots.get(place).is_some_and(|slot| slot.life.is_some()));
        if !closing.awaited.is_empty() {
            return Ok(());
        }
        if let Some(last) = self.alive(|_| true).pop() {
            self.close_child(last);
            if let Some(closing) = &mut self.closing {
                closing.awaited.push(last);
            }
            return Ok(());
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), TooManyRestarts> {
        match self.closing.as_ref().map(|closing| closing.outcome.clone()) {
            Some(Outcome::GaveUp(failure)) => {
                self.bow_out(Outcome::GaveUp(failure.clone()));
                Err(failure)
            }
            _ => {
                self.myself.stop(Some("shutdown".to_owned()));
                Ok(())
            }
        }
    }

    /// Places of children that are alive: all, or those added while running.
    fn alive(&self, choose: impl Fn(bool) -> bool) -> Vec<u64> {
        let is_independent = self.strategy == Strategy::OneForOne;
        let chosen = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.life.is_some() && choose(is_independent && slot.was_added));
        chosen.map(|(place, _)| *place).collect()
    }

    fn close_child(&mut self, place: u64) {
        self.stop(place);
        self.board.change(place, |entry| entry.phase = Phase::Stopping);
    }

    /// For those who use ractor's own stop, and for a start that failed half
    /// way: no message is heard any more, so the ends are awaited here.
    pub(in crate::supervisor) async fn close_inline(&mut self) {
        self.vitals.set_state("stopping");
        for place in self.alive(|_| true).into_iter().rev() {
            let Some(slot) = self.slots.get_mut(&place) else { continue };
            let Some(mut life) = slot.life.take() else { continue };
            let ending = life.lay_down(&slot.spec);
            self.board.change(place, |entry| entry.phase = Phase::Stopping);
            ending.await;
            self.report(place, ReportKind::Stopped, Some("its supervisor stopped".to_owned()));
        }
    }

    /// The last words, to those who wait for them.
    pub(in crate::supervisor) fn bow_out(&mut self, outcome: Outcome) {
        for attendant in self.attendants.drain(..) {
            attendant.send_replace(Some(outcome.clone()));
        }
        for reply in self.shutdown_replies.drain(..) {
            let _ = reply.send(());
        }
    }
}
