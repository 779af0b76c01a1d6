//! The door for other nodes: a task per connection until the preamble is done,
//! then an actor per link.
//!
//! An idle client costs a task and a place for five seconds and blocks nobody.

mod accepting;
mod noise;
mod places;

pub(crate) use places::{Place, Places};

use crate::links::Shared;
use pyralog_behaviour::{ChildContext, Observe, Snapshot, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What the door is told.
#[derive(RactorMessage)]
pub(crate) enum LinkDoorMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
    /// The accept task has ended, which it never does of its own.
    AcceptingEnded,
}

impl From<Observe> for LinkDoorMessage {
    fn from(observe: Observe) -> LinkDoorMessage {
        LinkDoorMessage::Observe(observe.0)
    }
}

/// What the door starts with.
pub(crate) struct LinkDoorArguments {
    pub listener: Arc<TcpListener>,
    pub shared: Arc<Shared>,
    pub places: Arc<Places>,
    pub context: ChildContext,
}

/// The actor.
pub(crate) struct LinkDoor;

/// What it keeps.
pub(crate) struct LinkDoorState {
    accepting: JoinHandle<()>,
    places: Arc<Places>,
    vitals: Vitals,
}

impl Drop for LinkDoorState {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Actor for LinkDoor {
    type Msg = LinkDoorMessage;
    type State = LinkDoorState;
    type Arguments = LinkDoorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<LinkDoorMessage>,
        arguments: LinkDoorArguments,
    ) -> Result<LinkDoorState, ActorProcessingErr> {
        let LinkDoorArguments { listener, shared, places, context } = arguments;
        let listener = listener.try_clone()?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let vitals = context.vitals();
        vitals.set_detail("address", listener.local_addr()?.to_string());
        let accepting = accepting::Accepting::new(listener, shared, places.clone(), context);
        let accepting = tokio::spawn(async move {
            // However it ends, the actor hears of it: also by a panic.
            let _notice = Notice(myself);
            accepting.run().await;
        });
        Ok(LinkDoorState { accepting, places, vitals })
    }

    async fn handle(
        &self,
        _: ActorRef<LinkDoorMessage>,
        message: LinkDoorMessage,
        state: &mut LinkDoorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            LinkDoorMessage::Observe(reply) => state.observe(reply),
            LinkDoorMessage::AcceptingEnded => return Err("the accept task ended".into()),
        }
        Ok(())
    }
}

impl LinkDoorState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        self.vitals.set_detail("in handshake", self.places.taken().to_string());
        self.vitals.set_detail("turned away", self.places.turned_away().to_string());
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }
}

/// Tells the door when it is dropped.
struct Notice(ActorRef<LinkDoorMessage>);

impl Drop for Notice {
    fn drop(&mut self) {
        // A door that is gone itself needs no notice.
        let _ = self.0.send_message(LinkDoorMessage::AcceptingEnded);
    }
}
