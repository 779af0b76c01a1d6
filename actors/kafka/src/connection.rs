//! One client's connection as an actor.
//!
//! The actor owns the task that reads, works and writes. Stopped, it lets the
//! task answer what it has taken in; killed, it drops the task, and with it the
//! socket and all that the connection held of the shared memory. It is never
//! restarted: the client dials again.

mod outbox;
mod pipeline;

use crate::door::Place;
use crate::service::{Caller, Service};
use futures::FutureExt;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long a connection that is stopped may take to answer what it has.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// What a connection is told.
#[derive(RactorMessage)]
pub(crate) enum ConnectionMessage {
    /// Describe yourself.
    Observe(RpcReplyPort<Snapshot>),
    /// The task has ended, with a reason if it was not the client's wish.
    Ended(Option<String>),
}

impl From<Observe> for ConnectionMessage {
    fn from(observe: Observe) -> ConnectionMessage {
        ConnectionMessage::Observe(observe.0)
    }
}

/// What a connection starts with.
pub(crate) struct ConnectionArguments {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub local: SocketAddr,
    pub service: Arc<Service>,
    pub vitals: Vitals,
    /// Its place among the connections that are allowed.
    pub place: Place,
}

/// The actor.
pub(crate) struct Connection;

/// What it keeps.
pub(crate) struct ConnectionState {
    task: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    vitals: Vitals,
    peer: SocketAddr,
    _place: Place,
}

impl Drop for ConnectionState {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Actor for Connection {
    type Msg = ConnectionMessage;
    type State = ConnectionState;
    type Arguments = ConnectionArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ConnectionMessage>,
        arguments: ConnectionArguments,
    ) -> Result<ConnectionState, ActorProcessingErr> {
        let ConnectionArguments { stream, peer, local, service, vitals, place } = arguments;
        vitals.set_detail("peer", peer.to_string());
        stream.set_nodelay(true)?;
        let (stopping, stop) = watch::channel(false);
        let served = pipeline::serve(stream, service, Caller { local, peer }, vitals.clone(), stop);
        let task = tokio::spawn(async move {
            let ended = AssertUnwindSafe(served).catch_unwind().await;
            let reason = match ended {
                Ok(Ok(())) => None,
                Ok(Err(reason)) => Some(reason.to_string()),
                Err(_) => Some("a panic while serving; please report it with the log".to_owned()),
            };
            // The actor may be gone already, and then nobody needs to know.
            let _ = myself.send_message(ConnectionMessage::Ended(reason));
        });
        Ok(ConnectionState { task, stopping, vitals, peer, _place: place })
    }

    async fn handle(
        &self,
        myself: ActorRef<ConnectionMessage>,
        message: ConnectionMessage,
        state: &mut ConnectionState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ConnectionMessage::Observe(reply) => state.observe(reply),
            ConnectionMessage::Ended(reason) => state.ended(&myself, reason),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<ConnectionMessage>,
        state: &mut ConnectionState,
    ) -> Result<(), ActorProcessingErr> {
        // Already over if it was the task that ended first.
        state.stopping.send_replace(true);
        let _ = tokio::time::timeout(STOP_PATIENCE, &mut state.task).await;
        Ok(())
    }
}

impl ConnectionState {
    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        // Whoever asked may have stopped waiting.
        let _ = reply.send(self.vitals.snapshot());
    }

    fn ended(&self, myself: &ActorRef<ConnectionMessage>, reason: Option<String>) {
        if let Some(reason) = reason {
            tracing::info!(peer = %self.peer, reason, "Kafka connection closed");
        }
        myself.stop(None);
    }
}
