//! Starts the allocator of a counter when it is first asked for, and stops it
//! when it has had nothing to do for a while.

use super::{Allocator, AllocatorArguments};
use crate::pharaoh::Pharaoh;
use pyralog_behaviour::{
    ChildContext, ChildSpec, Observe, Snapshot, StartChildError, SupervisorMessage,
};
use pyralog_model::{ApiError, CounterNumber, ErrorCode};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, call_t};
use ractor_cluster_derive::RactorMessage;

/// Allocators at one time: each is an actor and a run of values.
const ACTIVE_MAX: usize = 4_096;
/// Starting and stopping one is a matter of microseconds.
const PATIENCE_MS: u64 = 5_000;
/// One that fails so often in a row is parked, and no other suffers.
const QUARANTINE_AFTER: u32 = 20;

/// What the registry answers.
#[derive(RactorMessage)]
pub(crate) enum RegistryMessage {
    /// Starts the counter's allocator unless it runs.
    Activate { counter: CounterNumber, reply: RpcReplyPort<Result<(), ApiError>> },
    /// The counter's allocator has nothing to do.
    Passivate(CounterNumber),
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for RegistryMessage {
    fn from(Observe(reply): Observe) -> RegistryMessage {
        RegistryMessage::Observe(reply)
    }
}

pub(crate) struct Registry;

pub(crate) struct RegistryState {
    pharaoh: Pharaoh,
    context: ChildContext,
}

impl Actor for Registry {
    type Msg = RegistryMessage;
    type State = RegistryState;
    type Arguments = (Pharaoh, ChildContext);

    async fn pre_start(
        &self,
        myself: ActorRef<RegistryMessage>,
        (pharaoh, context): (Pharaoh, ChildContext),
    ) -> Result<RegistryState, ActorProcessingErr> {
        pharaoh.shared().set_registry(myself);
        Ok(RegistryState { pharaoh, context })
    }

    async fn handle(
        &self,
        myself: ActorRef<RegistryMessage>,
        message: RegistryMessage,
        state: &mut RegistryState,
    ) -> Result<(), ActorProcessingErr> {
        state.context.vitals().handled();
        match message {
            RegistryMessage::Activate { counter, reply } => {
                let _ = reply.send(state.activate(&myself, counter).await);
            }
            RegistryMessage::Passivate(counter) => state.passivate(counter).await,
            RegistryMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl RegistryState {
    async fn activate(
        &self,
        myself: &ActorRef<RegistryMessage>,
        counter: CounterNumber,
    ) -> Result<(), ApiError> {
        let active = self.pharaoh.shared().allocators().len();
        if active >= ACTIVE_MAX {
            let message = format!("{active} leased counters are in use on this node, the most");
            return Err(ApiError::new(ErrorCode::Overloaded, message));
        }
        let (pharaoh, registry) = (self.pharaoh.clone(), myself.clone());
        let spec = ChildSpec::new(counter.0.to_string(), "allocator", move |context| {
            let (pharaoh, registry) = (pharaoh.clone(), registry.clone());
            let vitals = context.vitals();
            let arguments = AllocatorArguments { counter, pharaoh, registry, vitals };
            Actor::spawn_linked(None, Allocator, arguments, context.supervisor())
        });
        let spec = spec.quarantine_after(QUARANTINE_AFTER);
        let unavailable = || ApiError::unavailable("the supervisor of allocators");
        let supervisor = self.supervisor().ok_or_else(unavailable)?;
        match call_t!(supervisor, SupervisorMessage::StartChild, PATIENCE_MS, spec) {
            Ok(Ok(_) | Err(StartChildError::Taken(_))) => Ok(()),
            Ok(Err(error)) => Err(ApiError::new(ErrorCode::Unavailable, error.to_string())),
            Err(_) => Err(unavailable()),
        }
    }

    /// Whoever asks it meanwhile has it started again.
    async fn passivate(&self, counter: CounterNumber) {
        self.pharaoh.shared().allocators().remove(&counter);
        if let Some(supervisor) = self.supervisor() {
            let id = counter.0.to_string();
            let _ = call_t!(supervisor, SupervisorMessage::StopChild, PATIENCE_MS, id);
        }
    }

    fn supervisor(&self) -> Option<ActorRef<SupervisorMessage>> {
        self.context.sibling("allocators")
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let active = self.pharaoh.shared().allocators().len();
        self.context.vitals().set_detail("active", active.to_string());
        let _ = reply.send(self.context.vitals().snapshot());
    }
}
