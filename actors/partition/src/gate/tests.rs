//! Gates over a real store on a simulated disk: sessions, ids, labels.

use super::{Appended, Gate};
use crate::partition::{Partition, PartitionArguments};
use crate::routes::Routes;
use crate::services::{EpochLabels, IdSource, PartitionServices};
use bytes::Bytes;
use pyralog_behaviour::Vitals;
use pyralog_directory::{Command, Directory};
use pyralog_env::RealClock;
use pyralog_env::sim::SimDisk;
use pyralog_log::LogOptions;
use pyralog_model::{
    ApiError, BatchBuilder, BatchHeader, ClusterId, Epoch, ErrorCode, LogName, LogSettings,
    NodeName, Offset, PartitionId, ScarabId, StoreId, batch_crc, split_batches,
};
use pyralog_pharaoh::DirectoryHub;
use pyralog_store::{
    HealthLatch, KeyOptions, Store, StoreArguments, StoreGauges, StoreHandle, StoreMessage,
    UpkeepOptions,
};
use ractor::{Actor, ActorCell, call_t};
use std::future::{Future, ready};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const P: PartitionId =
    PartitionId { log: pyralog_model::LogNumber(1), partition: pyralog_model::PartitionNumber(0) };

/// A directory whose first log has ids or has none.
fn hub(scarab_ids: bool) -> DirectoryHub {
    let name = LogName::for_user("flights").unwrap();
    let (partitions, replication_factor, internal) = (1, 1, false);
    let settings = LogSettings { scarab_ids, ..LogSettings::default() };
    let store = StoreId(9);
    let commands = [
        Command::FoundCluster { cluster: ClusterId(3) },
        Command::RegisterNode { name: NodeName("n".into()), store, advertised: Default::default() },
        Command::CreateLog { name, partitions, replication_factor, settings, internal },
    ];
    let mut directory = Directory::default();
    for (index, command) in (1..).zip(&commands) {
        directory.apply(index, command).unwrap();
    }
    let hub = DirectoryHub::default();
    hub.publish(Arc::new(directory));
    hub
}

/// A store and one partition in it.
struct Place {
    disk: SimDisk,
    store: StoreHandle,
    routes: Routes,
    actors: Vec<ActorCell>,
}

impl Place {
    async fn start(services: PartitionServices, scarab_ids: bool) -> Place {
        let disk = SimDisk::new(5);
        let arguments = StoreArguments {
            disk: Arc::new(disk.clone()),
            clock: Arc::new(RealClock::default()),
            pyramid: PathBuf::from("/data/pyramid"),
            store: StoreId(9),
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
        let (actor, _) = Actor::spawn(None, Store, arguments).await.unwrap();
        let store = call_t!(actor, StoreMessage::GiveHandle, 5_000).unwrap();
        let routes = Routes::default();
        let arguments = PartitionArguments {
            id: P,
            log_name: LogName::for_user("flights").unwrap(),
            hub: hub(scarab_ids),
            store: store.clone(),
            routes: routes.clone(),
            services,
            vitals: Vitals::default(),
        };
        let (partition, _) = Actor::spawn(None, Partition, arguments).await.unwrap();
        let actors = vec![partition.get_cell(), actor.get_cell()];
        Place { disk, store, routes, actors }
    }

    fn gate(&self) -> Arc<Gate> {
        self.routes.gate(P).unwrap()
    }

    async fn send(&self, batch: Bytes) -> Result<Offset, ApiError> {
        send(&self.gate(), batch).await.map(|appended| appended.base_offset)
    }

    /// Every batch with the id of its first record.
    fn stored(&self) -> Vec<(BatchHeader, u64)> {
        let log = self.store.partition(P).unwrap();
        let (mut from, end) = log.bounds();
        let mut stored = Vec::new();
        while from < end {
            let slice = log.read(from, 1 << 20).unwrap();
            for (bytes, scarab) in slice.pieces.iter().zip(&slice.scarab_bases) {
                let header = BatchHeader::verify(bytes).unwrap();
                from = Offset(header.base_offset as u64).plus(header.records());
                stored.push((header, *scarab));
            }
        }
        stored
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.actors.iter().for_each(ActorCell::kill);
    }
}

async fn send(gate: &Gate, batch: Bytes) -> Result<Appended, ApiError> {
    gate.append(split_batches(batch).unwrap()).await?.await
}

fn batch(records: usize, value: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new();
    (0..records).for_each(|_| builder.push(0, None, Some(value), &[]));
    builder.finish().unwrap()
}

fn in_session(batch: &Bytes, session: i64, epoch: i16, sequence: i32) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[43..51].copy_from_slice(&session.to_be_bytes());
    bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not in time: {what}"));
}

/// Sends every sequence until it is stored; says at which offsets they are.
async fn producer(gate: Arc<Gate>, value: Bytes, sequences: i32) -> Vec<Offset> {
    let mut offsets = Vec::new();
    for sequence in 0..sequences {
        let sent = in_session(&value, 3, 0, sequence);
        loop {
            match send(&gate, sent.clone()).await {
                Ok(appended) => {
                    let (_, durable) = gate.log.bounds();
                    assert!(appended.base_offset < durable, "answered before it is durable");
                    offsets.push(appended.base_offset);
                    break;
                }
                Err(error) if error.code == ErrorCode::SequenceDuplicate => {
                    // Only what is in the log is called so.
                    offsets.push(Offset(u64::MAX));
                    break;
                }
                Err(error) => {
                    let passing = [
                        ErrorCode::DiskFull,
                        ErrorCode::Overloaded,
                        ErrorCode::SequenceGap,
                        ErrorCode::ProducerUnknown,
                    ];
                    assert!(passing.contains(&error.code), "{error:?}");
                    tokio::task::yield_now().await;
                }
            }
        }
    }
    offsets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_connections_with_the_same_batches_store_each_once_on_a_disk_that_fills_up() {
    const SEQUENCES: i32 = 300;
    let place = Place::start(PartitionServices::default(), true).await;
    let value = batch(1, &[7; 4 << 10]);
    let done = Arc::new(AtomicBool::new(false));
    let (disk, over) = (place.disk.clone(), Arc::clone(&done));
    let filling = tokio::spawn(async move {
        while !over.load(Ordering::Relaxed) {
            disk.set_capacity(disk.used_bytes());
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            disk.set_capacity(u64::MAX);
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        }
        disk.set_capacity(u64::MAX);
    });
    let mut producers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        producers.spawn(producer(place.gate(), value.clone(), SEQUENCES));
    }
    let answers = producers.join_all().await;
    done.store(true, Ordering::Relaxed);
    filling.await.unwrap();
    let sequences: Vec<i32> = place.stored().iter().map(|(h, _)| h.base_sequence).collect();
    assert_eq!(sequences, (0..SEQUENCES).collect::<Vec<_>>());
    for offsets in answers {
        for (sequence, offset) in offsets.into_iter().enumerate() {
            assert!([sequence as u64, u64::MAX].contains(&offset.0), "{sequence} at {offset}");
        }
    }
    let metrics = place.store.metrics();
    assert!(metrics.duplicates > 0 && metrics.refused > 0, "{metrics:?}");
}

/// Ids from a counter, which has none now and then, and once goes back.
#[derive(Default)]
struct Odd {
    claims: AtomicU64,
    waits: AtomicU64,
}

impl IdSource for Odd {
    fn claim(&self, records: u32) -> Option<ScarabId> {
        let claim = self.claims.fetch_add(1, Ordering::Relaxed) + 1;
        assert_eq!(records, 3);
        match claim {
            4 => None,
            6 => Some(ScarabId(1)),
            _ => Some(ScarabId(claim * 1_000)),
        }
    }

    fn prepare(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        match self.waits.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => None,
            _ => Some(Box::pin(tokio::task::yield_now())),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_carry_increasing_ids_and_a_retry_claims_none() {
    let ids = Arc::new(Odd::default());
    let with_ids = || PartitionServices { ids: Some(ids.clone()), ..PartitionServices::default() };
    let place = Place::start(with_ids(), true).await;
    let value = batch(3, b"x");
    for n in 0..7 {
        let sent = in_session(&value, 3, 0, n * 3);
        assert_eq!(place.send(sent.clone()).await.unwrap(), Offset(n as u64 * 3));
        assert_eq!(place.send(sent).await.unwrap(), Offset(n as u64 * 3));
    }
    let bases: Vec<u64> = place.stored().iter().map(|(_, scarab)| *scarab).collect();
    assert_eq!(bases, [1_000, 2_000, 3_000, 0, 5_000, 0, 7_000]);
    assert_eq!(ids.claims.load(Ordering::Relaxed), 7);
    // A log that wants none.
    let place = Place::start(with_ids(), false).await;
    place.send(value).await.unwrap();
    assert_eq!(place.stored()[0].1, 0);
    assert_eq!(ids.claims.load(Ordering::Relaxed), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_one_append_have_consecutive_ids() {
    struct Fixed;
    impl IdSource for Fixed {
        fn claim(&self, records: u32) -> Option<ScarabId> {
            (records == 5).then_some(ScarabId(8_190))
        }
        fn prepare(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
            None
        }
    }
    let services = PartitionServices { ids: Some(Arc::new(Fixed)), ..PartitionServices::default() };
    let place = Place::start(services, true).await;
    place.send([batch(3, b"x"), batch(2, b"y")].concat().into()).await.unwrap();
    let bases: Vec<u64> = place.stored().iter().map(|(_, scarab)| *scarab).collect();
    assert_eq!(bases, [8_190, ScarabId(8_190).nth(3).0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_is_forgotten_and_not_taken_for_a_new_one() {
    let services = PartitionServices {
        producer_id_expiration: Duration::from_millis(100),
        ..PartitionServices::default()
    };
    let place = Place::start(services, true).await;
    let value = batch(1, b"x");
    let send = |epoch, sequence| place.send(in_session(&value, 3, epoch, sequence));
    send(0, 0).await.unwrap();
    eventually("it is forgotten", || place.gate().log.sessions() == 0).await;
    for sequence in [0, 1] {
        let refused = send(0, sequence).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::ProducerUnknown, "{refused}");
    }
    assert_eq!(send(1, 0).await.unwrap(), Offset(1), "the next epoch begins anew");
    eventually("it is forgotten again", || place.gate().log.sessions() == 0).await;
    let refused = send(1, 0).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ProducerUnknown, "in any epoch: {refused}");
    assert_eq!(send(2, 0).await.unwrap(), Offset(2));
    assert!(place.store.metrics().sequences_refused >= 3);
}

/// Gives no label at first.
#[derive(Default)]
struct Labels(AtomicBool);

impl EpochLabels for Labels {
    fn label(
        &self,
        partition: PartitionId,
        epoch: Epoch,
    ) -> Pin<Box<dyn Future<Output = Option<u64>> + Send>> {
        assert_eq!((partition, epoch), (P, Epoch(1)));
        Box::pin(ready(self.0.swap(true, Ordering::Relaxed).then_some(42)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leadership_has_a_label_once_there_is_one() {
    let place = Place::start(PartitionServices::default(), true).await;
    assert_eq!(place.gate().epoch_label(), None);
    let services = PartitionServices {
        labels: Some(Arc::new(Labels::default())),
        ..PartitionServices::default()
    };
    let place = Place::start(services, true).await;
    eventually("the label is there", || place.gate().epoch_label() == Some(42)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_session_sends_is_refused() {
    let place = Place::start(PartitionServices::default(), true).await;
    let value = batch(1, b"x");
    let two = [in_session(&value, 3, 0, 0), in_session(&value, 3, 0, 1)].concat();
    for odd in [two.into(), in_session(&value, 3, -1, 0), in_session(&value, 3, 0, -1)] {
        let refused = place.send(odd).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::RequestInvalid, "{refused}");
    }
    assert!(place.stored().is_empty());
}
