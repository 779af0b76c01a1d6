//! A data directory, a clock, and Obelisks that run on them one after the other.

use pyralog_behaviour::{Supervisor, SupervisorSpec, Tree, TreeNode};
use pyralog_counter::ArenaOptions;
use pyralog_counter::cells::BufferedSource;
use pyralog_directory::{Directory, Roles};
use pyralog_env::sim::{SimClock, SimDisk};
use pyralog_env::{Clock, Disk, WallMillis};
use pyralog_model::{
    ApiError, ClusterId, CounterMode, CounterNumber, ErrorCode, Incarnation, NodeName, NodeNumber,
    SCARAB_EPOCH_MS, ScarabId, StartToken, StoreId,
};
use pyralog_obelisk::{ObeliskArguments, ObeliskHandle, ObeliskLimits, obelisk_child};
use pyralog_pharaoh::{Answer, Ask, AskOutcome, CounterView, Membership, NodeStart, Request};
use pyralog_store::HealthLatch;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything takes that is not broken.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const CLUSTER: ClusterId = ClusterId(0xc1);

pub struct World {
    pub disk: SimDisk,
    pub clock: Arc<SimClock>,
    pub limits: ObeliskLimits,
    pub arena: ArenaOptions,
    pub cluster: ClusterId,
    pub start: NodeStart,
    starts: u128,
}

pub struct Running {
    pub handle: ObeliskHandle,
    pub health: HealthLatch,
    pub tree: Tree,
}

/// The start of a node that another process would ask for.
pub fn node_start(name: &str, store: u128, presented: &[u128], next: u128) -> NodeStart {
    NodeStart {
        name: NodeName(name.to_owned()),
        store: StoreId(store),
        roles: Roles { obelisk: false, pyramid: true },
        presented: presented.iter().copied().map(StartToken).collect(),
        next: StartToken(next),
        advertised: [("kafka".to_owned(), format!("{name}:9092"))].into(),
    }
}

impl World {
    pub fn new(seed: u64) -> World {
        let roles = Roles { obelisk: true, pyramid: false };
        let disk = SimDisk::new(seed);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        World {
            disk,
            clock: Arc::new(SimClock::new(WallMillis(SCARAB_EPOCH_MS as i64 + 1_000_000))),
            limits: ObeliskLimits::default(),
            arena: ArenaOptions { file_bytes: 1 << 22, block: 100, ..ArenaOptions::default() },
            cluster: CLUSTER,
            start: NodeStart { roles, ..node_start("o1", 1, &[], 0) },
            starts: 0,
        }
    }

    /// Starts it as a node does that keeps its tokens.
    pub async fn start(&mut self) -> Running {
        let last = self.start.next;
        self.starts += 1;
        self.start.presented = vec![last];
        self.start.next = StartToken(self.starts);
        self.restart().await.expect("it starts")
    }

    /// Starts it with the same tokens again.
    pub async fn restart(&self) -> Result<Running, String> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let handle = ObeliskHandle::new(Arc::clone(&clock), self.limits.clone());
        let health = HealthLatch::default();
        let child = obelisk_child(ObeliskArguments {
            handle: handle.clone(),
            disk: Arc::new(self.disk.clone()),
            data_dir: "/data".into(),
            cluster: self.cluster,
            start: self.start.clone(),
            arena: self.arena.clone(),
            cells: Arc::new(BufferedSource),
            health: health.clone(),
        });
        let spec = SupervisorSpec::one_for_one(vec![child]);
        let started = Supervisor::start("pyralog", spec, clock, None).await;
        let (root, _) = started.map_err(|error| {
            let own = handle.own_start().borrow().clone();
            match own {
                Some(Err(refused)) => format!("{}: {}", refused.code, refused.message),
                _ => format!("{error:?}"),
            }
        })?;
        Ok(Running { handle, health, tree: Tree::new(root) })
    }

    /// The power is cut while it runs.
    pub fn cut(&self, running: Running, seed: u64) {
        self.disk.crash(seed);
        running.tree.root().kill();
        self.later(5_000);
    }

    /// The process is killed while it runs.
    pub fn kill(&self, running: Running) {
        self.disk.kill_process();
        running.tree.root().kill();
        self.later(5_000);
    }

    pub fn later(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }
}

impl Running {
    pub async fn ask(&self, request: Request) -> AskOutcome {
        let asked = tokio::time::timeout(PATIENCE, self.handle.ask(request));
        asked.await.expect("an answer in time")
    }

    /// Asks until the part that serves it is there.
    pub async fn ask_until_served(&self, request: Request) -> AskOutcome {
        let asked = tokio::time::timeout(PATIENCE, async {
            loop {
                match self.handle.ask(request.clone()).await {
                    Err(ApiError { code: ErrorCode::Unavailable, .. }) => {
                        tokio::task::yield_now().await;
                    }
                    outcome => return outcome,
                }
            }
        });
        asked.await.expect("it serves again in time")
    }

    #[track_caller]
    pub fn refused(&self, outcome: AskOutcome, code: ErrorCode) -> String {
        match outcome {
            Err(error) if error.code == code => error.message,
            other => panic!("{code} was expected: {other:?}"),
        }
    }

    pub async fn stop(self) {
        self.tree.shutdown(PATIENCE).await.expect("in order");
    }

    pub async fn tree_node(&self, path: &str) -> TreeNode {
        let tree = self.tree.snapshot(PATIENCE).await;
        tree.find(path).unwrap_or_else(|| panic!("no {path} in {tree:#?}")).clone()
    }

    /// What the actor says about itself under `name`.
    pub async fn detail(&self, path: &str, name: &str) -> u64 {
        let node = self.tree_node(path).await;
        let value = node.details.get(name).unwrap_or_else(|| panic!("no {name}: {node:#?}"));
        value.parse().unwrap()
    }

    pub fn own(&self) -> Membership {
        self.handle.own_start().borrow().clone().unwrap().unwrap()
    }

    pub fn directory(&self) -> Arc<Directory> {
        self.handle.directory()
    }

    pub async fn node(&self, start: NodeStart) -> (NodeNumber, Incarnation) {
        match self.ask(Request::Start(start)).await {
            Ok(Answer::Started { cluster: CLUSTER, node, incarnation, .. }) => (node, incarnation),
            other => panic!("{other:?}"),
        }
    }

    pub async fn counter(&self, name: &str, mode: CounterMode) -> CounterNumber {
        let name = name.parse().unwrap();
        match self.ask_until_served(Request::CreateCounter { name, mode }).await {
            Ok(Answer::Counter { number, index }) => {
                assert!(self.directory().last_index() >= index);
                number
            }
            other => panic!("{other:?}"),
        }
    }

    pub async fn claim(&self, counter: CounterNumber, count: u32) -> u64 {
        match self.ask_until_served(Request::Claim { counter, count }).await {
            Ok(Answer::Claimed(first)) => first,
            other => panic!("{other:?}"),
        }
    }

    pub async fn value(&self, counter: CounterNumber) -> CounterView {
        match self.ask_until_served(Request::Value(counter)).await {
            Ok(Answer::Value(view)) => view,
            other => panic!("{other:?}"),
        }
    }

    pub async fn session(&self) -> u64 {
        match self.ask_until_served(Request::Session).await {
            Ok(Answer::Session(session)) => session.0,
            other => panic!("{other:?}"),
        }
    }

    pub async fn epoch(&self, count: u32) -> u64 {
        match self.ask_until_served(Request::EpochLabels(count)).await {
            Ok(Answer::EpochLabels(first)) => first,
            other => panic!("{other:?}"),
        }
    }

    pub async fn ids(&self, count: u32) -> ScarabId {
        match self.ask_until_served(Request::Ids(count)).await {
            Ok(Answer::Ids(first)) => first,
            other => panic!("{other:?}"),
        }
    }
}
