//! The actor of one partition of `__groups`: it reads the log, runs the machine, and
//! appends what that writes.
//!
//! ```text
//!  Ask ─▶ Coordinator ─Write─▶ Journal ─▶ one append at a time ─▶ GroupLog
//!           ▲    └─Reply─▶ whoever asked                │
//!           └───────────── Written ◀── Appended ◀───────┘
//! ```
//!
//! It never waits: reading, appending and trimming are tasks that report back by
//! message. An append whose end is not known ends the actor, and the next one reads
//! what became of it.

mod loading;
mod running;

use crate::kept::{FoldError, Folded};
use crate::log::{AppendError, GroupLog, GroupLogs, Listed};
use crate::machine::{Reply, Request};
use crate::protocol::GroupError;
use crate::seat::{Seat, Sitting};
use crate::settings::GroupSettings;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_env::{Clock, Entropy};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use running::Running;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::task::JoinHandle;

/// A question and where its answer goes.
pub struct Ask {
    pub(crate) request: Request,
    pub(crate) reply: oneshot::Sender<Result<Reply, GroupError>>,
    /// Given back when the question was looked at.
    pub(crate) _permit: OwnedSemaphorePermit,
}

/// What a coordinator is told.
#[derive(RactorMessage)]
pub enum CoordinatorMessage {
    /// Somebody asks.
    Ask(Ask),
    /// The log is read.
    Loaded(Result<Folded, FoldError>),
    /// An append is decided.
    Appended(Result<u64, AppendError>),
    /// Something is due.
    Tick,
    /// Logs may have been deleted.
    LogsChanged,
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for CoordinatorMessage {
    fn from(Observe(reply): Observe) -> CoordinatorMessage {
        CoordinatorMessage::Observe(reply)
    }
}

/// What a coordinator needs.
#[derive(Clone)]
pub(crate) struct CoordinatorArguments {
    pub(crate) logs: Arc<dyn GroupLogs>,
    pub(crate) log: Arc<dyn GroupLog>,
    pub(crate) listed: watch::Receiver<Listed>,
    pub(crate) seat: Arc<Seat>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Arc<GroupSettings>,
    pub(crate) vitals: Vitals,
}

/// The actor.
pub(crate) struct CoordinatorActor;

/// What it holds.
pub(crate) struct CoordinatorState {
    arguments: CoordinatorArguments,
    tasks: Tasks,
    running: Option<Running>,
}

impl Actor for CoordinatorActor {
    type Msg = CoordinatorMessage;
    type State = CoordinatorState;
    type Arguments = CoordinatorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<CoordinatorMessage>,
        arguments: CoordinatorArguments,
    ) -> Result<CoordinatorState, ActorProcessingErr> {
        arguments.vitals.set_state("loading");
        arguments.seat.take(Sitting::Loading);
        let loading = loading::load(
            Arc::clone(&arguments.log),
            Arc::clone(&arguments.seat.pen),
            arguments.vitals.clone(),
            myself,
        );
        let tasks = Tasks(vec![tokio::spawn(loading)]);
        Ok(CoordinatorState { arguments, tasks, running: None })
    }

    async fn handle(
        &self,
        myself: ActorRef<CoordinatorMessage>,
        message: CoordinatorMessage,
        state: &mut CoordinatorState,
    ) -> Result<(), ActorProcessingErr> {
        state.arguments.vitals.handled();
        match message {
            CoordinatorMessage::Loaded(loaded) => return state.loaded(myself, loaded),
            CoordinatorMessage::Observe(reply) => state.observe(reply),
            message => {
                // Nobody is led to this actor before it runs.
                let Some(running) = &mut state.running else { return Ok(()) };
                match message {
                    CoordinatorMessage::Ask(ask) => running.ask(ask),
                    CoordinatorMessage::Appended(appended) => running.appended(appended)?,
                    CoordinatorMessage::Tick => running.tick(),
                    CoordinatorMessage::LogsChanged => running.logs_changed(),
                    CoordinatorMessage::Loaded(_) | CoordinatorMessage::Observe(_) => {}
                }
            }
        }
        Ok(())
    }
}

impl CoordinatorState {
    /// A log that cannot be read ends the actor: to go on without it would take back
    /// what was acknowledged.
    fn loaded(
        &mut self,
        myself: ActorRef<CoordinatorMessage>,
        loaded: Result<Folded, FoldError>,
    ) -> Result<(), ActorProcessingErr> {
        let arguments = &self.arguments;
        self.running = Some(Running::new(arguments, loaded?, myself.clone()));
        self.tasks.0.push(tokio::spawn(watch_logs(arguments.listed.clone(), myself.clone())));
        arguments.vitals.set_state("running");
        arguments.seat.take(Sitting::Serving(myself));
        Ok(())
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        if let Some(running) = &self.running {
            running.describe();
        }
        // Whoever asked may have given up.
        let _ = reply.send(self.arguments.vitals.snapshot());
    }
}

/// Tells the actor of every change, and at once how things stand.
async fn watch_logs(mut listed: watch::Receiver<Listed>, myself: ActorRef<CoordinatorMessage>) {
    listed.mark_changed();
    while listed.changed().await.is_ok() {
        if myself.cast(CoordinatorMessage::LogsChanged).is_err() {
            return;
        }
    }
}

/// Tasks that end with their actor, however that ends.
struct Tasks(Vec<JoinHandle<()>>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Drop for CoordinatorState {
    /// A kill runs no `post_stop`, but it drops the state. Callers are told by the
    /// drop of their answers' senders.
    fn drop(&mut self) {
        self.arguments.seat.take(Sitting::Nobody);
    }
}
