//! Starts a dialler for each peer that is asked for, also for those that were
//! asked for before it was there.

use crate::Peer;
use crate::children::{PEERS, dialler};
use crate::links::Shared;
use pyralog_behaviour::{ChildContext, Observe, Snapshot, StartChildError, SupervisorMessage};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call_t};
use ractor_cluster_derive::RactorMessage;
use std::sync::Arc;

/// How long a dialler may take to start.
const START_MS_MAX: u64 = 5_000;

/// What it is told.
#[derive(RactorMessage)]
pub(crate) enum DiallingMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
    /// Dial this peer, if nobody does yet.
    Dial(Peer),
}

impl From<Observe> for DiallingMessage {
    fn from(observe: Observe) -> DiallingMessage {
        DiallingMessage::Observe(observe.0)
    }
}

/// What it starts with.
pub(crate) struct DiallingArguments {
    pub shared: Arc<Shared>,
    pub context: ChildContext,
}

/// The actor.
pub(crate) struct Dialling;

/// What it keeps.
pub(crate) struct DiallingState {
    shared: Arc<Shared>,
    context: ChildContext,
}

impl Actor for Dialling {
    type Msg = DiallingMessage;
    type State = DiallingState;
    type Arguments = DiallingArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<DiallingMessage>,
        arguments: DiallingArguments,
    ) -> Result<DiallingState, ActorProcessingErr> {
        let DiallingArguments { shared, context } = arguments;
        // In this order: a peer is asked for twice rather than never.
        shared.set_dialling(Some(myself.clone()));
        for peer in shared.peers() {
            myself.send_message(DiallingMessage::Dial(peer))?;
        }
        Ok(DiallingState { shared, context })
    }

    async fn handle(
        &self,
        _: ActorRef<DiallingMessage>,
        message: DiallingMessage,
        state: &mut DiallingState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DiallingMessage::Observe(reply) => state.observe(reply),
            DiallingMessage::Dial(peer) => state.dial(peer).await?,
        }
        Ok(())
    }
}

impl DiallingState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let vitals = self.context.vitals();
        vitals.set_detail("peers", self.shared.peers().len().to_string());
        // Whoever asked may have stopped waiting.
        let _ = reply.send(vitals.snapshot());
    }

    /// When this fails, the actor starts again and asks for all of them.
    async fn dial(&self, peer: Peer) -> Result<(), ActorProcessingErr> {
        self.context.vitals().handled();
        let peers = self.context.sibling::<SupervisorMessage>(PEERS);
        let peers = peers.ok_or("the supervisor of peers is away")?;
        let spec = dialler(self.shared.clone(), peer);
        let started = call_t!(peers, SupervisorMessage::StartChild, START_MS_MAX, spec);
        match started? {
            Ok(_) | Err(StartChildError::Taken(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
