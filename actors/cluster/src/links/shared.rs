//! What the handle and the actors have in common.

use super::nonces::Nonces;
use super::{LinkSettings, Table};
use crate::cookie::Cookie;
use crate::dialling::DiallingMessage;
use crate::link::Link;
use crate::router::Desk;
use crate::{Peer, SelfCell};
use pyralog_env::{Clock, Entropy};
use ractor::ActorRef;
use ractor_cluster::NodeServerMessage;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;

pub(crate) struct Shared {
    pub identity: SelfCell,
    pub cookie: Cookie,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub desk: Desk,
    pub table: Table,
    pub nonces: Nonces,
    peers: Mutex<BTreeMap<String, Peer>>,
    /// The present incarnations.
    server: Mutex<Option<ActorRef<NodeServerMessage>>>,
    dialling: Mutex<Option<ActorRef<DiallingMessage>>>,
}

impl Shared {
    pub(crate) fn new(settings: LinkSettings) -> Shared {
        let LinkSettings { identity, cookie, clock, entropy } = settings;
        Shared {
            table: Table::new(identity.store, clock.clone()),
            identity: SelfCell::new(identity),
            cookie,
            clock,
            entropy,
            desk: Desk::new(),
            nonces: Nonces::default(),
            peers: Mutex::default(),
            server: Mutex::default(),
            dialling: Mutex::default(),
        }
    }

    pub(crate) fn dial(&self, endpoint: &str) -> Peer {
        let peer = lock(&self.peers)
            .entry(endpoint.to_owned())
            .or_insert_with(|| Peer::new(endpoint))
            .clone();
        if let Some(dialling) = &*lock(&self.dialling) {
            // One that is gone asks for all peers when it comes back.
            let _ = dialling.send_message(DiallingMessage::Dial(peer.clone()));
        }
        peer
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        lock(&self.peers).values().cloned().collect()
    }

    pub(crate) fn set_server(&self, server: Option<ActorRef<NodeServerMessage>>) {
        *lock(&self.server) = server;
    }

    pub(crate) fn set_dialling(&self, dialling: Option<ActorRef<DiallingMessage>>) {
        *lock(&self.dialling) = dialling;
    }

    pub(crate) fn nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce);
        nonce
    }

    /// Gives the connection of `link` to ractor_cluster. When there is nobody to
    /// take it, the stream is dropped and with it the link ends.
    pub(crate) fn hand_over(&self, link: &Link, stream: TcpStream) {
        let stream = link.hand_over(stream);
        let server = lock(&self.server).clone();
        if let Some(server) = server {
            let opened = NodeServerMessage::ConnectionOpenedExternal {
                stream: Box::new(stream),
                is_server: !link.dialled,
            };
            let _ = server.send_message(opened);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
