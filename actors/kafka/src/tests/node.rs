//! What stands behind the door in these tests: a real store on a simulated
//! disk, a real directory, real partitions.

use pyralog_behaviour::{ChildContext, ChildSpec, SupervisorMessage, SupervisorSpec};
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, RealClock};
use pyralog_log::LogOptions;
use pyralog_model::{ClusterId, LogSettings, NodeName, StoreId};
use pyralog_partition::{
    DirectoryArguments, DirectoryHub, DirectoryMessage, LocalDirectory, NodeIdentity, Reconciler,
    PartitionServices, ReconcilerArguments, ReconcilerMessage, Routes, Shen, ShenSettings,
};
use pyralog_store::{HealthLatch, Store, StoreArguments, StoreGauges, StoreMessage};
use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::path::Path;
use std::sync::Arc;

const STORE: StoreId = StoreId(1);
const STORE_MS_MAX: u64 = 10_000;

/// The children that a door needs before it, and the façade they serve.
pub fn children() -> (Vec<ChildSpec>, Shen) {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(7));
    let (hub, routes) = (DirectoryHub::default(), Routes::default());
    let identity = NodeIdentity { cluster: ClusterId(7), name: NodeName("test".to_owned()) };
    let settings = ShenSettings {
        default_partitions: 1,
        partitions_per_log_max: 1024,
        partitions_max: 4096,
        log_settings: LogSettings::default(),
    };
    let shen = Shen::new(identity.clone(), settings, hub.clone(), routes.clone());
    let children = vec![
        store(disk.clone()),
        ChildSpec::supervisor("partitions", |_| SupervisorSpec::dynamic()),
        directory(disk, hub.clone(), identity),
        reconciler(hub, routes),
    ];
    (children, shen)
}

fn store(disk: Arc<dyn Disk>) -> ChildSpec {
    let start = move |context: ChildContext| {
        let arguments = StoreArguments {
            disk: disk.clone(),
            clock: Arc::new(RealClock::default()),
            pyramid: Path::new("/data/pyramid").to_owned(),
            store: STORE,
            options: LogOptions { wal_file_bytes: 1 << 20, ..LogOptions::default() },
            health: HealthLatch::default(),
            gauges: Arc::new(StoreGauges::default()),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Store, arguments, context.supervisor())
    };
    ChildSpec::new::<StoreMessage, _, _>("store", "store", start)
}

fn directory(disk: Arc<dyn Disk>, hub: DirectoryHub, identity: NodeIdentity) -> ChildSpec {
    let start = move |context: ChildContext| {
        let arguments = DirectoryArguments {
            disk: disk.clone(),
            path: Path::new("/data/obelisk/directory.redb").to_owned(),
            hub: hub.clone(),
            cluster: identity.cluster,
            node: identity.name.clone(),
            store: STORE,
            health: HealthLatch::default(),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, LocalDirectory, arguments, context.supervisor())
    };
    ChildSpec::new::<DirectoryMessage, _, _>("directory", "directory", start)
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
    let arguments = ReconcilerArguments { hub, partitions, store, routes, services, vitals };
    Actor::spawn_linked(None, Reconciler, arguments, context.supervisor()).await
}
