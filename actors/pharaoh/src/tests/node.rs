//! A node with nothing but the client, and the worlds it runs in.

use crate::simulated::SimObelisk;
use crate::{
    CopyArguments, Endpoint, Membership, NodeStart, Pharaoh, PharaohArguments, PharaohOptions,
    directory_child, pharaoh_child,
};
use pyralog_behaviour::{Supervisor, SupervisorMessage, SupervisorSpec};
use pyralog_directory::Roles;
use pyralog_env::sim::{SimDisk, SimEntropy};
use pyralog_env::{Clock, Disk, RealClock};
use pyralog_model::{ApiError, ClusterId, NodeName, StartToken, StoreId};
use pyralog_store::HealthLatch;
use ractor::{ActorRef, call_t};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

pub(super) const STORE: StoreId = StoreId(9);

/// What outlives the starts of a node.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) obelisk: SimObelisk,
}

impl Site {
    pub(super) fn new(seed: u64) -> Site {
        let disk = SimDisk::new(seed);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
        let obelisk = SimObelisk::founded(ClusterId(3), Arc::clone(&clock));
        Site { disk, clock, obelisk }
    }

    pub(super) async fn node(&self) -> Node {
        self.node_of(vec![self.obelisk.endpoint()]).await
    }

    pub(super) async fn node_of(&self, endpoints: Vec<Endpoint>) -> Node {
        let health = HealthLatch::default();
        let pharaoh = Pharaoh::new(PharaohOptions {
            endpoints,
            hub: Default::default(),
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(SimEntropy::new(7)),
        });
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let client = pharaoh_child(PharaohArguments {
            pharaoh: pharaoh.clone(),
            disk: Arc::clone(&disk),
            lane_file: Some(PathBuf::from("/data/pyramid/lane")),
            store: STORE,
            health: health.clone(),
        });
        let path = PathBuf::from("/data/pyramid/directory.redb");
        let copy = CopyArguments::new(Arc::clone(&disk), path, pharaoh.clone(), health.clone());
        let copy = directory_child(copy);
        let spec = SupervisorSpec::one_for_one(vec![client, copy]);
        let clock = Arc::clone(&self.clock);
        let (root, join) = Supervisor::start("node", spec, clock, None).await.unwrap();
        Node { pharaoh, health, root, disk, join }
    }
}

/// One start.
pub(super) struct Node {
    pub(super) pharaoh: Pharaoh,
    pub(super) health: HealthLatch,
    pub(super) root: ActorRef<SupervisorMessage>,
    disk: Arc<dyn Disk>,
    join: JoinHandle<()>,
}

impl Node {
    pub(super) async fn join(
        &self,
        presented: &[u128],
        next: u128,
    ) -> Result<Membership, ApiError> {
        self.pharaoh.join(start(STORE, "one", presented, next)).await
    }

    pub(super) async fn stop(self) {
        call_t!(self.root, SupervisorMessage::Shutdown, 10_000).unwrap();
        self.join.await.unwrap();
    }

    /// As a crash ends it: nobody says good-bye.
    pub(super) async fn kill(self) {
        self.root.kill();
        self.join.await.unwrap();
        eventually("its actors are gone", || self.pharaoh.lane().state().lane.is_none()).await;
        // A process takes its threads along; here they end a moment later.
        eventually("its threads are gone", || Arc::strong_count(&self.disk) == 1).await;
    }

    pub(super) async fn kill_actor(&self, path: &str) {
        let path = format!("node/{path}");
        // An actor serves a moment before its supervisor has taken note of it.
        loop {
            let kill = |reply| SupervisorMessage::Kill { path: path.clone(), reply };
            if call_t!(self.root, kill, 5_000).unwrap().is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// As `kill_actor`, of one that may have been given up by its supervisors.
    pub(super) async fn kill_if_there(&self, path: &str) {
        let path = format!("node/{path}");
        let kill = |reply| SupervisorMessage::Kill { path: path.clone(), reply };
        let _ = call_t!(self.root, kill, 5_000);
    }

    pub(super) async fn leased(&self) {
        eventually("it has a lease", || self.pharaoh.state().lane.lane.is_some()).await;
    }
}

pub(super) fn start(store: StoreId, name: &str, presented: &[u128], next: u128) -> NodeStart {
    NodeStart {
        name: NodeName(name.to_owned()),
        store,
        roles: Roles { obelisk: false, pyramid: true },
        presented: presented.iter().map(|token| StartToken(*token)).collect(),
        next: StartToken(next),
        advertised: BTreeMap::new(),
    }
}

pub(super) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within 10 s: {what}"));
}
