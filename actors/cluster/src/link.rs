//! One authenticated connection to one peer.

use crate::frames::Frames;
use crate::peer::{BODY_BYTES_MAX, CallError};
use crate::pulse::{Pulse, Standing};
use crate::router::{HEARTBEAT, Heartbeat, Known, RouterMessage, group, read_reply};
use crate::server::session_name;
use crate::stream::{Deadlines, LinkStream};
use crate::{PeerIdentity, SelfIdentity};
use pyralog_env::Monotonic;
use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorId, ActorRef, ActorStatus};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Semaphore;

/// Calls to one peer at once.
pub(crate) const CALLS_MAX: usize = 256;
/// Bytes of their requests.
pub(crate) const BYTES_MAX: usize = 16 << 20;
/// How long a heartbeat waits for its answer.
const HEARTBEAT_PATIENCE: Duration = Duration::from_secs(2);

/// The link. Made when the preamble is done; ends with its connection.
pub(crate) struct Link {
    /// Names it in this process.
    pub number: u64,
    /// Whether this node dialled.
    pub dialled: bool,
    /// Whether ractor_cluster has its stream, which then says when it ends.
    handed_over: AtomicBool,
    pub pulse: Arc<Pulse>,
    pub opened: Monotonic,
    identity: Mutex<PeerIdentity>,
    /// What ractor_cluster calls the session.
    session: OnceLock<u64>,
    router: Mutex<Option<ActorCell>>,
    calls: Semaphore,
    bytes: Semaphore,
    rtt_nanos: AtomicU64,
}

impl Link {
    pub(crate) fn new(number: u64, dialled: bool, peer: PeerIdentity, pulse: Pulse) -> Link {
        Link {
            number,
            dialled,
            handed_over: AtomicBool::new(false),
            opened: pulse.now(),
            pulse: Arc::new(pulse),
            identity: Mutex::new(peer),
            session: OnceLock::new(),
            router: Mutex::new(None),
            calls: Semaphore::new(CALLS_MAX),
            bytes: Semaphore::new(BYTES_MAX),
            rtt_nanos: AtomicU64::new(0),
        }
    }

    /// The name of its stream in ractor_cluster.
    pub(crate) fn label(&self) -> String {
        format!("link-{}", self.number)
    }

    pub(crate) fn identity(&self) -> PeerIdentity {
        *self.peer()
    }

    /// Takes in what the peer has learned about itself since the handshake.
    pub(crate) fn learn(&self, known: Known) {
        let mut peer = self.peer();
        let before = *peer;
        peer.cluster = peer.cluster.or(known.cluster);
        peer.node = peer.node.or(known.node);
        let changed = *peer != before;
        drop(peer);
        if changed {
            self.pulse.nudge();
        }
    }

    /// Makes the stream that ractor_cluster gets.
    pub(crate) fn hand_over(&self, stream: TcpStream) -> LinkStream<OwnedReadHalf, OwnedWriteHalf> {
        self.handed_over.store(true, Ordering::Release);
        let (reader, writer) = stream.into_split();
        let PeerIdentity { store, boot, .. } = self.identity();
        let frames = Frames::new(session_name(store, boot), self.dialled);
        let pulse = self.pulse.clone();
        LinkStream::new(self.label(), reader, writer, pulse, frames, Deadlines::LINK)
    }

    /// Closes it; whether it has ended with that.
    pub(crate) fn close(&self) -> bool {
        self.pulse.close();
        if !self.handed_over.load(Ordering::Acquire) {
            self.pulse.stand(Standing::Ended);
        }
        self.pulse.standing() == Standing::Ended
    }

    /// The session is ready, under this name.
    pub(crate) fn ready(&self, session: u64) {
        if self.session.set(session).is_ok() {
            self.pulse.stand(Standing::Up);
        }
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        match self.rtt_nanos.load(Ordering::Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    pub(crate) fn calls_in_flight(&self) -> usize {
        CALLS_MAX - self.calls.available_permits()
    }

    pub(crate) async fn call(
        &self,
        service: u16,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, CallError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(CallError::TooLarge { bytes: body.len(), bytes_max: BODY_BYTES_MAX });
        }
        if self.pulse.standing() != Standing::Up {
            return Err(CallError::Down);
        }
        let _call = self.calls.try_acquire().map_err(|_| CallError::Overloaded)?;
        let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let _bytes = self.bytes.try_acquire_many(bytes).map_err(|_| CallError::Overloaded)?;
        self.exchange(service, body, patience).await
    }

    /// Asks the peer's router for a sign of life, past the credits.
    pub(crate) async fn heartbeat(&self, me: &SelfIdentity) -> Result<(), CallError> {
        let began = self.pulse.now();
        let body = Heartbeat::of(me).encode();
        let answer = self.exchange(HEARTBEAT, body, HEARTBEAT_PATIENCE).await?;
        let took = self.pulse.now().since(began);
        self.rtt_nanos.store(u64::try_from(took.as_nanos()).unwrap_or(0).max(1), Ordering::Relaxed);
        if let Some(known) = Known::decode(&answer) {
            self.learn(known);
        }
        Ok(())
    }

    async fn exchange(
        &self,
        service: u16,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let router = self.router().ok_or(CallError::Down)?;
        let ask = |reply| RouterMessage::Call { service, body, reply };
        match router.call(ask, Some(patience)).await {
            Ok(CallResult::Success(frame)) => read_reply(frame),
            Ok(CallResult::Timeout | CallResult::SenderError) => Err(CallError::Unknown),
            Err(_) => Err(CallError::Down),
        }
    }

    /// The peer's router: of this session, so that no other peer can pose as it.
    fn router(&self) -> Option<ActorRef<RouterMessage>> {
        let session = *self.session.get()?;
        let mut kept = self.router.lock().unwrap_or_else(PoisonError::into_inner);
        let lives = |cell: &ActorCell| cell.get_status() < ActorStatus::Draining;
        if !kept.as_ref().is_some_and(lives) {
            let PeerIdentity { store, boot, .. } = self.identity();
            let ours = |cell: &ActorCell| matches!(cell.get_id(), ActorId::Remote { node_id, .. } if node_id == session);
            let members = ractor::pg::get_members(&group(store, boot));
            *kept = members.into_iter().find(|cell| ours(cell) && lives(cell));
        }
        kept.clone().map(ActorRef::from)
    }

    fn peer(&self) -> MutexGuard<'_, PeerIdentity> {
        // A plain value is whole whoever panicked meanwhile.
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
