//! The actor that owns the engine. It starts the threads, puts the engine into the
//! handle, and takes it out when it goes; queries do not pass through it.

use crate::Queries;
use crate::QuerySettings;
use crate::engine::{Engine, Sources};
use datafusion::catalog::SchemaProvider;
use pyralog_behaviour::{ChildContext, ChildSpec, Observe, Vitals};
use pyralog_partition::{IdSource, Shen};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;

/// What the actor is told.
#[derive(Debug, ractor_cluster_derive::RactorMessage)]
pub enum QueryEngineMessage {
    /// Describe yourself.
    Observe(Observe),
}

impl From<Observe> for QueryEngineMessage {
    fn from(observe: Observe) -> QueryEngineMessage {
        QueryEngineMessage::Observe(observe)
    }
}

/// What the engine needs. Cloned for each restart.
#[derive(Clone)]
pub struct QueriesArguments {
    /// The handle that is filled in.
    pub queries: Queries,
    /// The façade of the logs.
    pub shen: Shen,
    /// The schema `sys`.
    pub system: Arc<dyn SchemaProvider>,
    /// Where `scarab_id()` has ids from, if there are any.
    pub ids: Option<Arc<dyn IdSource>>,
    /// Bounds.
    pub settings: QuerySettings,
}

/// The actor.
#[derive(Debug, Default)]
pub struct QueryEngine;

impl QueryEngine {
    /// What it is called in the tree.
    pub const ID: &'static str = "queries";
}

/// What it holds.
pub struct QueryEngineState {
    queries: Queries,
    engine: Arc<Engine>,
    vitals: Vitals,
}

/// The engine's place in a tree.
pub fn queries_child(arguments: QueriesArguments) -> ChildSpec {
    let start = move |context: ChildContext| {
        let supervisor = context.supervisor();
        Actor::spawn_linked(None, QueryEngine, (arguments.clone(), context), supervisor)
    };
    ChildSpec::new::<QueryEngineMessage, _, _>(QueryEngine::ID, "queries", start)
}

impl Actor for QueryEngine {
    type Msg = QueryEngineMessage;
    type State = QueryEngineState;
    type Arguments = (QueriesArguments, ChildContext);

    async fn pre_start(
        &self,
        _myself: ActorRef<QueryEngineMessage>,
        (arguments, context): Self::Arguments,
    ) -> Result<QueryEngineState, ActorProcessingErr> {
        let QueriesArguments { queries, shen, system, ids, settings } = arguments;
        let sources = Sources { shen, system, ids };
        let engine = Engine::start(sources, settings, queries.counting())?;
        let engine = Arc::new(engine);
        queries.fill(&engine);
        Ok(QueryEngineState { queries, engine, vitals: context.vitals() })
    }

    async fn handle(
        &self,
        _myself: ActorRef<QueryEngineMessage>,
        message: QueryEngineMessage,
        state: &mut QueryEngineState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            QueryEngineMessage::Observe(observe) => state.observe(observe),
        }
    }
}

impl QueryEngineState {
    fn observe(&self, Observe(reply): Observe) -> Result<(), ActorProcessingErr> {
        let counters = self.queries.counters();
        let details = [
            ("running", counters.running),
            ("waiting", counters.waiting),
            ("served", counters.served),
            ("failed", counters.failed),
            ("bytes_read", counters.bytes_read),
            ("memory_bytes", counters.memory_bytes),
        ];
        for (name, value) in details {
            self.vitals.set_detail(name, value.to_string());
        }
        // Whoever asked may have given up.
        let _ = reply.send(self.vitals.snapshot());
        Ok(())
    }
}

impl Drop for QueryEngineState {
    fn drop(&mut self) {
        self.queries.empty(&self.engine);
    }
}
