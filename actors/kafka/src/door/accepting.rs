//! The accept loop: a place, an actor, next.

use super::{Place, Places};
use crate::connection::{Connection, ConnectionArguments, ConnectionMessage};
use crate::service::Service;
use pyralog_behaviour::{ChildContext, ChildSpec, Restart, SupervisorMessage};
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The id of the supervisor of connections, an earlier sibling of the door.
pub(crate) const CONNECTIONS: &str = "kafka-connections";

/// How long a connection waits for its actor.
const START_MS_MAX: u64 = 5_000;

/// The pause after a failed accept: out of file handles, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often, and how long after each other, the supervisor is looked for while
/// it is being restarted itself.
const LOOKS: u32 = 40;
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// Names connections over all doors of this process: no name is used again.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// What the accept loop works with.
pub(super) struct Accepting {
    pub listener: TcpListener,
    pub service: Arc<Service>,
    pub places: Arc<Places>,
    pub context: ChildContext,
}

impl Accepting {
    /// Accepts for ever. Not before this node is a member of its cluster: clients
    /// are told its number, and the kernel keeps those that knock before.
    pub(super) async fn run(self) {
        self.service.shen.joined().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => self.welcome(stream, peer).await,
                Err(error) => {
                    tracing::warn!(%error, "a Kafka connection could not be accepted");
                    self.context.vitals().failed(&error.to_string());
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn welcome(&self, stream: TcpStream, peer: SocketAddr) {
        self.context.vitals().handled();
        let Some(place) = self.places.take(peer.ip()) else {
            tracing::debug!(%peer, "no place for one more Kafka connection");
            return;
        };
        if let Err(reason) = self.start(stream, peer, place).await {
            tracing::warn!(%peer, reason, "a Kafka connection could not be started");
            self.context.vitals().failed(&reason);
        }
    }

    async fn start(&self, stream: TcpStream, peer: SocketAddr, place: Place) -> Result<(), String> {
        let spec = spec(stream, peer, place, self.service.clone()).map_err(|e| e.to_string())?;
        let connections =
            self.connections().await.ok_or("the supervisor of connections is away")?;
        let started = call_t!(connections, SupervisorMessage::StartChild, START_MS_MAX, spec);
        let started = started.map_err(|error| error.to_string())?;
        started.map(drop).map_err(|error| error.to_string())
    }

    async fn connections(&self) -> Option<ActorRef<SupervisorMessage>> {
        for _ in 0..LOOKS {
            if let Some(connections) = self.context.sibling(CONNECTIONS) {
                return Some(connections);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        None
    }
}

/// A child that is started once, with this socket, and never again.
fn spec(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    service: Arc<Service>,
) -> io::Result<ChildSpec> {
    let local = stream.local_addr()?;
    let socket = Arc::new(Mutex::new(Some((stream, place))));
    let start = move |context: ChildContext| {
        let taken = socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        let service = service.clone();
        async move {
            let Some((stream, place)) = taken else {
                return Err(SpawnErr::StartupFailed("a socket is served once".into()));
            };
            let vitals = context.vitals();
            let arguments = ConnectionArguments { stream, peer, local, service, vitals, place };
            Actor::spawn_linked(None, Connection, arguments, context.supervisor()).await
        }
    };
    let id = format!("connection-{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
    let spec = ChildSpec::new::<ConnectionMessage, _, _>(id, "connection", start);
    Ok(spec.restart(Restart::Temporary))
}
