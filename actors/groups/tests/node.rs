//! A node with all that groups stand on: a store on a simulated disk, partitions, the
//! directory, and the coordinators.

use pyralog_behaviour::{Supervisor, SupervisorMessage, SupervisorSpec, Vitals};
use pyralog_env::sim::{SimDisk, SimEntropy};
use pyralog_env::{Clock, Disk, RealClock};
use pyralog_groups::{GroupSettings, Groups, groups_child};
use pyralog_log::LogOptions;
use pyralog_model::{ClusterId, LogName, LogNumber, LogSettings, NodeName, StoreId};
use pyralog_partition::{
    CreateLog, NodeIdentity, PartitionServices, Reconciler, ReconcilerArguments, Routes, Shen,
    ShenSettings,
};
use pyralog_pharaoh::simulated::SimObelisk;
use pyralog_store::{
    HealthLatch, KeyOptions, Store, StoreArguments, StoreGauges, StoreMessage, UpkeepOptions,
};
use ractor::{Actor, ActorCell, ActorRef, call_t};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinHandle;

const STORE: StoreId = StoreId(9);

/// What outlives a node's starts.
#[derive(Clone)]
pub struct Site {
    pub disk: SimDisk,
    obelisk: SimObelisk,
}

impl Site {
    pub fn new() -> Site {
        let disk = SimDisk::new(11);
        disk.create_dir_all(Path::new("/data")).unwrap();
        let obelisk = SimObelisk::founded(ClusterId(3), Arc::new(RealClock::default()));
        Site { disk, obelisk }
    }
}

pub struct Node {
    pub shen: Shen,
    pub groups: Groups,
    pub tree: ActorRef<SupervisorMessage>,
    actors: Vec<(ActorCell, JoinHandle<()>)>,
}

impl Node {
    pub async fn start(site: &Site, settings: GroupSettings) -> Node {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
        let (store, store_join) = Actor::spawn(None, Store, store(site, &clock)).await.unwrap();
        let handle = call_t!(store, StoreMessage::GiveHandle, 5_000).unwrap();
        let start = |name, spec| Supervisor::start(name, spec, Arc::clone(&clock), None);
        let (partitions, partitions_join) =
            start("partitions", SupervisorSpec::dynamic()).await.unwrap();
        let (pharaoh, directory) = site.obelisk.member(Arc::new(site.disk.clone()), STORE);
        let spec = SupervisorSpec::one_for_one(vec![directory]);
        let (coordination, coordination_join) = start("coordination", spec).await.unwrap();
        let routes = Routes::default();
        let reconciler = ReconcilerArguments {
            hub: pharaoh.hub().clone(),
            node: STORE,
            partitions: partitions.clone(),
            store: handle,
            routes: routes.clone(),
            services: PartitionServices::default(),
            vitals: Vitals::default(),
        };
        let (reconciler, reconciler_join) =
            Actor::spawn(None, Reconciler, reconciler).await.unwrap();
        let identity = NodeIdentity { name: NodeName("one".into()), store: STORE };
        let shen = Shen::new(identity, shen_settings(), pharaoh, routes);
        shen.joined().await;
        let entropy = Arc::new(SimEntropy::new(5));
        let groups = Groups::new(shen.clone(), Arc::clone(&clock), entropy, settings);
        let spec = SupervisorSpec::one_for_one(vec![groups_child(&groups)]);
        let (tree, tree_join) = start("node", spec).await.unwrap();
        let actors = vec![
            (tree.get_cell(), tree_join),
            (reconciler.get_cell(), reconciler_join),
            (coordination.get_cell(), coordination_join),
            (partitions.get_cell(), partitions_join),
            (store.get_cell(), store_join),
        ];
        Node { shen, groups, tree, actors }
    }

    pub async fn kill(self) {
        let _ = call_t!(self.tree, SupervisorMessage::Shutdown, 20_000);
        for (actor, join) in self.actors {
            actor.kill();
            join.await.unwrap();
        }
    }

    pub async fn create_log(&self, name: &str) -> LogNumber {
        let create = CreateLog {
            name: LogName::for_user(name).unwrap(),
            partitions: Some(1),
            replication_factor: None,
            settings: Vec::new(),
            schema: None,
            validate_only: false,
        };
        self.shen.create_log(create).await.unwrap().number
    }
}

fn store(site: &Site, clock: &Arc<dyn Clock>) -> StoreArguments {
    StoreArguments {
        disk: Arc::new(site.disk.clone()),
        clock: Arc::clone(clock),
        pyramid: PathBuf::from("/data/pyramid"),
        store: STORE,
        upkeep: UpkeepOptions::default(),
        keys: KeyOptions::default(),
        options: LogOptions {
            wal_file_bytes: 256 << 10,
            wal_files_max: 2,
            wal_direct: false,
            ..LogOptions::default()
        },
        health: HealthLatch::default(),
        gauges: Arc::new(StoreGauges::default()),
        vitals: Vitals::default(),
    }
}

fn shen_settings() -> ShenSettings {
    ShenSettings {
        default_partitions: 2,
        partitions_per_log_max: 16,
        partitions_max: 40,
        log_settings: LogSettings::default(),
    }
}
