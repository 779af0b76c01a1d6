//! An Obelisk whose files are put back to an old state, and a Pyramid that had
//! followed it further.

use crate::world::{PATIENCE, Running, World, node_start};
use pyralog_behaviour::{Supervisor, SupervisorSpec, Tree};
use pyralog_directory::{Command, Directory};
use pyralog_env::sim::{SimDisk, SimEntropy};
use pyralog_env::{Clock, Disk};
use pyralog_model::{
    CounterMode, CounterNumber, ErrorCode, Lane, LogSettings, LogicalClock, StartToken,
};
use pyralog_pharaoh::{
    Answer, CopyArguments, CopyState, DirectoryHub, Endpoint, Membership, Pharaoh,
    PharaohArguments, PharaohOptions, Request, directory_child, pharaoh_child,
};
use pyralog_store::HealthLatch;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FOLDER: &str = "/data/obelisk";

/// A Pyramid's client and its copy of the directory.
struct Follower {
    pharaoh: Pharaoh,
    tree: Tree,
}

impl Follower {
    async fn start(world: &World, disk: &SimDisk, running: &Running) -> Follower {
        let clock: Arc<dyn Clock> = world.clock.clone();
        let pharaoh = Pharaoh::new(PharaohOptions {
            endpoints: vec![Endpoint {
                name: "o1".to_owned(),
                ask: Arc::new(running.handle.clone()),
            }],
            hub: DirectoryHub::default(),
            clock: Arc::clone(&clock),
            entropy: Arc::new(SimEntropy::new(1)),
        });
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let folder = PathBuf::from("/data/pyramid");
        let client = pharaoh_child(PharaohArguments {
            pharaoh: pharaoh.clone(),
            disk: Arc::clone(&disk),
            lane_file: Some(folder.join("lane")),
            store: node_start("p1", 11, &[], 0).store,
            health: HealthLatch::default(),
        });
        let health = HealthLatch::default();
        let copy = CopyArguments::new(disk, folder.join("directory.redb"), pharaoh.clone(), health);
        let spec = SupervisorSpec::one_for_one(vec![client, directory_child(copy)]);
        let (root, _) = Supervisor::start("pyramid", spec, clock, None).await.unwrap();
        Follower { pharaoh, tree: Tree::new(root) }
    }

    async fn join(&self, presented: &[u128], next: u128) -> Membership {
        self.pharaoh.join(node_start("p1", 11, presented, next)).await.unwrap()
    }

    async fn reach(&self, index: u64) -> Arc<Directory> {
        self.pharaoh.hub().reach(index, PATIENCE).await.unwrap()
    }

    async fn is_diverged(&self) {
        let mut states = self.pharaoh.hub().watch_state();
        let diverged = states.wait_for(|state| matches!(state, CopyState::Diverged(_)));
        tokio::time::timeout(PATIENCE, diverged).await.expect("it sees it").unwrap();
    }
}

fn log(name: String) -> Command {
    Command::CreateLog {
        name: name.parse().unwrap(),
        partitions: 1,
        replication_factor: 1,
        settings: LogSettings::default(),
        internal: false,
    }
}

async fn create(running: &Running, name: &str, to: u64) {
    for number in (0..).take_while(|_| running.directory().last_index() < to) {
        let made = running.ask(Request::Propose(log(format!("{name}{number}")))).await;
        assert!(matches!(made, Ok(Answer::Done { .. })), "{made:?}");
    }
}

/// The Obelisk's files as they are.
fn backup(disk: &SimDisk) -> Vec<(PathBuf, Vec<u8>)> {
    let names = ["arena", "directory.redb", "lane"].map(|name| Path::new(FOLDER).join(name));
    names.map(|path| (path.clone(), disk.read_file(&path).unwrap())).into()
}

fn put_back(disk: &SimDisk, files: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in files {
        disk.remove_file(path).unwrap();
        let file = disk.create(path).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file.sync_all().unwrap();
    }
    disk.sync_dir(Path::new(FOLDER)).unwrap();
}

fn requests(member: Membership) -> Vec<Request> {
    let Membership { node, incarnation, .. } = member;
    let (lane, floor) = (Lane::new(1).unwrap(), LogicalClock(0));
    let counter = CounterNumber::FIRST_OF_USERS;
    vec![
        Request::Propose(log("from-the-follower".to_owned())),
        Request::Changes { after: member.index, wait_ms: 0 },
        Request::Snapshot { index: 600, from: 0 },
        Request::LeaseLane { node, incarnation, floor },
        Request::ReleaseLane { node, incarnation, lane, granted_to: floor, used_to: floor },
        Request::Session,
        Request::EpochLabels(1),
        Request::Ids(1),
        Request::CausalTimestamp { after: None },
        Request::CreateCounter { name: "new".parse().unwrap(), mode: CounterMode::Exact },
        Request::Claim { counter, count: 1 },
        Request::Value(counter),
    ]
}

async fn assert_refused(follower: &Follower, running: &Running, member: Membership) {
    let before = running.directory();
    for request in requests(member) {
        let refused = follower.pharaoh.ask(request.clone()).await;
        running.refused(refused, ErrorCode::DirectoryDiverged);
    }
    assert_eq!(running.directory().logs().count(), before.logs().count());
    let echo = follower.pharaoh.ask(Request::Echo(vec![7])).await;
    assert_eq!(echo, Ok(Answer::Echo(vec![7])));
    assert!(follower.pharaoh.ask(Request::Status).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_from_an_obelisk_that_went_back_and_on() {
    let mut world = World::new(1);
    world.limits.commands_max = 10;
    // The Pyramid's machine.
    let disk = SimDisk::new(2);
    disk.create_dir_all(Path::new("/data")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    let running = world.start().await;
    let follower = Follower::start(&world, &disk, &running).await;
    follower.join(&[], 1).await;
    running.counter("hits", CounterMode::Exact).await;
    create(&running, "log", 60).await;
    let session = follower.pharaoh.session().await.unwrap();
    follower.reach(60).await;
    follower.tree.shutdown(PATIENCE).await.unwrap();
    running.stop().await;
    let files = backup(&world.disk);

    let running = world.start().await;
    let follower = Follower::start(&world, &disk, &running).await;
    let member = follower.join(&[1], 2).await;
    create(&running, "acknowledged", 100).await;
    let followed = follower.reach(100).await;
    let later = follower.pharaoh.session().await.unwrap();
    assert!(later > session);
    running.stop().await;

    put_back(&world.disk, &files);
    // The Obelisk's tokens are put back as well.
    world.start.presented = vec![StartToken(1)];
    world.start.next = StartToken(1_000);
    let running = world.restart().await.unwrap();
    let index = running.directory().last_index();
    assert!(index < 100, "{index}");
    follower.tree.shutdown(PATIENCE).await.unwrap();
    let follower = Follower::start(&world, &disk, &running).await;
    assert_refused(&follower, &running, member).await;
    follower.is_diverged().await;

    // Others make it grow past what the follower has, to a snapshot and further.
    create(&running, "other", 100).await;
    assert_refused(&follower, &running, member).await;
    create(&running, "more", 700).await;
    assert_refused(&follower, &running, member).await;
    running.stop().await;
    world.start.presented = vec![StartToken(1_000)];
    world.start.next = StartToken(1_001);
    let running = world.restart().await.unwrap();
    assert!(matches!(
        running.ask(Request::Changes { after: 100, wait_ms: 0 }).await,
        Ok(Answer::SnapshotIs { .. })
    ));
    follower.tree.shutdown(PATIENCE).await.unwrap();
    let follower = Follower::start(&world, &disk, &running).await;
    // It serves what it had, and its start is registered by its tokens.
    assert_eq!(*follower.reach(100).await, *followed);
    follower.join(&[1, 2], 3).await;
    assert_refused(&follower, &running, member).await;
    follower.is_diverged().await;
    assert_eq!(*follower.pharaoh.hub().directory(), *followed, "nothing is installed");
    assert_eq!(follower.pharaoh.state().lane.lane, None, "no lane is taken");
    follower.tree.shutdown(PATIENCE).await.unwrap();
    running.stop().await;
}
