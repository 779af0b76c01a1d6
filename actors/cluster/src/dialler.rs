//! The actor of one endpoint: it dials, looks after the link, and dials again.
//!
//! ```text
//!          ┌── wait 50 ms … 1 s ◀── refused, failed ──┐
//!          ▼                                          │
//!      connect ──▶ preamble ──▶ session ──▶ up ──▶ ended
//!                     │ already linked                ▲
//!                     └────▶ lean on that link ───────┘
//! ```

mod attempt;
mod pause;
mod round;

use crate::Peer;
use crate::guest::describe;
use crate::links::Shared;
use crate::peer::PeerState;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What a dialler is told.
#[derive(RactorMessage)]
pub(crate) enum DiallerMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
    /// The dialling task has ended, which it never does of its own.
    Ended,
}

impl From<Observe> for DiallerMessage {
    fn from(observe: Observe) -> DiallerMessage {
        DiallerMessage::Observe(observe.0)
    }
}

/// What a dialler starts with.
pub(crate) struct DiallerArguments {
    pub shared: Arc<Shared>,
    pub peer: Peer,
    pub vitals: Vitals,
}

/// The actor.
pub(crate) struct Dialler;

/// What it keeps.
pub(crate) struct DiallerState {
    peer: Peer,
    dialling: JoinHandle<()>,
    vitals: Vitals,
}

impl Drop for DiallerState {
    fn drop(&mut self) {
        self.dialling.abort();
    }
}

impl Actor for Dialler {
    type Msg = DiallerMessage;
    type State = DiallerState;
    type Arguments = DiallerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<DiallerMessage>,
        arguments: DiallerArguments,
    ) -> Result<DiallerState, ActorProcessingErr> {
        let DiallerArguments { shared, peer, vitals } = arguments;
        let rounds = round::Rounds::new(shared, peer.clone(), vitals.clone());
        let dialling = tokio::spawn(async move {
            // However it ends, the actor hears of it: also by a panic.
            let _notice = Notice(myself);
            rounds.run().await;
        });
        Ok(DiallerState { peer, dialling, vitals })
    }

    async fn handle(
        &self,
        _: ActorRef<DiallerMessage>,
        message: DiallerMessage,
        state: &mut DiallerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DiallerMessage::Observe(reply) => state.observe(reply),
            DiallerMessage::Ended => return Err("the dialling task ended".into()),
        }
        Ok(())
    }
}

impl DiallerState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        if let Some(link) = self.peer.link() {
            describe(&link, &self.vitals);
        }
        let word = match self.peer.state() {
            PeerState::Connecting { attempt, .. } => {
                self.vitals.set_detail("attempt", attempt.to_string());
                "connecting"
            }
            PeerState::Up { .. } => "up",
            PeerState::Silent { .. } => "silent",
            PeerState::Refused { code, .. } => {
                self.vitals.set_detail("refusal", code.to_string());
                "refused"
            }
        };
        self.vitals.set_state(word);
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }
}

/// Tells the dialler when it is dropped.
struct Notice(ActorRef<DiallerMessage>);

impl Drop for Notice {
    fn drop(&mut self) {
        // A dialler that is gone itself needs no notice.
        let _ = self.0.send_message(DiallerMessage::Ended);
    }
}
