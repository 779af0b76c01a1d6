//! The Pyramid: store, partitions, the directory's copy, groups, queries, and the
//! Kafka door.

use crate::services::{Asked, LaneIds};
use pyralog_behaviour::{
    ChildContext, ChildSpec, Intensity, SupervisorMessage, SupervisorSpec, Tree,
};
use pyralog_env::{Clock, Disk, Entropy};
use pyralog_groups::{GroupSettings, Groups, groups_child};
use pyralog_kafka::{KafkaArguments, KafkaSettings, kafka_children};
use pyralog_log::LogOptions;
use pyralog_model::{NodeName, StoreId};
use pyralog_partition::{
    NodeIdentity, PartitionServices, Reconciler, ReconcilerArguments, ReconcilerMessage, Routes,
    Shen, ShenSettings,
};
use pyralog_pharaoh::{CopyArguments, Pharaoh, directory_child};
use pyralog_query::{
    ConfigRow, Queries, QueriesArguments, QuerySettings, SystemSchema, SystemSources, queries_child,
};
use pyralog_store::{
    HealthLatch, KeyOptions, Store, StoreArguments, StoreGauges, StoreHandle, StoreMessage,
    UpkeepOptions,
};
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long the store may take to give its handle, and to stop cleanly.
const STORE_PATIENCE: Duration = Duration::from_secs(8);

/// Its parts are more than the restarts that others allow themselves, and one after the
/// other may fall without the whole being at fault.
const INTENSITY: Intensity = Intensity { restarts_max: 12, period: Duration::from_secs(10) };

/// What the Pyramid's part of a node needs.
pub struct PyramidArguments {
    /// Sizes and thresholds of the log.
    pub log_options: LogOptions,
    /// How old records are looked after.
    pub upkeep_options: UpkeepOptions,
    /// How keys are indexed.
    pub key_options: KeyOptions,
    /// What the façade decides by.
    pub shen_settings: ShenSettings,
    /// How long an idle producer's session is remembered.
    pub producer_id_expiration: Duration,
    /// What consumer groups may.
    pub group_settings: GroupSettings,
    /// What queries may.
    pub query_settings: QuerySettings,
    /// The configuration, for `sys.config`.
    pub config: Arc<[ConfigRow]>,
    /// The bound Kafka socket.
    pub kafka_listener: Arc<TcpListener>,
    /// The Kafka door's settings.
    pub kafka_settings: KafkaSettings,
}

/// What both tiers and every part of this one share.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Filled in once the tree exists.
    pub(crate) tree: Arc<OnceLock<Tree>>,
    pub(crate) data_dir: PathBuf,
    pub(crate) store: StoreId,
    pub(crate) name: NodeName,
    pub(crate) health: HealthLatch,
    pub(crate) pharaoh: Pharaoh,
}

/// The handles of a Pyramid that outlive its actors.
pub(crate) struct Handles {
    pub(crate) shen: Shen,
    pub(crate) groups: Groups,
    pub(crate) queries: Queries,
    pub(crate) gauges: Arc<StoreGauges>,
}

/// The Pyramid's subtree.
pub(crate) fn pyramid_child(
    shared: &Arc<Shared>,
    arguments: PyramidArguments,
) -> (ChildSpec, Handles) {
    let routes = Routes::default();
    let gauges = Arc::new(StoreGauges::default());
    let identity = NodeIdentity { name: shared.name.clone(), store: shared.store };
    let pharaoh = shared.pharaoh.clone();
    let shen = Shen::new(identity, arguments.shen_settings, pharaoh.clone(), routes.clone());
    let services = PartitionServices {
        ids: Some(Arc::new(LaneIds(pharaoh.lane()))),
        labels: Some(Arc::new(Asked(pharaoh.clone()))),
        producer_id_expiration: arguments.producer_id_expiration,
    };
    let (clock, entropy) = (Arc::clone(&shared.clock), Arc::clone(&shared.entropy));
    let groups = Groups::new(shen.clone(), clock, entropy, arguments.group_settings);
    let queries = Queries::default();
    let doors = kafka_children(KafkaArguments {
        listener: arguments.kafka_listener,
        shen: shen.clone(),
        groups: groups.clone(),
        settings: arguments.kafka_settings,
        sessions: Arc::new(Asked(pharaoh.clone())),
    });
    let system = SystemSchema::new(SystemSources {
        shen: shen.clone(),
        pharaoh: pharaoh.clone(),
        groups: groups.clone(),
        tree: Arc::clone(&shared.tree),
        config: arguments.config,
    });
    let queries_arguments = QueriesArguments {
        queries: queries.clone(),
        shen: shen.clone(),
        system: Arc::new(system),
        ids: Some(Arc::new(LaneIds(pharaoh.lane()))),
        settings: arguments.query_settings,
    };
    let store_options = (arguments.log_options, arguments.upkeep_options, arguments.key_options);
    let children = vec![
        store_child(shared, store_options, &gauges),
        ChildSpec::supervisor("partitions", |_| SupervisorSpec::dynamic()),
        coordination_child(shared, routes, services),
        groups_child(&groups),
        queries_child(queries_arguments),
        ChildSpec::supervisor("doors", move |_| SupervisorSpec::one_for_one(doors.clone())),
    ];
    let child = ChildSpec::supervisor("pyramid", move |_| {
        SupervisorSpec::rest_for_one(children.clone()).intensity(INTENSITY)
    });
    (child, Handles { shen, groups, queries, gauges })
}

fn store_child(
    shared: &Arc<Shared>,
    (options, upkeep, keys): (LogOptions, UpkeepOptions, KeyOptions),
    gauges: &Arc<StoreGauges>,
) -> ChildSpec {
    let (shared, gauges) = (Arc::clone(shared), Arc::clone(gauges));
    let start = move |context: ChildContext| {
        let arguments = StoreArguments {
            disk: Arc::clone(&shared.disk),
            clock: Arc::clone(&shared.clock),
            pyramid: shared.data_dir.join("pyramid"),
            store: shared.store,
            options: options.clone(),
            upkeep,
            keys,
            health: shared.health.clone(),
            gauges: Arc::clone(&gauges),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Store, arguments, context.supervisor())
    };
    ChildSpec::new::<StoreMessage, _, _>("store", "store", start).patience(STORE_PATIENCE)
}

fn coordination_child(
    shared: &Arc<Shared>,
    routes: Routes,
    services: PartitionServices,
) -> ChildSpec {
    let shared = Arc::clone(shared);
    ChildSpec::supervisor("coordination", move |_| {
        let path = shared.data_dir.join("pyramid").join("directory.redb");
        let (disk, pharaoh) = (Arc::clone(&shared.disk), shared.pharaoh.clone());
        let copy = CopyArguments::new(disk, path, pharaoh, shared.health.clone());
        let (shared, routes, services) = (Arc::clone(&shared), routes.clone(), services.clone());
        let reconciler = move |context: ChildContext| {
            start_reconciler(context, Arc::clone(&shared), routes.clone(), services.clone())
        };
        SupervisorSpec::rest_for_one(vec![
            directory_child(copy),
            ChildSpec::new::<ReconcilerMessage, _, _>("reconciler", "reconciler", reconciler),
        ])
    })
}

async fn start_reconciler(
    context: ChildContext,
    shared: Arc<Shared>,
    routes: Routes,
    services: PartitionServices,
) -> Result<(ActorRef<ReconcilerMessage>, ractor::concurrency::JoinHandle<()>), SpawnErr> {
    let failed = |what: &str| SpawnErr::StartupFailed(what.to_owned().into());
    let store: ActorRef<StoreMessage> =
        context.sibling("store").ok_or_else(|| failed("the store is not up"))?;
    let partitions: ActorRef<SupervisorMessage> =
        context.sibling("partitions").ok_or_else(|| failed("partitions are not up"))?;
    let patience = u64::try_from(STORE_PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let store: StoreHandle = call_t!(store, StoreMessage::GiveHandle, patience)
        .map_err(|error| SpawnErr::StartupFailed(error.into()))?;
    let arguments = ReconcilerArguments {
        hub: shared.pharaoh.hub().clone(),
        node: shared.store,
        partitions,
        store,
        routes,
        services,
        vitals: context.vitals(),
    };
    Actor::spawn_linked(None, Reconciler, arguments, context.supervisor()).await
}
