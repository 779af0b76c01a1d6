//! The door as an actor: it accepts connections and gives each to a child of
//! its own.
//!
//! ```text
//!   listening socket (bound once, by the node)
//!        │ clone                        kafka-connections (supervisor)
//!   accept task ── a place? ── start ──▶   ├── connection-1
//!        │            │no                  ├── connection-2
//!     this actor    closed                 └── …
//! ```
//!
//! The socket outlives this actor: while a killed door is started again, the
//! kernel keeps the clients that knock, and none is refused.

mod accepting;
mod places;

pub(crate) use accepting::CONNECTIONS;
pub(crate) use places::{Place, Places};

use crate::service::Service;
use pyralog_behaviour::{ChildContext, Observe, Snapshot, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What the door is told.
#[derive(RactorMessage)]
pub(crate) enum DoorMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
    /// The accept task has ended, which it never does of its own.
    AcceptingEnded,
}

impl From<Observe> for DoorMessage {
    fn from(observe: Observe) -> DoorMessage {
        DoorMessage::Observe(observe.0)
    }
}

/// What the door starts with.
pub(crate) struct DoorArguments {
    pub listener: Arc<TcpListener>,
    pub service: Arc<Service>,
    pub places: Arc<Places>,
    pub context: ChildContext,
}

/// The actor.
pub(crate) struct Door;

/// What it keeps.
pub(crate) struct DoorState {
    accepting: JoinHandle<()>,
    places: Arc<Places>,
    vitals: Vitals,
}

impl Drop for DoorState {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Actor for Door {
    type Msg = DoorMessage;
    type State = DoorState;
    type Arguments = DoorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<DoorMessage>,
        arguments: DoorArguments,
    ) -> Result<DoorState, ActorProcessingErr> {
        let DoorArguments { listener, service, places, context } = arguments;
        let listener = listener.try_clone()?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let vitals = context.vitals();
        vitals.set_detail("address", listener.local_addr()?.to_string());
        let accepting = accepting::Accepting { listener, service, places: places.clone(), context };
        let accepting = tokio::spawn(async move {
            // However it ends, the actor hears of it: also by a panic.
            let _notice = Notice(myself);
            accepting.run().await;
        });
        Ok(DoorState { accepting, places, vitals })
    }

    async fn handle(
        &self,
        _: ActorRef<DoorMessage>,
        message: DoorMessage,
        state: &mut DoorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DoorMessage::Observe(reply) => state.observe(reply),
            DoorMessage::AcceptingEnded => return Err("the accept task ended".into()),
        }
        Ok(())
    }
}

impl DoorState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        self.vitals.set_detail("connections", self.places.taken().to_string());
        self.vitals.set_detail("turned away", self.places.turned_away().to_string());
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }
}

/// Tells the door when it is dropped.
struct Notice(ActorRef<DoorMessage>);

impl Drop for Notice {
    fn drop(&mut self) {
        // A door that is gone itself needs no notice.
        let _ = self.0.send_message(DoorMessage::AcceptingEnded);
    }
}
