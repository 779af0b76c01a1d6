//! Partitions behind the façade, on a simulated disk, with the real store, the
//! real directory and the real reconciler.

#[path = "partition/changing.rs"]
mod changing;
#[path = "partition/weaker.rs"]
mod weaker;

use bytes::Bytes;
use pyralog_behaviour::{Supervisor, SupervisorMessage, SupervisorSpec, Vitals};
use pyralog_directory::Command;
use pyralog_env::sim::SimDisk;
use pyralog_env::{Clock, Disk, RealClock};
use pyralog_log::LogOptions;
use pyralog_model::{
    ApiError, BatchBuilder, BatchHeader, ClusterId, ErrorCode, LogName, LogSettings, NodeName,
    Offset, PartitionId, StoreId, split_batches,
};
use pyralog_partition::{
    CreateLog, NodeIdentity, PartitionServices, Reconciler, ReconcilerArguments, Routes, Shen,
    ShenSettings,
};
use pyralog_pharaoh::simulated::{Manners, SimObelisk};
use pyralog_store::{
    HealthLatch, KeyOptions, Store, StoreArguments, StoreGauges, StoreMessage, UpkeepOptions,
};
use ractor::{Actor, ActorCell, ActorRef, SpawnErr, call_t};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const STORE: StoreId = StoreId(9);

/// What outlives a node's starts.
#[derive(Clone)]
struct Site {
    disk: SimDisk,
    obelisk: SimObelisk,
}

impl Site {
    fn new() -> Site {
        let disk = SimDisk::new(11);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        Site { disk, obelisk: obelisk() }
    }
}

fn obelisk() -> SimObelisk {
    SimObelisk::founded(ClusterId(3), Arc::new(RealClock::default()))
}

struct Node {
    disk: SimDisk,
    shen: Shen,
    root: ActorRef<SupervisorMessage>,
    partitions: ActorRef<SupervisorMessage>,
    actors: Vec<(ActorCell, JoinHandle<()>)>,
}

impl Node {
    async fn start(site: &Site) -> Result<Node, SpawnErr> {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::default());
        let routes = Routes::default();
        let store = StoreArguments {
            disk: Arc::new(site.disk.clone()),
            clock: Arc::clone(&clock),
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
        };
        let (store, store_join) = Actor::spawn(None, Store, store).await?;
        let handle = call_t!(store, StoreMessage::GiveHandle, 5_000).unwrap();
        let spec = SupervisorSpec::dynamic();
        let (partitions, partitions_join) =
            Supervisor::start("partitions", spec, Arc::clone(&clock), None).await?;
        let (pharaoh, directory) = site.obelisk.member(Arc::new(site.disk.clone()), STORE);
        let spec = SupervisorSpec::one_for_one(vec![directory]);
        let (root, root_join) = Supervisor::start("coordination", spec, clock, None).await?;
        let reconciler = ReconcilerArguments {
            hub: pharaoh.hub().clone(),
            node: STORE,
            partitions: partitions.clone(),
            store: handle,
            routes: routes.clone(),
            services: PartitionServices::default(),
            vitals: Vitals::default(),
        };
        let (reconciler, reconciler_join) = Actor::spawn(None, Reconciler, reconciler).await?;
        let actors = vec![
            (reconciler.get_cell(), reconciler_join),
            (root.get_cell(), root_join),
            (partitions.get_cell(), partitions_join),
            (store.get_cell(), store_join),
        ];
        let settings = ShenSettings {
            default_partitions: 2,
            partitions_per_log_max: 16,
            partitions_max: 20,
            log_settings: LogSettings::default(),
        };
        let identity = NodeIdentity { name: NodeName("one".into()), store: STORE };
        let shen = Shen::new(identity, settings, pharaoh, routes);
        shen.joined().await;
        Ok(Node { disk: site.disk.clone(), shen, root, partitions, actors })
    }

    async fn kill(self) {
        for (actor, join) in self.actors {
            actor.kill();
            join.await.unwrap();
        }
    }

    async fn create(&self, name: &str, partitions: u32) -> Result<PartitionId, ApiError> {
        let create = CreateLog {
            name: LogName::for_user(name).unwrap(),
            partitions: Some(partitions),
            replication_factor: None,
            settings: Vec::new(),
            schema: None,
            validate_only: false,
        };
        let log = self.shen.create_log(create).await?;
        Ok(PartitionId::new(log.number.0, 0))
    }

    async fn append(&self, id: PartitionId, value: &[u8]) -> Result<Offset, ApiError> {
        Ok(self.shen.append(id, batch(value)).await?.await?.base_offset)
    }

    async fn values(&self, id: PartitionId) -> Vec<Vec<u8>> {
        let (mut from, mut values) = (Offset::ZERO, Vec::new());
        while from < self.shen.watermarks(id).unwrap().high {
            let slice = self.shen.read(id, from, 1 << 20).await.unwrap();
            for (header, bytes) in split_batches(slice.batches.concat().into()).unwrap() {
                let records = pyralog_model::decode_records(&header, &bytes, 1 << 20).unwrap();
                values.extend(records.map(|record| record.unwrap().value.unwrap().to_vec()));
                from = Offset(header.base_offset as u64).plus(header.records());
            }
        }
        values
    }
}

fn batch(value: &[u8]) -> Vec<(BatchHeader, Bytes)> {
    let mut builder = BatchBuilder::new();
    builder.push(0, None, Some(value), &[]);
    split_batches(builder.finish().unwrap()).unwrap()
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within 10 s: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_numbered_read_back_and_there_after_a_restart() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("flights", 2).await.unwrap();
    assert_eq!(node.append(id, b"a").await.unwrap(), Offset(0));
    let (b, c) = (batch(b"b"), batch(b"c"));
    let first = node.shen.append(id, b).await.unwrap();
    let second = node.shen.append(id, c).await.unwrap();
    assert_eq!(second.await.unwrap().base_offset, Offset(2), "in the order of the calls");
    assert_eq!(first.await.unwrap().base_offset, Offset(1));
    let epoch = node.shen.watermarks(id).unwrap().epoch;
    node.kill().await;

    let node = Node::start(&site).await.unwrap();
    assert_eq!(node.values(id).await, [b"a", b"b", b"c"]);
    assert!(node.shen.watermarks(id).unwrap().epoch > epoch, "a new leadership is a new epoch");
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_reader_is_told_when_the_watermark_moves() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = node.create("told", 1).await.unwrap();
    let mut watch = node.shen.watch(id).unwrap();
    let waiting = tokio::spawn(async move { *watch.wait_for(|high| high.0 == 1).await.unwrap() });
    node.append(id, b"x").await.unwrap();
    assert_eq!(waiting.await.unwrap(), Offset(1));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_the_numbers_go_on_without_a_gap() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = node.create("refused", 1).await.unwrap();
    node.append(id, b"kept").await.unwrap();
    node.disk.set_capacity(node.disk.used_bytes());
    let big = vec![0; 16 << 10];
    let (mut stored, mut refusals) = (1, 0);
    while refusals < 3 {
        match node.append(id, &big).await {
            Ok(offset) => {
                assert_eq!(offset, Offset(stored));
                stored += 1;
            }
            Err(error) => {
                let retryable = [ErrorCode::DiskFull, ErrorCode::Overloaded];
                assert!(retryable.contains(&error.code), "{error:?}");
                refusals += 1;
            }
        }
    }
    node.disk.set_capacity(u64::MAX);
    let resumed = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Ok(offset) = node.append(id, b"again").await {
                return offset;
            }
        }
    });
    assert_eq!(resumed.await.unwrap(), Offset(stored));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_log_takes_its_files_along_and_its_number_is_not_given_again() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("gone", 2).await.unwrap();
    node.append(id, b"x").await.unwrap();
    let files = PathBuf::from(format!("/data/pyramid/logs/{}", id.log.0));
    assert!(site.disk.exists(&files).unwrap());
    node.shen.delete_log(id.log).await.unwrap();
    eventually("the files are gone", || !site.disk.exists(&files).unwrap()).await;
    let error = node.append(id, b"y").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::LogNotFound);
    let again = node.create("gone", 1).await.unwrap();
    assert!(again.log > id.log);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_partition_is_back_with_a_higher_epoch_and_nothing_missing() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = node.create("healed", 1).await.unwrap();
    node.append(id, b"before").await.unwrap();
    let epoch = node.shen.watermarks(id).unwrap().epoch;
    let path = format!("partitions/{}-0", id.log.0);
    // It serves a moment before its supervisor has taken note of its start.
    loop {
        let kill = |reply| SupervisorMessage::Kill { path: path.clone(), reply };
        if call_t!(node.partitions, kill, 5_000).unwrap().is_ok() {
            break;
        }
    }
    eventually("it serves again", || {
        node.shen.watermarks(id).is_ok_and(|marks| marks.epoch > epoch)
    })
    .await;
    node.append(id, b"after").await.unwrap();
    assert_eq!(node.values(id).await, [&b"before"[..], b"after"]);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_not_started_under_another_directory() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("mine", 1).await.unwrap();
    node.append(id, b"kept").await.unwrap();
    node.kill().await;
    site.disk.remove_file(Path::new("/data/pyramid/directory.redb")).unwrap();
    let other = Site { obelisk: obelisk(), ..site.clone() };
    let node = Node::start(&other).await.unwrap();
    // The new directory gives the same number to a log of its own.
    let refused = node.shen.watermarks(id).map(|_| ()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::LogNotFound);
    let files = PathBuf::from(format!("/data/pyramid/logs/{}", id.log.0));
    assert!(site.disk.exists(&files).unwrap(), "nothing is removed");
    node.kill().await;
    site.disk.remove_file(Path::new("/data/pyramid/directory.redb")).unwrap();
    let node = Node::start(&site).await.unwrap();
    eventually("it serves under its own", || node.shen.watermarks(id).is_ok()).await;
    assert_eq!(node.values(id).await, [b"kept"]);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_obelisk_logs_are_served_and_none_is_made() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let id = node.create("served", 1).await.unwrap();
    node.append(id, b"a").await.unwrap();
    node.kill().await;
    site.obelisk.set_manners(Manners::Away);
    let node = Node::start(&site).await.unwrap();
    eventually("it serves", || node.shen.watermarks(id).is_ok()).await;
    assert_eq!(node.append(id, b"b").await.unwrap(), Offset(1));
    assert_eq!(node.values(id).await, [b"a", b"b"]);
    let creating = node.create("later", 1).await.map(|_| ()).unwrap_err();
    assert_eq!(creating.code, ErrorCode::ObeliskAway, "{creating}");
    let deleting = node.shen.delete_log(id.log).await.unwrap_err();
    assert_eq!(deleting.code, ErrorCode::ObeliskAway, "{deleting}");
    site.obelisk.set_manners(Manners::Well);
    node.create("later", 1).await.unwrap();
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_what_is_placed_on_it_and_nothing_else() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    let (_other, _) = site.obelisk.member(Arc::new(SimDisk::new(1)), StoreId(10));
    let create = Command::CreateLog {
        name: LogName::for_user("spread").unwrap(),
        partitions: 4,
        replication_factor: 1,
        settings: LogSettings::default(),
        internal: false,
    };
    site.obelisk.carry_out(create).unwrap();
    let directory = site.obelisk.directory();
    let log = directory.log(&LogName::for_user("spread").unwrap()).unwrap().number;
    let number = node.shen.node();
    let here = |partition| {
        let placement = directory.placement(PartitionId::new(log.0, partition)).unwrap();
        placement.replicas.contains(&number)
    };
    let serves = |partition| node.shen.watermarks(PartitionId::new(log.0, partition)).is_ok();
    assert_eq!((0..4).filter(|partition| here(*partition)).count(), 2);
    eventually("its own are served", || (0..4).filter(|p| here(*p)).all(serves)).await;
    assert!(!(0..4).any(|partition| !here(partition) && serves(partition)));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_copy_is_back_and_changes_go_on() {
    let site = Site::new();
    let node = Node::start(&site).await.unwrap();
    node.create("before", 1).await.unwrap();
    loop {
        let path = "coordination/directory".to_owned();
        let kill = |reply| SupervisorMessage::Kill { path, reply };
        if call_t!(node.root, kill, 5_000).unwrap().is_ok() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let id = node.create("after", 1).await.unwrap();
    node.append(id, b"x").await.unwrap();
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_its_code() {
    let node = Node::start(&Site::new()).await.unwrap();
    node.create("one", 3).await.unwrap();
    let code = |error: ApiError| error.code;
    assert_eq!(node.create("one", 1).await.map_err(code), Err(ErrorCode::LogExists));
    assert_eq!(node.create("none", 0).await.map_err(code), Err(ErrorCode::PartitionsInvalid));
    assert_eq!(node.create("many", 17).await.map_err(code), Err(ErrorCode::PartitionsInvalid));
    node.create("fill", 16).await.unwrap();
    assert_eq!(node.create("over", 2).await.map_err(code), Err(ErrorCode::PartitionsInvalid));
    let beyond = PartitionId::new(1, 3);
    assert_eq!(node.append(beyond, b"x").await.map_err(code), Err(ErrorCode::PartitionNotFound));
    let id = PartitionId::new(1, 0);
    let past = node.shen.read(id, Offset(1), 1).await.map(|_| ()).map_err(code);
    assert_eq!(past, Err(ErrorCode::OffsetOutOfRange));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_does_not_keep_refusing_for_ever() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = node.create("storm", 1).await.unwrap();
    node.disk.set_capacity(node.disk.used_bytes());
    let big = vec![0; 16 << 10];
    while node.append(id, &big).await.is_ok() {}
    node.disk.set_capacity(u64::MAX);
    // Many callers that never pause. The segment writer takes a moment to see
    // that there is room; from then on nobody may be refused on another's account.
    let calm = tokio::time::timeout(Duration::from_secs(20), async {
        while refusals(&node, id).await > 0 {}
    });
    calm.await.expect("the refusals feed themselves");
    node.kill().await;
}

/// How many of 1,600 appends by 32 callers at once are refused.
async fn refusals(node: &Node, id: PartitionId) -> u32 {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let shen = node.shen.clone();
        callers.spawn(async move {
            let mut refused = 0;
            for _ in 0..50 {
                let stored = match shen.append(id, batch(b"x")).await {
                    Ok(pending) => pending.await.is_ok(),
                    Err(_) => false,
                };
                refused += u32::from(!stored);
            }
            refused
        });
    }
    callers.join_all().await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_made_now_is_made_later_and_harms_no_other() {
    let node = Node::start(&Site::new()).await.unwrap();
    let id = node.create("first", 1).await.unwrap();
    let mut changes = node.shen.watch(id).unwrap();
    node.disk.set_capacity(0);
    let refused = node.create("second", 1).await;
    node.append(id, b"small things still fit the WAL").await.unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    node.disk.set_capacity(u64::MAX);
    let error = refused.map(|_| ()).unwrap_err();
    assert!([ErrorCode::DiskFull, ErrorCode::Timeout].contains(&error.code), "{error:?}");
    let made = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            match node.create("second", 1).await {
                Ok(id) => return id,
                Err(error) if error.code == ErrorCode::LogExists => {
                    // It is made; this node's copy may not show it yet.
                    if let Some(log) = node.shen.log("second") {
                        return PartitionId::new(log.number.0, 0);
                    }
                }
                Err(_) => {}
            }
        }
    });
    let second = made.await.unwrap();
    eventually("the new log serves", || node.shen.watermarks(second).is_ok()).await;
    node.append(second, b"x").await.unwrap();
    node.kill().await;
}
