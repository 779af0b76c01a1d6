//! Bringing a child to life, at first and again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ractor::ActorCell;
use tokio::sync::oneshot;

use super::{Slot, SupervisorState};
use crate::core::Phase;
use crate::spec::Ask;
use crate::supervisor::StartChildError;
use crate::supervisor::life::{Birth, begin};
use crate::{ChildContext, ChildSpec, ReportKind, Vitals};

impl SupervisorState {
    pub(super) async fn start_first(&mut self, spec: ChildSpec) -> Result<(), StartChildError> {
        if self.board.place(&spec.id).is_some() {
            return Err(StartChildError::Taken(self.path_of(&spec.id)));
        }
        let place = self.take_place(&spec, false);
        let (asker, born) = oneshot::channel();
        self.launch(place, Some(asker));
        let reason = match born.await {
            Ok(Ok((cell, ask))) => {
                self.core.admit(self.shared.clock.monotonic(), place, &spec);
                self.came_up(place, cell, ask);
                return Ok(());
            }
            Ok(Err(reason)) => reason,
            Err(_) => "its attendant vanished".to_owned(),
        };
        self.report(place, ReportKind::Failed, Some(reason.clone()));
        self.slots.remove(&place);
        self.board.remove(place);
        Err(StartChildError::Failed { path: self.path_of(&spec.id), reason })
    }

    pub(super) fn take_place(&mut self, spec: &ChildSpec, was_added: bool) -> u64 {
        let place = self.place_next;
        self.place_next += 1;
        self.board.add(place, spec);
        let slot = Slot {
            spec: spec.clone(),
            generation: 0,
            life: None,
            cell: None,
            was_added,
            was_up: false,
            start_reply: None,
            stop_replies: Vec::new(),
        };
        self.slots.insert(place, slot);
        place
    }

    /// Begins a new life for the child; the news comes to `asker` or by message.
    pub(super) fn launch(
        &mut self,
        place: u64,
        asker: Option<oneshot::Sender<Result<(ActorCell, Ask), String>>>,
    ) {
        let Some(slot) = self.slots.get_mut(&place) else { return };
        debug_assert!(slot.cell.is_none(), "one life at a time");
        let generation = self.shared.generations.fetch_add(1, Ordering::Relaxed) + 1;
        let vitals = Vitals::default();
        let path: Arc<str> = format!("{}/{}", self.board.path, slot.spec.id).into();
        let below = slot.spec.is_supervisor().then(|| self.board.below(place, &path));
        self.board.change(place, |entry| {
            entry.phase = Phase::Starting;
            entry.generation = generation;
            entry.vitals = vitals.clone();
            entry.below = below.clone();
        });
        // Without a household the supervisor itself is no more.
        let Some(household) = self.doorway.enter() else { return };
        let (supervisor, board) = (self.myself.get_cell(), self.board.clone());
        let context = ChildContext { supervisor, generation, path, vitals, board, place };
        let life = begin(Birth {
            spec: slot.spec.clone(),
            context,
            shared: self.shared.clone(),
            household,
            below,
            supervisor: self.myself.clone(),
            asker,
        });
        slot.generation = generation;
        slot.life = Some(life);
    }

    pub(super) fn came_up(&mut self, place: u64, cell: ActorCell, ask: Ask) {
        let Some(slot) = self.slots.get_mut(&place) else { return };
        let is_restart = std::mem::replace(&mut slot.was_up, true);
        slot.cell = Some(cell.clone());
        if let Some(reply) = slot.start_reply.take() {
            let _ = reply.send(Ok(cell.clone()));
        }
        self.board.change(place, |entry| {
            entry.phase = Phase::Up;
            entry.restarts += u64::from(is_restart);
            entry.cell = Some(cell);
            entry.ask = Some(ask);
        });
        self.report(place, ReportKind::Started, None);
    }
}
