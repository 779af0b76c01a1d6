//! The accept loop, and what becomes of each connection.

use super::noise::Noise;
use super::{Place, Places};
use crate::Refusal;
use crate::attending::Attendance;
use crate::children::PEERS;
use crate::guest::{Guest, GuestArguments, GuestMessage};
use crate::handshake::{accept, refuse};
use crate::links::Shared;
use pyralog_behaviour::{ChildContext, ChildSpec, Restart, SupervisorMessage};
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long a link waits for its actor.
const START_MS_MAX: u64 = 5_000;

/// The pause after a failed accept: out of file handles, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the accept loop works with.
pub(super) struct Accepting {
    listener: TcpListener,
    reception: Arc<Reception>,
    places: Arc<Places>,
}

/// What each connection's task works with.
struct Reception {
    shared: Arc<Shared>,
    context: ChildContext,
    noise: Noise,
}

impl Accepting {
    pub(super) fn new(
        listener: TcpListener,
        shared: Arc<Shared>,
        places: Arc<Places>,
        context: ChildContext,
    ) -> Accepting {
        let reception = Reception { shared, context, noise: Noise::default() };
        Accepting { listener, reception: Arc::new(reception), places }
    }

    /// Accepts for ever.
    pub(super) async fn run(self) {
        // Handshakes do not outlive the door; links do.
        let mut shaking = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, address)) => self.welcome(stream, address, &mut shaking),
                    Err(error) => self.failed(&error).await,
                },
                Some(_) = shaking.join_next() => (),
            }
        }
    }

    async fn failed(&self, error: &std::io::Error) {
        tracing::warn!(%error, "a connection of a node could not be accepted");
        self.reception.context.vitals().failed(&error.to_string());
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }

    fn welcome(&self, stream: TcpStream, address: SocketAddr, shaking: &mut JoinSet<()>) {
        self.reception.context.vitals().handled();
        match self.places.take(address.ip()) {
            Some(place) => {
                let reception = self.reception.clone();
                shaking.spawn(async move { reception.receive(stream, address, place).await });
            }
            None => turn_away(&stream),
        }
    }
}

/// Says so if that can be done without waiting.
fn turn_away(stream: &TcpStream) {
    use crate::preamble::Answer;
    let _ = stream.try_write(&Answer::Refused(Refusal::TooManyConnections).encode());
}

impl Reception {
    async fn receive(&self, mut stream: TcpStream, address: SocketAddr, place: Place) {
        // Without it small frames wait for each other; a link without is slow, not wrong.
        let _ = stream.set_nodelay(true);
        let attendance = match accept(&self.shared, &mut stream, address).await {
            Ok(attendance) => attendance,
            Err(error) => {
                self.noise.tell(address.ip(), &error);
                return;
            }
        };
        self.noise.forget(address.ip());
        let link = attendance.link.clone();
        // The actor first: a link without one would have no detector.
        match self.start(attendance, place).await {
            Ok(()) => self.shared.hand_over(&link, stream),
            Err(reason) => {
                tracing::warn!(%address, reason, "a link could not be started");
                refuse(&mut stream, Refusal::TooManyConnections).await;
            }
        }
    }

    async fn start(&self, attendance: Attendance, place: Place) -> Result<(), String> {
        let peers: Option<ActorRef<SupervisorMessage>> = self.context.sibling(PEERS);
        let peers = peers.ok_or("the supervisor of peers is away")?;
        let spec = guest(attendance, place);
        let started = call_t!(peers, SupervisorMessage::StartChild, START_MS_MAX, spec);
        let started = started.map_err(|error| error.to_string())?;
        started.map(drop).map_err(|error| error.to_string())
    }
}

/// A child that is started once, with this link, and never again.
fn guest(attendance: Attendance, place: Place) -> ChildSpec {
    let id = format!("from-{}-{}", attendance.link.identity().store, attendance.link.number);
    let once = Arc::new(Mutex::new(Some((attendance, place))));
    let start = move |context: ChildContext| {
        let taken = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            let Some((attendance, place)) = taken else {
                return Err(SpawnErr::StartupFailed("a link is attended once".into()));
            };
            let arguments = GuestArguments { attendance, place, vitals: context.vitals() };
            Actor::spawn_linked(None, Guest, arguments, context.supervisor()).await
        }
    };
    ChildSpec::new::<GuestMessage, _, _>(id, "link-guest", start).restart(Restart::Temporary)
}
