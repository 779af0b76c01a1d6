//! The actor that owns the HTTP socket.
//!
//! The socket was bound by the node, once; a restarted door accepts on a
//! duplicate of it, so that no connection is refused in between. Accepting and
//! serving run in tasks that end with the actor's state.

use crate::limits::ConsoleLimits;
use crate::routes::{Context, router};
use crate::{NodeFacts, Readiness, connection};
use pyralog_behaviour::{ChildContext, ChildSpec, Observe, Snapshot, Tree, Vitals};
use pyralog_env::Clock;
use pyralog_groups::Groups;
use pyralog_partition::Shen;
use pyralog_pharaoh::Pharaoh;
use pyralog_query::Queries;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the console is told.
#[derive(Debug, ractor_cluster_derive::RactorMessage)]
pub enum ConsoleMessage {
    /// Describe yourself.
    Observe(Observe),
    /// The task that accepts has ended; why.
    AcceptingEnded(String),
}

impl From<Observe> for ConsoleMessage {
    fn from(observe: Observe) -> ConsoleMessage {
        ConsoleMessage::Observe(observe)
    }
}

/// What the console needs. Cloned for each restart.
#[derive(Clone)]
pub struct ConsoleArguments {
    /// The bound, nonblocking socket.
    pub listener: Arc<TcpListener>,
    /// The client of the Obelisks; its hub has the directory.
    pub pharaoh: Pharaoh,
    /// The façade of the logs; `None` on a node that has none.
    pub shen: Option<Shen>,
    /// The handle of consumer groups; `None` on a node that has no logs.
    pub groups: Option<Groups>,
    /// Who answers SQL; `None` on a node that has no logs.
    pub queries: Option<Queries>,
    /// The tree, filled in once it exists: it contains this actor.
    pub tree: Arc<OnceLock<Tree>>,
    /// What does not change.
    pub facts: NodeFacts,
    /// How ready the node is.
    pub readiness: watch::Receiver<Readiness>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// More lines for `/metrics`, in Prometheus' text form, each ended by a
    /// newline; from whoever measures.
    pub more_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Allow fault injection.
    pub debug_faults: bool,
    /// Bounds.
    pub limits: ConsoleLimits,
}

/// The HTTP door.
#[derive(Debug, Default)]
pub struct Console;

impl Console {
    /// What it is called in the tree.
    pub const ID: &'static str = "console";
}

/// What the console holds while it runs.
pub struct ConsoleState {
    vitals: Vitals,
    context: Context,
    stop: watch::Sender<bool>,
    accepting: AbortOnDrop,
    drain_timeout: Duration,
}

/// The console's place in a tree.
pub fn console_child(arguments: ConsoleArguments) -> ChildSpec {
    ChildSpec::new::<ConsoleMessage, _, _>(Console::ID, "console", move |context: ChildContext| {
        let supervisor = context.supervisor();
        Actor::spawn_linked(None, Console, (arguments.clone(), context), supervisor)
    })
}

impl Actor for Console {
    type Msg = ConsoleMessage;
    type State = ConsoleState;
    type Arguments = (ConsoleArguments, ChildContext);

    async fn pre_start(
        &self,
        myself: ActorRef<ConsoleMessage>,
        (arguments, child): Self::Arguments,
    ) -> Result<ConsoleState, ActorProcessingErr> {
        let listener = arguments.listener.try_clone()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let limits = arguments.limits.clone();
        let drain_timeout = limits.drain_timeout;
        let (stop, stopped) = watch::channel(false);
        let context = Context::new(arguments, child.path(), stopped.clone());
        let router = router(context.clone());
        let accepting = tokio::spawn(async move {
            if let Err(error) = connection::accept(listener, router, limits, stopped).await {
                // The actor is gone if this fails, and nobody needs to know.
                let _ = myself.cast(ConsoleMessage::AcceptingEnded(error.to_string()));
            }
        });
        Ok(ConsoleState {
            vitals: child.vitals(),
            context,
            stop,
            accepting: AbortOnDrop(accepting),
            drain_timeout,
        })
    }

    async fn handle(
        &self,
        _myself: ActorRef<ConsoleMessage>,
        message: ConsoleMessage,
        state: &mut ConsoleState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            ConsoleMessage::Observe(observe) => state.observe(observe),
            ConsoleMessage::AcceptingEnded(why) => state.accepting_ended(why),
        }
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<ConsoleMessage>,
        state: &mut ConsoleState,
    ) -> Result<(), ActorProcessingErr> {
        state.stop.send_replace(true);
        // The accepting task cuts connections off by itself after this time.
        let grace = state.drain_timeout + Duration::from_millis(500);
        let _ = tokio::time::timeout(grace, &mut state.accepting.0).await;
        Ok(())
    }
}

impl ConsoleState {
    fn observe(&self, Observe(reply): Observe) -> Result<(), ActorProcessingErr> {
        let requests = self.context.requests.load(Ordering::Relaxed);
        self.vitals.set_detail("requests", requests.to_string());
        let snapshot: Snapshot = self.vitals.snapshot();
        // Whoever asked may have given up.
        let _ = reply.send(snapshot);
        Ok(())
    }

    fn accepting_ended(&self, why: String) -> Result<(), ActorProcessingErr> {
        Err(format!("cannot accept HTTP connections: {why}").into())
    }
}

/// A task that ends with its owner, however that ends.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
