//! The store's actor on a simulated disk: what it promises over kills, a failed
//! sync and a full disk.

use bytes::Bytes;
use pyralog_behaviour::Vitals;
use pyralog_env::sim::{SimClock, SimDisk};
use pyralog_env::{Clock, Disk, WallMillis};
use pyralog_log::{Append, Completion, LogError, LogOptions, PartitionLog, Submission};
use pyralog_model::{
    BatchBuilder, BatchHeader, Durability, Epoch, Offset, PartitionId, StoreId, split_batches,
};
use pyralog_store::{
    Health, HealthLatch, Keeper, KeeperError, KeyOptions, Store, StoreArguments, StoreGauges,
    StoreHandle, StoreMessage, UpkeepOptions,
};
use ractor::{Actor, ActorRef, SpawnErr, call_t};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

#[path = "store/keys.rs"]
mod keys;
#[path = "store/relaxed.rs"]
mod relaxed;
#[path = "store/upkeep.rs"]
mod upkeep;

struct Rig {
    disk: SimDisk,
    clock: Arc<SimClock>,
    health: HealthLatch,
    options: LogOptions,
    upkeep: UpkeepOptions,
    keys: KeyOptions,
}

struct Running {
    actor: ActorRef<StoreMessage>,
    join: JoinHandle<()>,
    store: StoreHandle,
    gauges: Arc<StoreGauges>,
}

/// One partition as its head would hold it.
struct Writer {
    log: Arc<PartitionLog>,
    generation: u64,
    end: Offset,
}

impl Rig {
    fn new() -> Rig {
        let disk = SimDisk::new(7);
        disk.create_dir_all(&PathBuf::from("/data")).unwrap();
        disk.sync_dir(&PathBuf::from("/")).unwrap();
        let options = LogOptions {
            wal_file_bytes: 256 << 10,
            wal_files_max: 2,
            wal_direct: false,
            direct_bytes_min: usize::MAX,
            ..LogOptions::default()
        };
        let clock = Arc::new(SimClock::new(WallMillis(1_000)));
        // Only when it is asked for.
        let upkeep =
            UpkeepOptions { interval: Duration::from_secs(3_600), ..UpkeepOptions::default() };
        let (health, keys) = (HealthLatch::default(), KeyOptions::default());
        Rig { disk, clock, health, options, upkeep, keys }
    }

    async fn start(&self) -> Result<Running, SpawnErr> {
        let gauges = Arc::new(StoreGauges::default());
        let arguments = StoreArguments {
            disk: Arc::new(self.disk.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            pyramid: PathBuf::from("/data/pyramid"),
            store: StoreId(9),
            options: self.options.clone(),
            upkeep: self.upkeep,
            keys: self.keys,
            health: self.health.clone(),
            gauges: Arc::clone(&gauges),
            vitals: Vitals::default(),
        };
        let (actor, join) = Actor::spawn(None, Store, arguments).await?;
        let store = call_t!(actor, StoreMessage::GiveHandle, 5_000).unwrap();
        Ok(Running { actor, join, store, gauges })
    }
}

impl Running {
    async fn writer(&self) -> Writer {
        let log = self.store.create_partition(PartitionId::new(1, 0), Durability::Fsync).await;
        let log = log.unwrap();
        match self.store.submit(Submission::Open(Arc::clone(&log))).await.unwrap() {
            Completion::Opened(opened) => {
                Writer { log, generation: opened.generation, end: opened.end }
            }
            other => panic!("{other:?}"),
        }
    }

    async fn append(&self, writer: &mut Writer, value: &[u8]) -> Result<Offset, LogError> {
        self.append_all(writer, batch(value)).await
    }

    async fn append_all(
        &self,
        writer: &mut Writer,
        batches: Vec<(BatchHeader, Bytes)>,
    ) -> Result<Offset, LogError> {
        let append = Append {
            partition: writer.log.id(),
            generation: writer.generation,
            epoch: Epoch(1),
            base: writer.end,
            batches,
            scarab_base: None,
        };
        match self.store.submit(Submission::Append(append)).await? {
            Completion::Appended(appended) => {
                let appended = appended.into_inner();
                writer.end = appended.end;
                Ok(appended.base)
            }
            Completion::Refused(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    async fn kill(self) {
        self.actor.kill();
        self.join.await.unwrap();
    }
}

fn batch(value: &[u8]) -> Vec<(BatchHeader, Bytes)> {
    let mut builder = BatchBuilder::new();
    builder.push(0, None, Some(value), &[]);
    split_batches(builder.finish().unwrap()).unwrap()
}

async fn read_all(store: &StoreHandle, log: &Arc<PartitionLog>) -> u64 {
    let (mut from, end) = log.bounds();
    let mut records = 0;
    while from < end {
        let slice = store.read(log, from, 1 << 20).await.unwrap();
        for (header, _) in split_batches(slice.pieces.concat().into()).unwrap() {
            records += header.records();
            from = Offset(header.base_offset as u64).plus(header.records());
        }
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_store_comes_back_with_everything_it_acknowledged() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    for number in 0..50u32 {
        running.append(&mut writer, &number.to_le_bytes()).await.unwrap();
    }
    let old_handle = running.store.clone();
    running.kill().await;
    let gone = old_handle.submit(Submission::Close(PartitionId::new(1, 0))).await;
    assert!(matches!(gone, Err(LogError::Closed)), "{gone:?}");

    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    assert_eq!(writer.end, Offset(50));
    assert_eq!(read_all(&running.store, &writer.log).await, 50);
    assert_eq!(running.append(&mut writer, b"more").await.unwrap(), Offset(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_final_for_the_process_but_reads_go_on() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    running.append(&mut writer, b"kept").await.unwrap();

    rig.disk.fail_next_sync(".wal");
    let refused = running.append(&mut writer, b"lost").await.unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
    // The disk is well again, but what it dropped cannot be known.
    let refused = running.append(&mut writer, b"still refused").await.unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
    assert!(matches!(rig.health.get(), Health::Failed { .. }));
    assert_eq!(read_all(&running.store, &writer.log).await, 1);

    running.kill().await;
    assert!(rig.start().await.is_err(), "a restart must not forget the failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_resumes() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    rig.disk.set_capacity(rig.disk.used_bytes());

    let value = vec![1; 8 << 10];
    let mut stored = 0;
    let refused = loop {
        match running.append(&mut writer, &value).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1_000, "the WAL is bounded: a full disk must be felt");
    };
    assert!(matches!(refused, LogError::DiskFull { .. }), "{refused}");
    assert_eq!(read_all(&running.store, &writer.log).await, stored);
    assert_eq!(rig.health.get(), Health::Good);

    rig.disk.set_capacity(u64::MAX);
    // The segment writer tries again by itself; until then the answer is "full".
    let resumed = async {
        loop {
            let mut again = running.writer().await;
            match running.append(&mut again, &value).await {
                Ok(base) => return base,
                Err(LogError::DiskFull { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    let base = tokio::time::timeout(std::time::Duration::from_secs(10), resumed).await.unwrap();
    assert_eq!(base, Offset(stored));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_of_a_directory_is_as_final() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    running.append(&mut writer, b"kept").await.unwrap();
    rig.disk.fail_next_sync("/data/pyramid/logs");
    let refused = running
        .store
        .create_partition(PartitionId::new(2, 0), Durability::Fsync)
        .await
        .unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
    assert!(matches!(rig.health.get(), Health::Failed { .. }));
    let again =
        running.store.create_partition(PartitionId::new(2, 0), Durability::Fsync).await.map(|_| ());
    // Whatever this says: nothing is acknowledged any more.
    let refused = running.append(&mut writer, b"lost").await.unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}, {again:?}");
    running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_elsewhere_in_the_data_directory_ends_the_store_too() {
    let rig = Rig::new();
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    running.append(&mut writer, b"kept").await.unwrap();
    rig.health.fail("the bound of ids: an error");
    let refused = running.append(&mut writer, b"lost").await.unwrap_err();
    assert!(matches!(&refused, LogError::Failed { cause } if cause.contains("ids")), "{refused}");
    let made = running.store.create_partition(PartitionId::new(2, 0), Durability::Fsync).await;
    assert!(matches!(made, Err(LogError::Failed { .. })));
    let deleted = running.store.delete_log(pyralog_model::LogNumber(7)).await;
    assert!(matches!(deleted, Err(LogError::Failed { .. })));
    assert_eq!(read_all(&running.store, &writer.log).await, 1);
    let gauges = running.gauges.clone();
    running.actor.stop(None);
    running.join.await.unwrap();
    assert!(!gauges.has_ended_clean());
    assert!(rig.start().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_keeps_nothing_after_a_failure_elsewhere() {
    let rig = Rig::new();
    let disk: Arc<dyn Disk> = Arc::new(rig.disk.clone());
    let path = PathBuf::from("/data/directory.redb");
    let start = |health| Keeper::start(Arc::clone(&disk), &path, health);
    let (keeper, _) = start(rig.health.clone()).unwrap();
    keeper.append(1, vec![1]).await.unwrap();
    rig.health.fail("the WAL");
    let refused = keeper.append(2, vec![2]).await;
    assert!(matches!(refused, Err(KeeperError::Failed(_))), "{refused:?}");
    keeper.save_snapshot(1, vec![3]).await.unwrap();
    let refused = keeper.install_snapshot(9, vec![9]).await;
    assert!(matches!(refused, Err(KeeperError::Failed(_))), "{refused:?}");
    drop(keeper);
    assert!(matches!(start(rig.health.clone()), Err(KeeperError::Failed(_))));
    // The next process.
    assert_eq!(start(HealthLatch::default()).unwrap().1, (None, vec![(1, vec![1])]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrub_finds_damage_and_changes_nothing_else() {
    let mut rig = Rig::new();
    (rig.options.segment_bytes, rig.options.scrub_interval) = (1_000, Duration::ZERO);
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    for _ in 0..10 {
        running.append(&mut writer, &[7; 400]).await.unwrap();
    }
    running.kill().await;
    // Recovery has written the segments.
    let running = rig.start().await.unwrap();
    let mut writer = running.writer().await;
    let sound = running.store.scrub().await.unwrap();
    assert!(sound.is_over && sound.segments >= 4 && sound.findings.is_empty(), "{sound:?}");
    let segment = PathBuf::from("/data/pyramid/logs/1/0/00000000000000000000.segment");
    rig.disk.flip_bit(&segment, 400, 1).unwrap();
    let found = running.store.scrub().await.unwrap();
    assert_eq!((found.findings.len(), &found.findings[0].path), (1, &segment));
    let metrics = running.gauges.snapshot();
    assert_eq!((metrics.scrub_passes, metrics.scrub_damages), (2, 1));
    assert_eq!(metrics.scrub_bytes, sound.bytes + found.bytes);
    assert_eq!(running.store.health().get(), Health::Good);
    let refused = running.store.read(&writer.log, Offset(0), 10).await.unwrap_err();
    assert!(matches!(refused, LogError::Corrupt { .. }), "{refused}");
    running.append(&mut writer, b"more").await.unwrap();
    // An asker who is still there when the store goes is told so.
    let store = running.store.clone();
    running.kill().await;
    assert!(matches!(store.scrub().await, Err(LogError::Closed)));
}
