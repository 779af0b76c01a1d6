//! Carrying out what the core decided.

use std::time::Duration;

use super::SupervisorState;
use crate::core::{Effect, Input};
use crate::supervisor::{News, StartChildError};
use crate::{Report, ReportKind};

impl SupervisorState {
    /// Lets the core decide, unless everything is being stopped anyway.
    pub(super) fn step(&mut self, place: u64, input: Input) {
        if self.closing.is_some() {
            return;
        }
        let effects = self.core.step(self.shared.clock.monotonic(), input);
        self.show(place);
        self.perform(effects);
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Start(place) => self.launch(place, None),
                Effect::Stop(place) => self.stop(place),
                Effect::Wait(place, delay) => self.wait(place, delay),
                Effect::Forget(place) => self.forget(place),
                Effect::Quarantine(place) => self.quarantine(place),
                Effect::Escalate(place) => self.give_up(place),
            }
        }
    }

    fn show(&self, place: u64) {
        if let Some(phase) = self.core.phase(place) {
            self.board.change(place, |entry| entry.phase = phase);
        }
    }

    pub(super) fn stop(&mut self, place: u64) {
        self.show(place);
        let Some(slot) = self.slots.get_mut(&place) else { return };
        if let Some(life) = &mut slot.life {
            tokio::spawn(life.lay_down(&slot.spec));
        }
    }

    fn wait(&mut self, place: u64, delay: Duration) {
        self.show(place);
        self.report(place, ReportKind::Restarting, Some(format!("after {delay:?}")));
        let Some(slot) = self.slots.get(&place) else { return };
        let (generation, myself) = (slot.generation, self.myself.clone());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = myself.send_message(News::Elapsed { place, generation }.into());
        });
    }

    fn forget(&mut self, place: u64) {
        self.board.remove(place);
        let Some(slot) = self.slots.remove(&place) else { return };
        for reply in slot.stop_replies {
            let _ = reply.send(true);
        }
        if let Some(reply) = slot.start_reply {
            let (path, reason) = (self.path_of(&slot.spec.id), "stopped before it was up".into());
            let _ = reply.send(Err(StartChildError::Failed { path, reason }));
        }
    }

    fn quarantine(&mut self, place: u64) {
        self.show(place);
        self.report(place, ReportKind::Quarantined, self.last_error(place));
    }

    pub(super) fn report(&self, place: u64, kind: ReportKind, reason: Option<String>) {
        let Some(slot) = self.slots.get(&place) else { return };
        let (path, generation) = (self.path_of(&slot.spec.id), slot.generation);
        let at = self.shared.clock.monotonic();
        self.shared.reports.publish(Report { path, kind, generation, reason, at });
    }

    pub(super) fn last_error(&self, place: u64) -> Option<String> {
        self.board.change(place, |entry| entry.last_error.clone()).flatten()
    }

    pub(super) fn path_of(&self, id: &str) -> String {
        format!("{}/{id}", self.board.path)
    }
}
