//! The tree of a node in the combined role.

use crate::metrics;
use pyralog_behaviour::{
    ChildContext, ChildSpec, Supervisor, SupervisorMessage, SupervisorSpec, Tree,
};
use pyralog_console::{ConsoleArguments, ConsoleLimits, NodeFacts, Readiness, console_child};
use pyralog_env::{Clock, Disk};
use pyralog_kafka::{KafkaArguments, KafkaSettings, kafka_children};
use pyralog_log::LogOptions;
use pyralog_model::StoreId;
use pyralog_partition::{
    DirectoryArguments, DirectoryHub, DirectoryMessage, LocalDirectory, NodeIdentity, Reconciler,
    ReconcilerArguments, ReconcilerMessage, Routes, Shen, ShenSettings,
};
use pyralog_store::{HealthLatch, Store, StoreArguments, StoreGauges, StoreHandle, StoreMessage};
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;

/// How long the store may take to give its handle, and to stop cleanly.
const STORE_PATIENCE: Duration = Duration::from_secs(8);

/// What a node needs.
pub struct PyramidArguments {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Its store id.
    pub store: StoreId,
    /// The cluster and the node's name.
    pub identity: NodeIdentity,
    /// Sizes and thresholds of the log.
    pub log_options: LogOptions,
    /// What the façade decides by.
    pub shen_settings: ShenSettings,
    /// The bound Kafka socket.
    pub kafka_listener: Arc<TcpListener>,
    /// The Kafka door's settings.
    pub kafka_settings: KafkaSettings,
    /// The bound HTTP socket.
    pub http_listener: Arc<TcpListener>,
    /// What does not change while the node runs.
    pub facts: NodeFacts,
    /// How ready the node is.
    pub readiness: watch::Receiver<Readiness>,
    /// Allow fault injection.
    pub debug_faults: bool,
}

/// A running tree and the handles that outlive its actors.
#[derive(Debug, Clone)]
pub struct NodeTree {
    /// The tree.
    pub tree: Tree,
    /// The façade.
    pub shen: Shen,
    /// Whether the store may still acknowledge.
    pub health: HealthLatch,
    /// Counts of the storage threads, and how they ended.
    pub gauges: Arc<StoreGauges>,
}

/// Starts the tree; returns when every door serves.
pub async fn start_pyramid(arguments: PyramidArguments) -> Result<NodeTree, SpawnErr> {
    let hub = DirectoryHub::default();
    let routes = Routes::default();
    let health = HealthLatch::default();
    let gauges = Arc::new(StoreGauges::default());
    let shen = Shen::new(
        arguments.identity.clone(),
        arguments.shen_settings.clone(),
        hub.clone(),
        routes.clone(),
    );
    let this = Arc::new(OnceLock::new());
    let clock = Arc::clone(&arguments.clock);
    let children = vec![
        store_child(&arguments, &health, &gauges),
        ChildSpec::supervisor("partitions", |_| SupervisorSpec::dynamic()),
        coordination_child(&arguments, &health, &hub, &routes),
        doors_child(arguments, &shen, &gauges, &this),
    ];
    let spec = SupervisorSpec::rest_for_one(children);
    let (root, _join) = Supervisor::start("pyralog", spec, clock, None).await?;
    let tree = Tree::new(root);
    let _ = this.set(tree.clone());
    Ok(NodeTree { tree, shen, health, gauges })
}

fn store_child(
    arguments: &PyramidArguments,
    health: &HealthLatch,
    gauges: &Arc<StoreGauges>,
) -> ChildSpec {
    let disk = Arc::clone(&arguments.disk);
    let clock = Arc::clone(&arguments.clock);
    let pyramid = arguments.data_dir.join("pyramid");
    let (store, options) = (arguments.store, arguments.log_options.clone());
    let (health, gauges) = (health.clone(), Arc::clone(gauges));
    let start = move |context: ChildContext| {
        let arguments = StoreArguments {
            disk: Arc::clone(&disk),
            clock: Arc::clone(&clock),
            pyramid: pyramid.clone(),
            store,
            options: options.clone(),
            health: health.clone(),
            gauges: Arc::clone(&gauges),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Store, arguments, context.supervisor())
    };
    ChildSpec::new::<StoreMessage, _, _>("store", "store", start).patience(STORE_PATIENCE)
}

fn coordination_child(
    arguments: &PyramidArguments,
    health: &HealthLatch,
    hub: &DirectoryHub,
    routes: &Routes,
) -> ChildSpec {
    let disk = Arc::clone(&arguments.disk);
    let path = arguments.data_dir.join("obelisk").join("directory.redb");
    let (identity, store) = (arguments.identity.clone(), arguments.store);
    let (hub, routes, health) = (hub.clone(), routes.clone(), health.clone());
    ChildSpec::supervisor("coordination", move |_| {
        let (disk, path, identity) = (Arc::clone(&disk), path.clone(), identity.clone());
        let (directory_hub, health) = (hub.clone(), health.clone());
        let directory = move |context: ChildContext| {
            let arguments = DirectoryArguments {
                disk: Arc::clone(&disk),
                path: path.clone(),
                hub: directory_hub.clone(),
                cluster: identity.cluster,
                node: identity.name.clone(),
                store,
                health: health.clone(),
                vitals: context.vitals(),
            };
            Actor::spawn_linked(None, LocalDirectory, arguments, context.supervisor())
        };
        let (hub, routes) = (hub.clone(), routes.clone());
        let reconciler =
            move |context: ChildContext| start_reconciler(context, hub.clone(), routes.clone());
        SupervisorSpec::rest_for_one(vec![
            ChildSpec::new::<DirectoryMessage, _, _>("directory", "directory", directory),
            ChildSpec::new::<ReconcilerMessage, _, _>("reconciler", "reconciler", reconciler),
        ])
    })
}

async fn start_reconciler(
    context: ChildContext,
    hub: DirectoryHub,
    routes: Routes,
) -> Result<(ActorRef<ReconcilerMessage>, ractor::concurrency::JoinHandle<()>), SpawnErr> {
    let failed = |what: &str| SpawnErr::StartupFailed(what.to_owned().into());
    let store: ActorRef<StoreMessage> =
        context.sibling("store").ok_or_else(|| failed("the store is not up"))?;
    let partitions: ActorRef<SupervisorMessage> =
        context.sibling("partitions").ok_or_else(|| failed("partitions are not up"))?;
    let patience = u64::try_from(STORE_PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let store: StoreHandle = call_t!(store, StoreMessage::GiveHandle, patience)
        .map_err(|error| SpawnErr::StartupFailed(error.into()))?;
    let vitals = context.vitals();
    let arguments = ReconcilerArguments { hub, partitions, store, routes, vitals };
    Actor::spawn_linked(None, Reconciler, arguments, context.supervisor()).await
}

fn doors_child(
    arguments: PyramidArguments,
    shen: &Shen,
    gauges: &Arc<StoreGauges>,
    this: &Arc<OnceLock<Tree>>,
) -> ChildSpec {
    let mut children = kafka_children(KafkaArguments {
        listener: arguments.kafka_listener,
        shen: shen.clone(),
        settings: arguments.kafka_settings,
    });
    let gauges = Arc::clone(gauges);
    children.push(console_child(ConsoleArguments {
        listener: arguments.http_listener,
        shen: shen.clone(),
        tree: Arc::clone(this),
        facts: arguments.facts,
        readiness: arguments.readiness,
        clock: arguments.clock,
        more_metrics: Arc::new(move || metrics::render(&gauges.snapshot())),
        debug_faults: arguments.debug_faults,
        limits: ConsoleLimits::default(),
    }));
    ChildSpec::supervisor("doors", move |_| SupervisorSpec::one_for_one(children.clone()))
}
