//! The supervisor: spawns its children, hears of their ends, and carries out
//! what the pure `core` decides.
//!
//! It never waits for a child while it runs: each life is attended by a task
//! of its own that reports back by message, stops are carried out by tasks, and
//! restarts come back as timer messages. It stops in the same way, child by
//! child, so that it can be seen doing it. Only while it first starts, and when
//! somebody uses ractor's own stop instead of `Shutdown`, does it wait inline.

mod life;
mod message;
mod state;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use pyralog_env::Clock;
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};

pub use self::message::{KillError, Notice, StartChildError, SupervisorMessage, TooManyRestarts};
pub(crate) use self::message::{News, Shared};
pub use self::state::SupervisorState;
use crate::board::Board;
use crate::household::Doorway;
use crate::tree::Outcome;
use crate::{Reports, SupervisorSpec, Vitals};

/// What a supervisor is started with. Made by [`Supervisor::start`] and by the
/// supervisor above; nobody else has what goes into it.
pub struct SupervisorArguments {
    pub(crate) spec: SupervisorSpec,
    pub(crate) board: Arc<Board>,
    pub(crate) doorway: Doorway,
    pub(crate) vitals: Vitals,
    pub(crate) shared: Shared,
}

/// The actor.
#[derive(Debug)]
pub struct Supervisor;

impl Supervisor {
    /// Starts the root of a tree and, in order, everything below it.
    ///
    /// `name` is the first part of every path. Fails with the reason of the
    /// first child that does not start, after stopping those before it.
    pub async fn start(
        name: &str,
        spec: SupervisorSpec,
        clock: Arc<dyn Clock>,
        reports: Option<Reports>,
    ) -> Result<(ActorRef<SupervisorMessage>, JoinHandle<()>), SpawnErr> {
        let generations = Arc::new(AtomicU64::new(0));
        let shared = Shared { clock, reports: reports.unwrap_or_default(), generations };
        let arguments = SupervisorArguments {
            spec,
            board: Board::root(name),
            doorway: Doorway::default(),
            vitals: Vitals::default(),
            shared,
        };
        // No ractor name: it would be free again before this one has ended.
        Actor::spawn(None, Supervisor, arguments).await
    }
}

impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = SupervisorState;
    type Arguments = SupervisorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMessage>,
        arguments: SupervisorArguments,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        SupervisorState::open(myself, arguments).await
    }

    async fn handle(
        &self,
        _myself: ActorRef<SupervisorMessage>,
        message: SupervisorMessage,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            SupervisorMessage::StartChild(spec, reply) => state.start_child(spec, reply),
            SupervisorMessage::StopChild(id, reply) => state.stop_child(&id, reply),
            SupervisorMessage::Observe(reply) => state.observe(reply),
            SupervisorMessage::Tree(reply) => state.tree(reply),
            SupervisorMessage::Kill { path, reply } => state.kill(&path, reply),
            SupervisorMessage::Shutdown(reply) => state.shut_down(Some(reply))?,
            SupervisorMessage::Notice(notice) => state.notice(notice.0)?,
        }
        Ok(())
    }

    // The event is dropped here, and with it the state of a child that ended
    // in order: its attendant reports the end only afterwards.
    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.hear(&event);
        Ok(())
    }

    // After `Shutdown` nothing is left to do here. After a plain stop all the
    // children are still up, and ractor would kill them when this returns.
    async fn post_stop(
        &self,
        _myself: ActorRef<SupervisorMessage>,
        state: &mut SupervisorState,
    ) -> Result<(), ActorProcessingErr> {
        state.close_inline().await;
        state.bow_out(Outcome::Stopped);
        Ok(())
    }
}
