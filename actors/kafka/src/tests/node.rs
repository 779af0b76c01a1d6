//! What stands behind the door in these tests: a real store on a simulated
//! disk, a copy of a real directory, real partitions.

use pyralog_behaviour::{ChildContext, ChildSpec, SupervisorMessage, SupervisorSpec};
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, RealClock, RealEntropy};
use pyralog_groups::{GroupSettings, Groups, groups_child};
use pyralog_log::LogOptions;
use pyralog_model::{ClusterId, LogSettings, NodeName, StoreId};
use pyralog_partition::{
    NodeIdentity, PartitionServices, Reconciler, ReconcilerArguments, ReconcilerMessage, Routes,
    Shen, ShenSettings,
};
use pyralog_pharaoh::DirectoryHub;
use pyralog_pharaoh::simulated::SimObelisk;
use pyralog_store::{
    HealthLatch, KeyOptions, Store, StoreArguments, StoreGauges, StoreMessage, UpkeepOptions,
};
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const STORE: StoreId = StoreId(1);
const STORE_MS_MAX: u64 = 10_000;

/// The children that a door needs before it, and the handles they serve.
pub fn children() -> (Vec<ChildSpec>, Shen, Groups) {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(7));
    let obelisk = SimObelisk::founded(ClusterId(7), Arc::new(RealClock::default()));
    let (pharaoh, directory) = obelisk.member(disk.clone(), STORE);
    let (hub, routes) = (pharaoh.hub().clone(), Routes::default());
    let identity = NodeIdentity { name: NodeName("test".to_owned()), store: STORE };
    let settings = ShenSettings {
        default_partitions: 1,
        partitions_per_log_max: 1024,
        partitions_max: 4096,
        log_settings: LogSettings::default(),
    };
    let shen = Shen::new(identity, settings, pharaoh, routes.clone());
    // Nobody waits for a second member that does not come.
    let settings =
        GroupSettings { initial_rebalance_delay: Duration::ZERO, ..GroupSettings::default() };
    let clock = Arc::new(RealClock::default());
    let groups = Groups::new(shen.clone(), clock, Arc::new(RealEntropy), settings);
    let children = vec![
        store(disk),
        ChildSpec::supervisor("partitions", |_| SupervisorSpec::dynamic()),
        directory,
        reconciler(hub, routes),
        groups_child(&groups),
    ];
    (children, shen, groups)
}

fn store(disk: Arc<dyn Disk>) -> ChildSpec {
    let start = move |context: ChildContext| {
        let arguments = StoreArguments {
            disk: disk.clone(),
            clock: Arc::new(RealClock::default()),
            pyramid: Path::new("/data/pyramid").to_owned(),
            store: STORE,
            options: LogOptions { wal_file_bytes: 1 << 20, ..LogOptions::default() },
            upkeep: UpkeepOptions::default(),
            keys: KeyOptions::default(),
            health: HealthLatch::default(),
            gauges: Arc::new(StoreGauges::default()),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Store, arguments, context.supervisor())
    };
    ChildSpec::new::<StoreMessage, _, _>("store", "store", start)
}

fn reconciler(hub: DirectoryHub, routes: Routes) -> ChildSpec {
    let start = move |context| start_reconciler(context, hub.clone(), routes.clone());
    ChildSpec::new::<ReconcilerMessage, _, _>("reconciler", "reconciler", start)
}

async fn start_reconciler(
    context: ChildContext,
    hub: DirectoryHub,
    routes: Routes,
) -> Result<(ActorRef<ReconcilerMessage>, JoinHandle<()>), SpawnErr> {
    let missing = || SpawnErr::StartupFailed("an earlier sibling is not up".into());
    let store: ActorRef<StoreMessage> = context.sibling("store").ok_or_else(missing)?;
    let partitions: ActorRef<SupervisorMessage> =
        context.sibling("partitions").ok_or_else(missing)?;
    let store = call_t!(store, StoreMessage::GiveHandle, STORE_MS_MAX)
        .map_err(|error| SpawnErr::StartupFailed(error.into()))?;
    let vitals = context.vitals();
    let services = PartitionServices::default();
    let node = STORE;
    let arguments = ReconcilerArguments { hub, node, partitions, store, routes, services, vitals };
    Actor::spawn_linked(None, Reconciler, arguments, context.supervisor()).await
}
