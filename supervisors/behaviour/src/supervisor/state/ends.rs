//! What happened to a child, put together from its event and its attendant.

use ractor::{ActorCell, SupervisionEvent};

use super::SupervisorState;
use crate::ReportKind;
use crate::core::{Exit, Input, Phase};
use crate::spec::Ask;
use crate::supervisor::StartChildError;

impl SupervisorState {
    /// Remembers how a child ended until its attendant reports that it is gone.
    pub(in crate::supervisor) fn hear(&mut self, event: &SupervisionEvent) {
        let (who, exit, reason) = match event {
            SupervisionEvent::ActorFailed(who, error) => (who, Exit::Abnormal, error.to_string()),
            SupervisionEvent::ActorTerminated(who, _, reason) => {
                let reason = reason.clone().unwrap_or_else(|| "stopped".to_owned());
                // These two are ractor's own words for an end against the actor's will.
                let was_killed = reason == "killed" || reason == "actor_task_cancelled";
                (who, if was_killed { Exit::Abnormal } else { Exit::Normal }, reason)
            }
            _ => return,
        };
        self.exits.insert(who.get_id(), (exit, reason));
    }

    pub(super) fn has_started(&mut self, place: u64, cell: ActorCell, ask: Ask) {
        self.came_up(place, cell, ask);
        self.step(place, Input::Started(place));
    }

    pub(super) fn has_ended(&mut self, place: u64) {
        let cell = self.lose(place);
        let heard = cell.and_then(|cell| self.exits.remove(&cell.get_id()));
        let (exit, reason) = heard
            .unwrap_or_else(|| (Exit::Abnormal, "ended without a word to its supervisor".into()));
        let was_to_live = self.closing.is_none() && self.core.phase(place) == Some(Phase::Up);
        if was_to_live && exit == Exit::Abnormal {
            self.blame(place, reason);
        } else {
            self.report(place, ReportKind::Stopped, Some(reason));
        }
        self.step(place, Input::Ended(place, exit));
    }

    pub(super) fn has_not_started(&mut self, place: u64, reason: String) {
        self.lose(place);
        // One that was called off did not fail.
        if self.closing.is_none() && self.core.phase(place) == Some(Phase::Starting) {
            self.refuse(place, reason.clone());
            self.blame(place, reason);
        }
        self.step(place, Input::StartFailed(place));
    }

    /// Tells whoever added the child that it did not start.
    fn refuse(&mut self, place: u64, reason: String) {
        let Some(slot) = self.slots.get_mut(&place) else { return };
        let path = format!("{}/{}", self.board.path, slot.spec.id);
        if let Some(reply) = slot.start_reply.take() {
            let _ = reply.send(Err(StartChildError::Failed { path, reason }));
        }
    }

    /// Lets go of the references to a life that is over.
    pub(super) fn lose(&mut self, place: u64) -> Option<ActorCell> {
        self.board.change(place, |entry| {
            (entry.cell, entry.ask, entry.below) = (None, None, None);
        });
        let slot = self.slots.get_mut(&place)?;
        slot.life = None;
        slot.cell.take()
    }

    fn blame(&mut self, place: u64, reason: String) {
        self.board.change(place, |entry| entry.last_error = Some(reason.clone()));
        self.report(place, ReportKind::Failed, Some(reason));
    }
}
