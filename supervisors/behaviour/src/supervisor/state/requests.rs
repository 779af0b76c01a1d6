//! What others ask of a supervisor, and what its own tasks tell it.

use std::time::Duration;

use ractor::{ActorCell, RpcReplyPort};

use super::SupervisorState;
use crate::core::Input;
use crate::supervisor::{KillError, News, StartChildError, TooManyRestarts};
use crate::tree::{OBSERVE_PATIENCE, describe_root};
use crate::{ChildSpec, Snapshot, TreeNode};

impl SupervisorState {
    pub(in crate::supervisor) fn start_child(
        &mut self,
        spec: ChildSpec,
        reply: RpcReplyPort<Result<ActorCell, StartChildError>>,
    ) {
        let refusal = if self.closing.is_some() {
            let (path, reason) = (self.path_of(&spec.id), "its supervisor is stopping".to_owned());
            Some(StartChildError::Failed { path, reason })
        } else if !self.is_dynamic {
            Some(StartChildError::NotDynamic(self.board.path.clone()))
        } else if self.board.place(&spec.id).is_some() {
            Some(StartChildError::Taken(self.path_of(&spec.id)))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let _ = reply.send(Err(refusal));
            return;
        }
        let place = self.take_place(&spec, true);
        if let Some(slot) = self.slots.get_mut(&place) {
            slot.start_reply = Some(reply);
        }
        let effects = self.core.add(place, &spec);
        self.perform(effects);
    }

    pub(in crate::supervisor) fn stop_child(&mut self, id: &str, reply: RpcReplyPort<bool>) {
        let place = self.board.place(id);
        let slot = place.and_then(|place| self.slots.get_mut(&place));
        let (Some(place), Some(slot)) = (place, slot) else {
            let _ = reply.send(false);
            return;
        };
        // Answered when the child is forgotten, which is when it is gone.
        slot.stop_replies.push(reply);
        self.step(place, Input::Remove(place));
    }

    pub(in crate::supervisor) fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let mut snapshot = self.vitals.snapshot();
        snapshot.details.insert("strategy".to_owned(), self.strategy.name().to_owned());
        snapshot.details.insert("children".to_owned(), self.slots.len().to_string());
        let _ = reply.send(snapshot);
    }

    pub(in crate::supervisor) fn tree(&self, reply: RpcReplyPort<TreeNode>) {
        self.look(OBSERVE_PATIENCE, reply);
    }

    fn look(&self, patience: Duration, reply: RpcReplyPort<TreeNode>) {
        let (board, vitals) = (self.board.clone(), self.vitals.clone());
        tokio::spawn(async move {
            let _ = reply.send(describe_root(board, vitals, patience).await);
        });
    }

    pub(in crate::supervisor) fn kill(
        &self,
        path: &str,
        reply: RpcReplyPort<Result<(), KillError>>,
    ) {
        if path == self.board.path {
            let _ = reply.send(Ok(()));
            return self.myself.kill();
        }
        let relative = path.strip_prefix(&self.board.path).and_then(|rest| rest.strip_prefix('/'));
        let verdict = match relative.and_then(|relative| self.board.at(relative)) {
            None => Err(KillError::Unknown(path.to_owned())),
            Some(entry) => match entry.cell {
                Some(cell) => {
                    cell.kill();
                    Ok(())
                }
                None => {
                    let (path, state) = (path.to_owned(), entry.phase.name().to_owned());
                    Err(KillError::NotRunning { path, state })
                }
            },
        };
        let _ = reply.send(verdict);
    }

    /// News from an attendant or a timer; that of an earlier life is ignored.
    pub(in crate::supervisor) fn notice(&mut self, news: News) -> Result<(), TooManyRestarts> {
        match news {
            News::Started { place, generation, cell, ask } if self.is_now(place, generation) => {
                self.has_started(place, cell, ask)
            }
            News::StartFailed { place, generation, reason } if self.is_now(place, generation) => {
                self.has_not_started(place, reason)
            }
            News::Ended { place, generation } if self.is_now(place, generation) => {
                self.has_ended(place)
            }
            News::Elapsed { place, generation } if self.is_now(place, generation) => {
                self.step(place, Input::Elapsed(place))
            }
            News::Look { patience, reply } => self.look(patience, reply),
            News::Attend(attendant) => self.attendants.push(attendant),
            News::Close => return self.shut_down(None),
            News::Started { .. }
            | News::StartFailed { .. }
            | News::Ended { .. }
            | News::Elapsed { .. } => {}
        }
        self.go_on_closing()
    }

    fn is_now(&self, place: u64, generation: u64) -> bool {
        self.slots.get(&place).is_some_and(|slot| slot.generation == generation)
    }
}
