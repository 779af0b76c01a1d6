//! ractor_cluster's node server as a child of our tree.
//!
//! It multiplexes the actors' messages over connections that have passed our
//! preamble. Its own listener, which it insists on, is on loopback, and what
//! comes in there is closed before it can say a word.

use crate::cookie::hex;
use crate::links::Shared;
use crate::pulse::Standing;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_model::{Boot, StoreId};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use ractor_cluster::node::{NodeConnectionMode, NodeServerSessionInformation};
use ractor_cluster::{NodeEventSubscription, NodeServer, NodeServerMessage};
use ractor_cluster_derive::RactorMessage;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Frames of the control link at most, in bytes: twice the largest body.
pub(crate) const FRAME_BYTES_MAX: u64 = 2 << 20;

/// What the link server is told.
#[derive(RactorMessage)]
pub(crate) enum LinkServerMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for LinkServerMessage {
    fn from(observe: Observe) -> LinkServerMessage {
        LinkServerMessage::Observe(observe.0)
    }
}

/// What the link server starts with.
pub(crate) struct LinkServerArguments {
    pub shared: Arc<Shared>,
    pub vitals: Vitals,
}

/// The actor.
pub(crate) struct LinkServer;

/// What it keeps.
pub(crate) struct LinkServerState {
    shared: Arc<Shared>,
    vitals: Vitals,
}

impl Drop for LinkServerState {
    fn drop(&mut self) {
        // Its sessions go with it, also when nobody is left to stop them.
        for link in self.shared.table.all() {
            link.pulse.close();
        }
    }
}

impl Actor for LinkServer {
    type Msg = LinkServerMessage;
    type State = LinkServerState;
    type Arguments = LinkServerArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<LinkServerMessage>,
        arguments: LinkServerArguments,
    ) -> Result<LinkServerState, ActorProcessingErr> {
        let LinkServerArguments { shared, vitals } = arguments;
        let server = node_server(&shared);
        let (server, _) = Actor::spawn_linked(None, server, (), myself.get_cell()).await?;
        let subscription = Box::new(Events(shared.clone()));
        let subscribe =
            NodeServerMessage::SubscribeToEvents { id: "links".to_owned(), subscription };
        server.send_message(subscribe)?;
        shared.set_server(Some(server));
        Ok(LinkServerState { shared, vitals })
    }

    async fn handle(
        &self,
        _: ActorRef<LinkServerMessage>,
        message: LinkServerMessage,
        state: &mut LinkServerState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            LinkServerMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<LinkServerMessage>,
        event: SupervisionEvent,
        _: &mut LinkServerState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            // Both start again together.
            SupervisionEvent::ActorFailed(_, error) => Err(error),
            SupervisionEvent::ActorTerminated(..) => Err("the node server ended".into()),
            _ => Ok(()),
        }
    }
}

impl LinkServerState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let links = self.shared.table.all();
        let count = |standing| links.iter().filter(|l| l.pulse.standing() == standing).count();
        self.vitals.set_detail("links", count(Standing::Up).to_string());
        self.vitals.set_detail("silent links", count(Standing::Silent).to_string());
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }
}

fn node_name(store: StoreId, boot: Boot) -> String {
    format!("{store}-{}", boot.0)
}

/// What a node is called in its sessions: node and host, which are the same here.
pub(crate) fn session_name(store: StoreId, boot: Boot) -> String {
    let name = node_name(store, boot);
    format!("{name}@{name}")
}

fn node_server(shared: &Shared) -> NodeServer {
    let me = shared.identity.get();
    let name = node_name(me.store, me.boot);
    let cookie = hex(&shared.cookie.derive(b"pyralog ractor_cluster cookie"));
    // The host name is part of an address by which nodes recognise themselves:
    // it must not be the same on two machines.
    let mode = Some(NodeConnectionMode::Isolated);
    NodeServer::new(0, cookie, name.clone(), name, None, mode)
        .with_listen_addr(Ipv4Addr::LOCALHOST.into())
        .with_max_inbound_frame_size(FRAME_BYTES_MAX)
}

/// What the node server says about its sessions, by the label of their stream.
struct Events(Arc<Shared>);

impl NodeEventSubscription for Events {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        if self.0.table.labelled(&session.peer_addr).is_none() {
            // Not one of ours: somebody found the listener, or the link is gone.
            session.actor.stop(Some("not a link".to_owned()));
        }
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        if let Some(link) = self.0.table.labelled(&session.peer_addr) {
            link.pulse.close();
        }
    }

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        if let Some(link) = self.0.table.labelled(&session.peer_addr) {
            link.ready(session.node_id);
        }
    }
}
