//! The handle: everything that a node asks of the Obelisks. Clones share it, and
//! it outlives the actors: while they restart, what needs them is `unavailable`.
//!
//! ```text
//!  ids, causal ─▶ the node's own lane; an Obelisk if it keeps none
//!  next ────────▶ leased: a block of this node ──at half──▶ an Obelisk
//!                 exact: an Obelisk, every time
//!  everything else ─▶ an Obelisk
//! ```

use crate::allocator::{AllocatorMessage, RegistryMessage};
use crate::call::Manner;
use crate::caller::{Caller, Endpoint, EndpointState, manner_of};
use crate::hub::DirectoryHub;
use crate::lane::{LaneHandle, LaneState};
use crate::membership::Membership;
use crate::protocol::{Answer, AskOutcome, Request};
use pyralog_env::{Clock, Entropy};
use pyralog_model::{ApiError, CounterNumber, ErrorCode};
use ractor::ActorRef;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// How long an answer is waited for, unless a caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the handle is made of.
#[derive(Debug)]
pub struct PharaohOptions {
    /// The Obelisks, the one to be preferred first: in the combined role this
    /// process's own.
    pub endpoints: Vec<Endpoint>,
    /// Where the directory's copy is published; names of counters are looked up
    /// there.
    pub hub: DirectoryHub,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// For the jitter of retries.
    pub entropy: Arc<dyn Entropy>,
}

/// How the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharaohState {
    /// The Obelisks in order of preference.
    pub endpoints: Vec<EndpointState>,
    /// What this start is registered as, once it is.
    pub membership: Option<Membership>,
    /// The node's lane of ids.
    pub lane: LaneState,
    /// What went wrong last in the background, until it goes well again.
    pub last_error: Option<ApiError>,
}

/// The allocators that run, each put there by itself.
type Allocators = HashMap<CounterNumber, ActorRef<AllocatorMessage>>;

/// The handle.
#[derive(Clone)]
pub struct Pharaoh(Arc<Shared>);

pub(crate) struct Shared {
    caller: Caller,
    pub(crate) hub: DirectoryHub,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) membership: watch::Sender<Option<Membership>>,
    pub(crate) lane: LaneHandle,
    registry: Mutex<Option<ActorRef<RegistryMessage>>>,
    allocators: Mutex<Allocators>,
    last_error: Mutex<Option<ApiError>>,
    pub(crate) changed: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn allocators(&self) -> MutexGuard<'_, Allocators> {
        self.allocators.lock().expect("no one panics holding references")
    }

    pub(crate) fn registry(&self) -> Option<ActorRef<RegistryMessage>> {
        self.registry.lock().expect("no one panics holding a reference").clone()
    }

    pub(crate) fn set_registry(&self, registry: ActorRef<RegistryMessage>) {
        *self.registry.lock().expect("no one panics holding a reference") = Some(registry);
    }
}

impl Pharaoh {
    /// A client that asks the given Obelisks. Ids and leased counters need the
    /// actors of `pharaoh_child` as well.
    pub fn new(options: PharaohOptions) -> Pharaoh {
        let PharaohOptions { endpoints, hub, clock, entropy } = options;
        let changed = watch::Sender::new(0);
        Pharaoh(Arc::new(Shared {
            caller: Caller::new(endpoints, Arc::clone(&clock), changed.clone()),
            hub,
            lane: LaneHandle::new(Arc::clone(&clock)),
            clock,
            entropy,
            membership: watch::Sender::new(None),
            registry: Mutex::default(),
            allocators: Mutex::default(),
            last_error: Mutex::default(),
            changed,
        }))
    }

    /// Asks whichever Obelisk answers first, for at most 5 s.
    ///
    /// # Errors
    /// `obelisk-away` when none answers; `timeout` for a proposal of which it is
    /// not known whether it was carried out; `directory-diverged` from an Obelisk
    /// that this node must not believe; else what was answered.
    pub async fn ask(&self, request: Request) -> AskOutcome {
        self.ask_within(request, PATIENCE).await
    }

    /// As `ask`, with another patience. Of an outage that has lasted longer than
    /// `patience` already, the caller is told at once.
    ///
    /// # Errors
    /// As `ask`.
    pub async fn ask_within(&self, request: Request, patience: Duration) -> AskOutcome {
        let manner = manner_of(&request);
        self.ask_as(request, manner, patience).await
    }

    /// Asks one Obelisk, and another only if the first has surely done nothing.
    pub(crate) async fn ask_once(&self, request: Request) -> AskOutcome {
        self.ask_as(request, Manner::Once, PATIENCE).await
    }

    async fn ask_as(&self, request: Request, manner: Manner, patience: Duration) -> AskOutcome {
        let request = self.knowing(request, patience).await?;
        self.0.caller.ask(request, manner, patience).await
    }

    /// How the client is at this moment.
    pub fn state(&self) -> PharaohState {
        PharaohState {
            endpoints: self.0.caller.states(),
            membership: self.membership(),
            lane: self.0.lane.state(),
            last_error: self.last_error().clone(),
        }
    }

    /// Told when an endpoint goes or comes, when the node becomes a member, and
    /// when the lease changes; the number means nothing.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Where the directory's copy is published.
    pub fn hub(&self) -> &DirectoryHub {
        &self.0.hub
    }

    /// The node's lane, for those who number records.
    pub fn lane(&self) -> LaneHandle {
        self.0.lane.clone()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    pub(crate) fn set_error(&self, error: &ApiError) {
        *self.last_error() = Some(error.clone());
    }

    pub(crate) fn clear_error(&self) {
        *self.last_error() = None;
    }

    /// Half to one and a half of `wait`, so that nodes do not come in step.
    pub(crate) fn jittered(&self, wait: Duration) -> Duration {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(millis / 2 + self.0.entropy.next_u64() % millis)
    }

    pub(crate) fn unexpected(answer: &Answer) -> ApiError {
        let message = format!("the Obelisk gave an answer to another question: {answer:?}");
        ApiError::new(ErrorCode::Internal, message)
    }

    fn last_error(&self) -> MutexGuard<'_, Option<ApiError>> {
        self.0.last_error.lock().expect("no one panics holding an error")
    }
}

impl fmt::Debug for Pharaoh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pharaoh").field("state", &self.state()).finish_non_exhaustive()
    }
}
