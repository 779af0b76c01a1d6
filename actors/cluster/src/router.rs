//! The one remotable actor of a node: bytes come in for a service, bytes go out.
//!
//! ```text
//!   peers' calls ──▶ router ── a place? ── a task ──▶ service ──▶ reply
//!                      │ no
//!                      └──────▶ "overloaded", at once
//! ```
//!
//! Peers find it in a process group that is named by the node's store and boot,
//! and only among the actors of the session that they have with that node.

mod desk;
mod heartbeat;
mod message;
mod reply;

pub(crate) use desk::Desk;
pub use desk::{Served, Service};
pub(crate) use heartbeat::{HEARTBEAT, Heartbeat, Known};
pub(crate) use message::RouterMessage;
pub(crate) use reply::{Status, read_reply};

use crate::links::Shared;
use pyralog_behaviour::{Snapshot, Vitals};
use pyralog_model::{Boot, StoreId};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::sync::Arc;

/// The process group of a node's router.
pub(crate) fn group(store: StoreId, boot: Boot) -> String {
    format!("pyralog-router/{store}-{}", boot.0)
}

/// What the router starts with.
pub(crate) struct RouterArguments {
    pub shared: Arc<Shared>,
    pub vitals: Vitals,
}

/// The actor.
pub(crate) struct Router;

/// What it keeps.
pub(crate) struct RouterState {
    shared: Arc<Shared>,
    vitals: Vitals,
}

impl Actor for Router {
    type Msg = RouterMessage;
    type State = RouterState;
    type Arguments = RouterArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<RouterMessage>,
        arguments: RouterArguments,
    ) -> Result<RouterState, ActorProcessingErr> {
        let RouterArguments { shared, vitals } = arguments;
        let me = shared.identity.get();
        ractor::pg::join(group(me.store, me.boot), vec![myself.get_cell()]);
        Ok(RouterState { shared, vitals })
    }

    async fn handle(
        &self,
        _: ActorRef<RouterMessage>,
        message: RouterMessage,
        state: &mut RouterState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RouterMessage::Call { service, body, reply } => state.call(service, body, reply),
            RouterMessage::Cast { service, body } => state.cast(service, body),
            RouterMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl RouterState {
    fn call(&self, service: u16, body: Vec<u8>, reply: RpcReplyPort<Vec<u8>>) {
        self.vitals.handled();
        let reply = reply::Reply::new(reply);
        match service {
            HEARTBEAT => self.heartbeat(&body, reply),
            service => self.shared.desk.call(service, body, reply),
        }
    }

    fn cast(&self, service: u16, body: Vec<u8>) {
        self.vitals.handled();
        self.shared.desk.call(service, body, reply::Reply::nowhere());
    }

    /// Answered here and not by a service: it must not wait for a place.
    fn heartbeat(&self, body: &[u8], reply: reply::Reply) {
        let Some(heartbeat) = Heartbeat::decode(body) else {
            return reply.send(Status::NoSuchService, &[]);
        };
        if let Some(link) = self.shared.table.find(heartbeat.store, heartbeat.boot) {
            link.learn(heartbeat.known);
        }
        reply.send(Status::Ok, &Known::of(&self.shared.identity.get()).encode());
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let (calls, bytes) = self.shared.desk.in_flight();
        self.vitals.set_detail("calls in flight", calls.to_string());
        self.vitals.set_detail("bytes in flight", bytes.to_string());
        self.vitals.set_detail("turned away", self.shared.desk.turned_away().to_string());
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }
}
