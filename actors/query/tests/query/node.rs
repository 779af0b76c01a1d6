//! A node in a temporary directory: store, directory, partitions and the engine under
//! one supervisor.

use crate::traps::TrapSchema;
use bytes::Bytes;
use pyralog_behaviour::{
    ChildContext, ChildSpec, Supervisor, SupervisorMessage, SupervisorSpec, Tree,
};
use pyralog_env::sim::SimDisk;
use pyralog_env::{RealClock, RealDisk};
use pyralog_log::LogOptions;
use pyralog_model::{
    BatchBuilder, ClusterId, LogName, LogSettings, NodeName, PartitionId, ScarabId, StoreId,
    split_batches,
};
use pyralog_partition::{
    CreateLog, IdSource, NodeIdentity, PartitionServices, Reconciler, ReconcilerArguments,
    ReconcilerMessage, Routes, Shen, ShenSettings,
};
use pyralog_pharaoh::simulated::SimObelisk;
use pyralog_query::{
    Queries, QueriesArguments, QueryCounters, QuerySettings, Rows, RunOptions, queries_child,
};
use pyralog_store::{
    HealthLatch, KeyOptions, Store, StoreArguments, StoreGauges, StoreMessage, UpkeepOptions,
};
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::timeout;

const STORE: StoreId = StoreId(1);
/// Appends that are in flight at once.
const APPENDS_AHEAD: usize = 64;
/// How long something may take that comes by itself.
const PATIENCE: Duration = Duration::from_secs(30);
const STORE_MS_MAX: u64 = 10_000;

/// Ids from a counter, as long as there are any.
pub struct CountedIds {
    next: AtomicU64,
    end: u64,
}

impl CountedIds {
    pub fn new(from: u64, count: u64) -> Arc<CountedIds> {
        Arc::new(CountedIds { next: AtomicU64::new(from), end: from + count })
    }
}

impl IdSource for CountedIds {
    fn claim(&self, records: u32) -> Option<ScarabId> {
        let first = self.next.fetch_add(u64::from(records), Ordering::Relaxed);
        (first + u64::from(records) <= self.end).then_some(ScarabId(first))
    }

    fn prepare(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        None
    }
}

/// A running node.
pub struct Node {
    pub shen: Shen,
    pub queries: Queries,
    pub tree: Tree,
    _directory: TempDir,
}

impl Node {
    pub async fn start() -> Node {
        Node::with(QuerySettings { threads: Some(2), ..QuerySettings::default() }).await
    }

    pub async fn with(settings: QuerySettings) -> Node {
        Node::with_ids(settings, CountedIds::new(1, 1_000)).await
    }

    /// `ids` are those of `scarab_id()`; records get theirs from another source.
    pub async fn with_ids(settings: QuerySettings, ids: Arc<dyn IdSource>) -> Node {
        let directory = tempfile::tempdir().unwrap();
        let obelisk = SimObelisk::founded(ClusterId(7), Arc::new(RealClock::default()));
        let (pharaoh, copy) = obelisk.member(Arc::new(SimDisk::new(7)), STORE);
        let (hub, routes) = (pharaoh.hub().clone(), Routes::default());
        let identity = NodeIdentity { name: NodeName("test".to_owned()), store: STORE };
        let shen_settings = ShenSettings {
            default_partitions: 1,
            partitions_per_log_max: 64,
            partitions_max: 4096,
            log_settings: LogSettings::default(),
        };
        let shen = Shen::new(identity, shen_settings, pharaoh, routes.clone());
        let queries = Queries::default();
        let arguments = QueriesArguments {
            queries: queries.clone(),
            shen: shen.clone(),
            system: Arc::new(TrapSchema),
            ids: Some(ids),
            settings,
        };
        let reconciler = move |context| start_reconciler(context, hub.clone(), routes.clone());
        let children = vec![
            store(&directory),
            ChildSpec::supervisor("partitions", |_| SupervisorSpec::dynamic()),
            copy,
            ChildSpec::new::<ReconcilerMessage, _, _>("reconciler", "reconciler", reconciler),
            queries_child(arguments),
        ];
        let (clock, spec) =
            (Arc::new(RealClock::default()), SupervisorSpec::rest_for_one(children));
        let (root, _) = Supervisor::start("root", spec, clock, None).await.unwrap();
        shen.joined().await;
        Node { shen, queries, tree: Tree::new(root), _directory: directory }
    }

    /// Creates a log; an empty `schema` is none.
    pub async fn create(&self, name: &str, partitions: u32, schema: &str) -> u64 {
        let create = CreateLog {
            name: LogName::for_user(name).unwrap(),
            partitions: Some(partitions),
            replication_factor: None,
            settings: Vec::new(),
            schema: (!schema.is_empty()).then(|| schema.parse().unwrap()),
            validate_only: false,
        };
        self.shen.create_log(create).await.unwrap().number.0
    }

    /// Appends a batch and waits until it is durable.
    pub async fn append(&self, log: u64, partition: u32, batch: Bytes) {
        let id = PartitionId::new(log, partition);
        let batches = split_batches(batch).unwrap();
        self.shen.append(id, batches).await.unwrap().await.unwrap();
    }

    /// Appends a record with a key.
    pub async fn append_keyed(&self, log: u64, partition: u32, key: &str, value: &str) {
        let mut batch = BatchBuilder::new();
        batch.push(0, Some(key.as_bytes()), Some(value.as_bytes()), &[]);
        self.append(log, partition, batch.finish().unwrap()).await;
    }

    /// Appends values in one batch, at times 0, 1, 2, ….
    pub async fn append_values(&self, log: u64, partition: u32, values: &[&str]) {
        let mut batch = BatchBuilder::new();
        for (at, value) in values.iter().enumerate() {
            batch.push(at as i64, None, Some(value.as_bytes()), &[]);
        }
        self.append(log, partition, batch.finish().unwrap()).await;
    }

    /// Appends so many records in batches of `per_batch`, the `n`-th with the value
    /// `{"n": n, "pad": "…"}` at time `n`.
    pub async fn append_numbers(&self, log: u64, partition: u32, records: u64, per_batch: u64) {
        let id = PartitionId::new(log, partition);
        let (mut batch, mut pending) = (BatchBuilder::new(), Vec::new());
        for n in 0..records {
            let value = format!("{{\"n\": {n}, \"pad\": \"{:=>24}\"}}", n % 97);
            batch.push(n as i64, None, Some(value.as_bytes()), &[]);
            if batch.records() as u64 == per_batch || n + 1 == records {
                let batches = split_batches(batch.finish().unwrap()).unwrap();
                pending.push(self.shen.append(id, batches).await.unwrap());
            }
            if pending.len() == APPENDS_AHEAD || n + 1 == records {
                for appended in pending.drain(..) {
                    appended.await.unwrap();
                }
            }
        }
    }

    /// What the counters say of one query: its rows, and what it cost.
    pub async fn measured(&self, sql: &str) -> (Vec<String>, QueryCounters) {
        let before = self.counters_at_rest().await;
        let rows = self.rows(sql).await;
        let after = self.counters_at_rest().await;
        let cost = QueryCounters {
            bytes_read: after.bytes_read - before.bytes_read,
            batches_read: after.batches_read - before.batches_read,
            records_read: after.records_read - before.records_read,
            records_decoded: after.records_decoded - before.records_decoded,
            values_coerced_to_null: after.values_coerced_to_null - before.values_coerced_to_null,
            ..QueryCounters::default()
        };
        (rows, cost)
    }

    /// The counters once no part of a query is left: those that were not needed to the
    /// end are told so a moment later.
    async fn counters_at_rest(&self) -> QueryCounters {
        until(|| self.queries.counters().memory_bytes == 0).await;
        self.queries.counters()
    }

    /// Begins a query that must begin.
    pub fn run(&self, sql: &str) -> impl Future<Output = Rows> + use<> {
        let (queries, sql) = (self.queries.clone(), sql.to_owned());
        async move {
            let rows = queries.run(&sql, RunOptions::default()).await;
            rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
        }
    }
}

/// Waits for what comes by itself.
pub async fn until(holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waited).await.expect("it does not come");
}

fn store(directory: &TempDir) -> ChildSpec {
    let pyramid = directory.path().join("pyramid");
    let start = move |context: ChildContext| {
        let arguments = StoreArguments {
            disk: Arc::new(RealDisk),
            clock: Arc::new(RealClock::default()),
            pyramid: pyramid.clone(),
            store: STORE,
            upkeep: UpkeepOptions::default(),
            keys: KeyOptions::default(),
            options: LogOptions {
                wal_file_bytes: 4 << 20,
                wal_direct: false,
                ..LogOptions::default()
            },
            health: HealthLatch::default(),
            gauges: Arc::new(StoreGauges::default()),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Store, arguments, context.supervisor())
    };
    ChildSpec::new::<StoreMessage, _, _>("store", "store", start)
}

async fn start_reconciler(
    context: ChildContext,
    hub: pyralog_pharaoh::DirectoryHub,
    routes: Routes,
) -> Result<(ActorRef<ReconcilerMessage>, JoinHandle<()>), SpawnErr> {
    let missing = || SpawnErr::StartupFailed("an earlier sibling is not up".into());
    let store: ActorRef<StoreMessage> = context.sibling("store").ok_or_else(missing)?;
    let partitions: ActorRef<SupervisorMessage> =
        context.sibling("partitions").ok_or_else(missing)?;
    let store = call_t!(store, StoreMessage::GiveHandle, STORE_MS_MAX)
        .map_err(|error| SpawnErr::StartupFailed(error.into()))?;
    let ids: Arc<dyn IdSource> = CountedIds::new(1 << 40, u64::from(u32::MAX));
    let services = PartitionServices { ids: Some(ids), ..PartitionServices::default() };
    let vitals = context.vitals();
    let node = STORE;
    let arguments = ReconcilerArguments { hub, node, partitions, store, routes, services, vitals };
    Actor::spawn_linked(None, Reconciler, arguments, context.supervisor()).await
}
