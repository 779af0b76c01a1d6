//! Where queries run: threads, memory, turns, and the engine's state that every query
//! begins from.

mod admission;
mod memory;
mod planning;
mod running;
mod threads;

use crate::catalog::{CATALOG, Catalog, Catalogs, LOGS};
use crate::counters::Counting;
use crate::functions::{self, Ledger};
use crate::rows::Rows;
use crate::snapshot::Snapshot;
use crate::{QuerySettings, RunOptions};
use admission::Admission;
use datafusion::catalog::SchemaProvider;
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use memory::QueryMemory;
use pyralog_model::ApiError;
use pyralog_partition::{IdSource, Shen};
use std::io;
use std::sync::Arc;
use threads::Threads;

/// What queries read.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) shen: Shen,
    pub(crate) system: Arc<dyn SchemaProvider>,
    pub(crate) ids: Option<Arc<dyn IdSource>>,
}

/// One incarnation of the engine. Its threads end with it.
pub(crate) struct Engine {
    threads: Threads,
    inner: Arc<Inner>,
}

/// What running queries share. It has no threads: a query cannot keep those alive.
struct Inner {
    sources: Sources,
    settings: QuerySettings,
    admission: Admission,
    memory: Arc<dyn MemoryPool>,
    /// Functions, rules and settings, without a catalog.
    template: SessionState,
    counting: Arc<Counting>,
}

impl Engine {
    /// Starts the threads.
    pub(crate) fn start(
        sources: Sources,
        settings: QuerySettings,
        counting: Arc<Counting>,
    ) -> io::Result<Engine> {
        let inner = Inner {
            admission: Admission::new(settings.running_max, settings.waiting_max),
            memory: Arc::new(GreedyMemoryPool::new(settings.memory_bytes_max)),
            template: template(&settings, &sources),
            sources,
            settings: settings.clone(),
            counting,
        };
        Ok(Engine { threads: Threads::start(settings.threads())?, inner: Arc::new(inner) })
    }

    /// Runs one statement: returns when its first rows may come.
    pub(crate) async fn run(&self, sql: String, options: RunOptions) -> Result<Rows, ApiError> {
        running::run(Arc::clone(&self.inner), self.threads.handle(), sql, options).await
    }
}

impl Inner {
    /// The state of one query: the logs as they are now, and its share of the memory, on
    /// which functions have an account.
    fn session(&self) -> Result<(SessionState, Arc<Ledger>)> {
        let settings = &self.settings;
        let memory =
            QueryMemory::new(Arc::clone(&self.memory), settings, Arc::clone(&self.counting));
        let no_files = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(memory))
            .with_disk_manager_builder(no_files)
            .build_arc()?;
        let snapshot = Arc::new(Snapshot::new(self.sources.shen.clone()));
        let (system, counting) = (Arc::clone(&self.sources.system), Arc::clone(&self.counting));
        let catalog = Arc::new(Catalog::new(snapshot, system, counting));
        let mut session = SessionStateBuilder::new_from_existing(self.template.clone())
            .with_runtime_env(Arc::clone(&environment))
            .with_catalog_list(Arc::new(Catalogs(catalog)))
            .build();
        let ledger = functions::guard(&mut session, &environment.memory_pool);
        Ok((session, ledger))
    }
}

fn template(settings: &QuerySettings, sources: &Sources) -> SessionState {
    let config = SessionConfig::new()
        .with_target_partitions(settings.threads())
        .with_information_schema(true)
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(CATALOG, LOGS);
    let mut state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    functions::register(&mut state, sources.ids.clone());
    state
}
