//! Over a log that waits, refuses and leaves one in doubt.

use crate::members::*;
use futures::FutureExt;
use futures::future::BoxFuture;
use pyralog_behaviour::{Supervisor, SupervisorMessage, SupervisorSpec};
use pyralog_env::sim::SimEntropy;
use pyralog_env::{RealClock, WallMillis};
use pyralog_groups::*;
use pyralog_model::{ApiError, ErrorCode, LogNumber};
use ractor::{ActorRef, call_t};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, watch};

/// What becomes of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stored,
    Refused,
    /// It is stored, and nobody is told.
    StoredInDoubt,
    /// It is not stored, and nobody is told.
    LostInDoubt,
}

#[derive(Debug)]
struct FakeLog {
    records: Mutex<Vec<EncodedRecord>>,
    appends: Mutex<Vec<usize>>,
    fate: Mutex<Fate>,
    /// An append takes one and goes on.
    turns: Semaphore,
    served: watch::Sender<bool>,
}

impl GroupLog for FakeLog {
    fn serving(&self) -> BoxFuture<'_, ()> {
        async {
            let _ = self.served.subscribe().wait_for(|served| *served).await;
        }
        .boxed()
    }

    fn bounds(&self) -> Result<(u64, u64), ApiError> {
        Ok((0, self.records.lock().unwrap().len() as u64))
    }

    fn append(
        &self,
        records: Vec<EncodedRecord>,
        _: WallMillis,
    ) -> BoxFuture<'_, Result<u64, AppendError>> {
        async move {
            self.appends.lock().unwrap().push(records.len());
            self.turns.acquire().await.unwrap().forget();
            let fate = std::mem::replace(&mut *self.fate.lock().unwrap(), Fate::Stored);
            let mut log = self.records.lock().unwrap();
            let base = log.len() as u64;
            if matches!(fate, Fate::Stored | Fate::StoredInDoubt) {
                log.extend(records);
            }
            let error = ApiError::new(ErrorCode::Timeout, "on purpose");
            match fate {
                Fate::Stored => Ok(base),
                Fate::Refused => Err(AppendError::Refused(error)),
                Fate::StoredInDoubt | Fate::LostInDoubt => Err(AppendError::Unknown(error)),
            }
        }
        .boxed()
    }

    fn read(&self, from: u64) -> BoxFuture<'_, Result<Vec<EncodedRecord>, ApiError>> {
        // Two at a time, so that reading takes several.
        let some =
            self.records.lock().unwrap().iter().skip(from as usize).take(2).cloned().collect();
        async { Ok(some) }.boxed()
    }

    fn trim(&self, _: u64) -> BoxFuture<'_, Result<(), ApiError>> {
        async { Ok(()) }.boxed()
    }
}

/// The same log for every coordinator: one group is all there is.
#[derive(Debug)]
struct FakeLogs {
    log: Arc<FakeLog>,
    listed: watch::Sender<Listed>,
}

impl GroupLogs for FakeLogs {
    fn exist(&self) -> bool {
        true
    }

    fn create(&self) -> BoxFuture<'_, Result<(), ApiError>> {
        async { Ok(()) }.boxed()
    }

    fn partition(&self, _: u32) -> Arc<dyn GroupLog> {
        Arc::clone(&self.log) as Arc<dyn GroupLog>
    }

    fn number(&self, log: &str) -> Option<LogNumber> {
        self.listed.borrow().get(log).copied()
    }

    fn listed(&self) -> watch::Receiver<Listed> {
        self.listed.subscribe()
    }
}

struct Faulty {
    log: Arc<FakeLog>,
    logs: Arc<FakeLogs>,
    groups: Groups,
    tree: ActorRef<SupervisorMessage>,
}

impl Faulty {
    async fn start(settings: GroupSettings) -> Faulty {
        let log = Arc::new(FakeLog {
            records: Mutex::default(),
            appends: Mutex::default(),
            fate: Mutex::new(Fate::Stored),
            turns: Semaphore::new(0),
            served: watch::Sender::new(true),
        });
        let listed = watch::Sender::new(list(1));
        let logs = Arc::new(FakeLogs { log: Arc::clone(&log), listed });
        let (clock, entropy) = (Arc::new(RealClock::default()), Arc::new(SimEntropy::new(1)));
        let groups =
            Groups::over(Arc::clone(&logs) as _, Arc::clone(&clock) as _, entropy, settings);
        let spec = SupervisorSpec::one_for_one(vec![groups_child(&groups)]);
        let (tree, _) = Supervisor::start("node", spec, clock, None).await.unwrap();
        groups.coordinate("g").await.unwrap();
        Faulty { log, logs, groups, tree }
    }

    fn turns(&self, turns: usize) {
        self.log.turns.add_permits(turns);
    }

    /// Returns when so many appends have begun.
    async fn appends(&self, count: usize) {
        eventually("appends begin", async || self.log.appends.lock().unwrap().len() >= count).await;
    }

    fn commit(&self, partition: u32, offset: i64) -> tokio::task::JoinHandle<bool> {
        let groups = self.groups.clone();
        tokio::spawn(async move { groups.commit(alone(partition, offset)).await.is_ok() })
    }

    async fn stop(self) {
        call_t!(self.tree, SupervisorMessage::Shutdown, 20_000).unwrap();
    }
}

/// All logs; `log` has this number.
fn list(log: u64) -> Listed {
    let listed = [("log", LogNumber(log)), (GROUPS_LOG, LogNumber(2))];
    Arc::new(listed.map(|(name, number)| (name.to_owned(), number)).into())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_an_append_is_on_its_way_goes_into_the_next() {
    let faulty = Faulty::start(settings()).await;
    let first = faulty.commit(0, 1);
    faulty.appends(1).await;
    let mut others = Vec::new();
    for partition in 1..=50 {
        others.push(faulty.commit(partition, 1));
    }
    eventually("all wait", async || {
        let node = call_t!(faulty.tree, SupervisorMessage::Tree, 5_000).unwrap();
        let path = format!("node/groups/{}", coordinator_of("g"));
        let details = &node.find(&path).expect("it is there").details;
        details.get("callers_waiting").is_some_and(|waiting| waiting == "51")
    })
    .await;
    faulty.turns(2);
    assert!(first.await.unwrap());
    for other in others {
        assert!(other.await.unwrap());
    }
    assert_eq!(*faulty.log.appends.lock().unwrap(), [1, 50]);
    assert_eq!(committed(&faulty.groups).await.len(), 51);
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_append_is_nobodys_and_the_next_one_goes_on() {
    let faulty = Faulty::start(settings()).await;
    *faulty.log.fate.lock().unwrap() = Fate::Refused;
    faulty.turns(2);
    assert!(!faulty.commit(0, 1).await.unwrap());
    assert_eq!(committed(&faulty.groups).await, []);
    assert!(faulty.commit(0, 2).await.unwrap());
    assert_eq!(committed(&faulty.groups).await, [(0, 2)]);
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_append_in_doubt_the_log_is_read_again() {
    let faulty = Faulty::start(settings()).await;
    for (fate, offset, found) in
        [(Fate::StoredInDoubt, 1, vec![(0, 1)]), (Fate::LostInDoubt, 2, vec![(0, 1)])]
    {
        *faulty.log.fate.lock().unwrap() = fate;
        faulty.turns(1);
        assert!(!faulty.commit(0, offset).await.unwrap(), "{fate:?}");
        assert_eq!(committed(&faulty.groups).await, found, "{fate:?}");
    }
    faulty.turns(1);
    commit_in_the_end(&faulty.groups, alone(0, 3)).await;
    assert_eq!(committed(&faulty.groups).await, [(0, 3)]);
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_actor_reads_after_the_last_ones_append_is_decided() {
    let faulty = Faulty::start(settings()).await;
    let commit = faulty.commit(0, 1);
    faulty.appends(1).await;
    kill_coordinator(&faulty.tree, "g").await;
    assert!(!commit.await.unwrap(), "whoever waited is told that the coordinator is away");
    let asked = faulty.groups.clone();
    let coordinated = tokio::spawn(async move { asked.coordinate("g").await });
    faulty.turns(1);
    coordinated.await.unwrap().unwrap();
    assert_eq!(committed(&faulty.groups).await, [(0, 1)], "it was on its way and arrived");
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_round_is_told_when_the_coordinator_goes() {
    let mut slow = settings();
    slow.initial_rebalance_delay = std::time::Duration::from_secs(60);
    let faulty = Faulty::start(slow).await;
    let groups = faulty.groups.clone();
    let waiting = tokio::spawn(async move { groups.join(join("")).await });
    eventually("it waits", async || {
        let described = faulty.groups.describe("g").await.unwrap();
        described.summary.state == GroupState::PreparingRebalance
    })
    .await;
    kill_coordinator(&faulty.tree, "g").await;
    assert!(matches!(waiting.await.unwrap(), Err(GroupError::Unavailable(_))));
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_are_turned_away_not_queued() {
    let mut few = settings();
    few.limits.queue_bytes_max = 1_000;
    let faulty = Faulty::start(few).await;
    let first = faulty.commit(0, 1);
    faulty.appends(1).await;
    let mut refused = None;
    let mut waiting = Vec::new();
    for partition in 1..100 {
        let groups = faulty.groups.clone();
        let commit = tokio::spawn(async move { groups.commit(alone(partition, 1)).await });
        let known = faulty.groups.describe("g").await;
        assert!(known.is_ok(), "questions are answered all the time");
        waiting.push(commit);
    }
    faulty.turns(10);
    assert!(first.await.unwrap());
    let mut taken = 0;
    for commit in waiting {
        match commit.await.unwrap() {
            Ok(_) => taken += 1,
            Err(GroupError::Unavailable(error)) => refused = Some(error.code),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(refused, Some(ErrorCode::Overloaded));
    assert!((5..30).contains(&taken), "{taken} of 99 fit into 1,000 bytes");
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_of_a_log_are_not_those_of_another_of_its_name() {
    let faulty = Faulty::start(settings()).await;
    faulty.turns(2);
    assert!(faulty.commit(0, 7).await.unwrap());
    assert_eq!(committed(&faulty.groups).await, [(0, 7)]);
    faulty.logs.listed.send_replace(list(5));
    eventually("they are forgotten", async || committed(&faulty.groups).await.is_empty()).await;
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_on_its_way_while_its_log_is_deleted_is_not_the_next_ones() {
    let faulty = Faulty::start(settings()).await;
    let commit = faulty.commit(0, 7);
    faulty.appends(1).await;
    faulty.logs.listed.send_replace(list(5));
    // The first is the commit, the second says that it is forgotten.
    faulty.turns(2);
    assert!(commit.await.unwrap());
    assert_eq!(committed(&faulty.groups).await, []);
    faulty.appends(2).await;
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_made_again_while_nobody_coordinates_inherits_nothing() {
    let faulty = Faulty::start(settings()).await;
    faulty.turns(1);
    assert!(faulty.commit(0, 7).await.unwrap());
    faulty.log.served.send_replace(false);
    kill_coordinator(&faulty.tree, "g").await;
    let all = FetchOffsets { group: "g".into(), partitions: None };
    let fetch = async || faulty.groups.fetch(all.clone()).await;
    let nobody =
        Heartbeat { group: "g".into(), generation: 1, member: "who".into(), instance: None };
    let beat = async || faulty.groups.heartbeat(nobody.clone()).await;
    eventually("the next one waits", async || beat().await == Err(GroupError::Loading)).await;
    faulty.logs.listed.send_replace(list(5));
    faulty.log.served.send_replace(true);
    // With one turn it can write down that the offset is forgotten.
    faulty.turns(1);
    assert_eq!(fetch().await, Ok(Vec::new()));
    faulty.appends(2).await;
    faulty.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_while_the_log_is_read_is_answered_when_it_is() {
    let faulty = Faulty::start(settings()).await;
    faulty.turns(1);
    assert!(faulty.commit(0, 7).await.unwrap());
    faulty.log.served.send_replace(false);
    kill_coordinator(&faulty.tree, "g").await;
    let nobody =
        Heartbeat { group: "g".into(), generation: 1, member: "who".into(), instance: None };
    let beat = async || faulty.groups.heartbeat(nobody.clone()).await;
    eventually("the next one reads", async || beat().await == Err(GroupError::Loading)).await;
    let waits = |groups: Groups| {
        tokio::spawn(async move {
            let all = FetchOffsets { group: "g".into(), partitions: None };
            let asked = tokio::join!(groups.list(), groups.describe("g"), groups.fetch(all));
            (asked.0.map(|list| list.len()), asked.1, asked.2.map(|found| found.len()))
        })
    };
    let asked = waits(faulty.groups.clone());
    faulty.log.served.send_replace(true);
    let (listed, described, found) = asked.await.unwrap();
    // All coordinators read the same log here; the one of the group tells of it.
    assert!(listed.as_ref().is_ok_and(|groups| *groups >= 1), "{listed:?}");
    assert!(described.is_ok(), "{described:?}");
    assert_eq!(found, Ok(1));
    faulty.stop().await;
}
