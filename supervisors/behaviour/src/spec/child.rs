//! One child: how it is started, and what is done when it ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use ractor::concurrency::JoinHandle;
use ractor::{ActorCell, ActorRef, Message, SpawnErr};

use crate::{Backoff, ChildContext, Observe, Restart, SupervisorSpec};

/// Five seconds are enough for an actor to leave its handler and its `post_stop`.
const WORKER_PATIENCE: Duration = Duration::from_secs(5);
/// A supervisor needs the sum of its children's patience. Its own stopping
/// always ends, because it kills; this is the last resort against a bug there.
const SUPERVISOR_PATIENCE: Duration = Duration::from_secs(300);

/// How a child is started and what its supervisor does about it.
#[derive(Clone)]
pub struct ChildSpec {
    /// Unique among its siblings; the last part of its path.
    pub id: String,
    /// What it is, for listings: `committer`, `partition`, `supervisor`.
    pub kind: &'static str,
    /// When it is started again. Permanent unless said otherwise.
    pub restart: Restart,
    /// How long it may take to stop before it is killed.
    pub patience: Duration,
    /// The waits between restarts.
    pub backoff: Backoff,
    /// After so many consecutive failures the child is parked, and its
    /// failures do not count against its supervisor's intensity.
    pub quarantine_after: Option<u32>,
    /// Whether stopping lets it handle the messages it already has.
    pub drain: bool,
    pub(crate) start: Start,
}

/// Asks a child to describe itself; false when it can no longer be asked.
pub(crate) type Ask = Arc<dyn Fn(Observe) -> bool + Send + Sync>;

type StartWorker =
    dyn Fn(ChildContext) -> BoxFuture<'static, Result<Started, SpawnErr>> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Start {
    Worker(Arc<StartWorker>),
    Supervisor(Arc<dyn Fn(ChildContext) -> SupervisorSpec + Send + Sync>),
}

pub(crate) struct Started {
    pub(crate) cell: ActorCell,
    pub(crate) join: JoinHandle<()>,
    pub(crate) ask: Ask,
}

impl Started {
    pub(crate) fn new<M>((child, join): (ActorRef<M>, JoinHandle<()>)) -> Started
    where
        M: Message + From<Observe>,
    {
        let cell = child.get_cell();
        Started { cell, join, ask: Arc::new(move |ask| child.send_message(M::from(ask)).is_ok()) }
    }
}

impl ChildSpec {
    /// A worker. `start` is called for every incarnation; it spawns the actor
    /// linked to `context.supervisor()` and returns ractor's pair.
    pub fn new<M, F, Fut>(id: impl Into<String>, kind: &'static str, start: F) -> ChildSpec
    where
        M: Message + From<Observe>,
        F: Fn(ChildContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(ActorRef<M>, JoinHandle<()>), SpawnErr>> + Send + 'static,
    {
        let start = move |context| start(context).map(|pair| pair.map(Started::new)).boxed();
        ChildSpec::of(id.into(), kind, WORKER_PATIENCE, Start::Worker(Arc::new(start)))
    }

    /// A child that is itself a supervisor. `spec` is asked for every incarnation.
    pub fn supervisor(
        id: impl Into<String>,
        spec: impl Fn(ChildContext) -> SupervisorSpec + Send + Sync + 'static,
    ) -> ChildSpec {
        let start = Start::Supervisor(Arc::new(spec));
        ChildSpec::of(id.into(), "supervisor", SUPERVISOR_PATIENCE, start)
    }

    fn of(id: String, kind: &'static str, patience: Duration, start: Start) -> ChildSpec {
        let (restart, backoff) = (Restart::Permanent, Backoff::default());
        ChildSpec {
            id,
            kind,
            restart,
            patience,
            backoff,
            quarantine_after: None,
            drain: false,
            start,
        }
    }

    /// Sets what it is called in listings.
    pub fn kind(self, kind: &'static str) -> ChildSpec {
        ChildSpec { kind, ..self }
    }

    /// Sets when it is started again.
    pub fn restart(self, restart: Restart) -> ChildSpec {
        ChildSpec { restart, ..self }
    }

    /// Sets how long it may take to stop before it is killed.
    pub fn patience(self, patience: Duration) -> ChildSpec {
        ChildSpec { patience, ..self }
    }

    /// Sets the waits between restarts.
    pub fn backoff(self, backoff: Backoff) -> ChildSpec {
        ChildSpec { backoff, ..self }
    }

    /// Parks the child after so many consecutive failures (at least one).
    pub fn quarantine_after(self, failures: u32) -> ChildSpec {
        ChildSpec { quarantine_after: Some(failures.max(1)), ..self }
    }

    /// Lets the child handle the messages it already has before it stops.
    pub fn drain(self) -> ChildSpec {
        ChildSpec { drain: true, ..self }
    }

    pub(crate) fn is_supervisor(&self) -> bool {
        matches!(self.start, Start::Supervisor(_))
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ChildSpec")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}
