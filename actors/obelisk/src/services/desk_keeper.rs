//! A service that owns counters: it opens its desk when it starts and closes it
//! when it ends, however it ends. The values are claimed at the desk.

use crate::desk::Desk;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_model::CounterNumber;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;

/// What the service answers.
#[derive(RactorMessage)]
pub(crate) enum DeskMessage {
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for DeskMessage {
    fn from(Observe(reply): Observe) -> DeskMessage {
        DeskMessage::Observe(reply)
    }
}

/// What the service needs.
#[derive(Clone)]
pub(crate) struct DeskArguments {
    pub(crate) desk: Desk,
    /// Its one counter; `None` for the counters of users.
    pub(crate) counter: Option<CounterNumber>,
    pub(crate) vitals: Vitals,
}

/// The actor.
pub(crate) struct DeskKeeper;

/// What it holds.
pub(crate) struct DeskState {
    arguments: DeskArguments,
}

impl Actor for DeskKeeper {
    type Msg = DeskMessage;
    type State = DeskState;
    type Arguments = DeskArguments;

    async fn pre_start(
        &self,
        _: ActorRef<DeskMessage>,
        arguments: DeskArguments,
    ) -> Result<DeskState, ActorProcessingErr> {
        let state = DeskState { arguments };
        let DeskArguments { desk, counter, .. } = &state.arguments;
        desk.open();
        if let Some(counter) = counter {
            desk.fetch(*counter, desk.opening()).await?;
        }
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<DeskMessage>,
        message: DeskMessage,
        state: &mut DeskState,
    ) -> Result<(), ActorProcessingErr> {
        state.arguments.vitals.handled();
        match message {
            DeskMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl DeskState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let DeskArguments { desk, counter, vitals } = &self.arguments;
        let (claims, issued) = desk.counts();
        let detail = |name, value: u64| vitals.set_detail(name, value.to_string());
        detail("claims", claims);
        detail("values_issued", issued);
        match counter {
            Some(counter) => detail("value", desk.value(*counter).unwrap_or(0)),
            None => detail("counters_at_hand", desk.at_hand() as u64),
        }
        let _ = reply.send(vitals.snapshot());
    }
}

impl Drop for DeskState {
    fn drop(&mut self) {
        self.arguments.desk.close();
    }
}
