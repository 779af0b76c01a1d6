//! `bench keys`: what it costs to find a record by its key, in process, from a store of
//! its own: keys that are there and keys that are not, in logs of different sizes.

use super::{Figures, Machine};
use crate::cli::KeysBench;
use crate::failure::Failure;
use bytes::Bytes;
use hdrhistogram::Histogram;
use pyralog_behaviour::Vitals;
use pyralog_env::{Clock, Disk, Entropy, Monotonic, RealClock, RealDisk, RealEntropy};
use pyralog_log::{Append, Completion, LogOptions, Opened, PartitionLog, Submission};
use pyralog_model::{BatchBuilder, Durability, Epoch, Offset, PartitionId, StoreId, split_batches};
use pyralog_store::{
    HealthLatch, KeyOptions, KeyQuestion, Store, StoreArguments, StoreHandle, StoreMessage,
    UpkeepOptions,
};
use ractor::{Actor, call_t};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How long the store may take to open, in milliseconds.
const OPEN_MS_MAX: u64 = 60_000;
/// Lookups before those that are measured: they fetch what comes to be in memory.
const WARM_LOOKUPS: u64 = 200_000;

/// Runs it.
pub async fn run(arguments: KeysBench) -> Result<Figures, Failure> {
    let settings = json!({
        "lookups": arguments.lookups, "value_bytes": arguments.value_bytes,
        "batch_records": arguments.batch_records,
    });
    let mut figures = Figures::new("keys", settings, Machine::here(Some(&arguments.dir)));
    for keys in &arguments.keys {
        let name = format!("pyralog-bench-keys-{:016x}", RealEntropy.next_u64());
        let dir = arguments.dir.join(name);
        let found = with_store(&arguments, *keys, &dir).await;
        // Also when it failed.
        let removed = RealDisk.remove_dir_all(&dir);
        let found = found?;
        removed.map_err(Failure::failed)?;
        figures = found.into_iter().fold(figures, |figures, (name, figure)| {
            figures.with(&format!("{name}_of_{keys}"), figure)
        });
    }
    Ok(figures)
}

type Found = Vec<(&'static str, f64)>;

async fn with_store(arguments: &KeysBench, keys: u64, dir: &Path) -> Result<Found, Failure> {
    RealDisk.create_dir_all(dir).map_err(Failure::failed)?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let store_arguments = StoreArguments {
        disk: Arc::new(RealDisk),
        clock: Arc::clone(&clock),
        pyramid: dir.join("pyramid"),
        store: StoreId(1),
        options: LogOptions::default(),
        upkeep: UpkeepOptions::default(),
        keys: KeyOptions { hash_seed: RealEntropy.next_u64(), ..KeyOptions::default() },
        health: HealthLatch::default(),
        gauges: Arc::default(),
        vitals: Vitals::default(),
    };
    let (actor, join) =
        Actor::spawn(None, Store, store_arguments).await.map_err(Failure::failed)?;
    let store = call_t!(actor, StoreMessage::GiveHandle, OPEN_MS_MAX).map_err(Failure::failed)?;
    let measured = measure(&store, &*clock, arguments, keys).await;
    actor.stop(None);
    let _ = join.await;
    measured
}

async fn measure(
    store: &StoreHandle,
    clock: &dyn Clock,
    arguments: &KeysBench,
    keys: u64,
) -> Result<Found, Failure> {
    let id = PartitionId::new(1, 0);
    let log = store.create_partition(id, Durability::Fsync).await.map_err(Failure::failed)?;
    store.keep_keys(&log, true);
    let began = clock.monotonic();
    fill(store, &log, arguments, keys).await?;
    let filled = clock.monotonic();
    store.look_after_keys().await.map_err(Failure::failed)?;
    let indexed = clock.monotonic();
    let seeker = Seeker { store, clock, id, below: Offset(keys) };
    tokio::task::block_in_place(|| {
        seeker.seek(WARM_LOOKUPS, |n| key(n % keys))?;
        let there = seeker.seek(arguments.lookups, |n| key(scattered(n) % keys))?;
        let absent = seeker.seek(arguments.lookups, |n| key(keys + n))?;
        let at = |seen: &Seen, quantile| seen.nanos.value_at_quantile(quantile) as f64 / 1e3;
        Ok(vec![
            ("fill_s", filled.since(began).as_secs_f64()),
            ("index_after_fill_s", indexed.since(filled).as_secs_f64()),
            ("get_p50_us", at(&there, 0.5)),
            ("get_p99_us", at(&there, 0.99)),
            ("get_found_count", there.found as f64),
            ("get_reads_each", there.reads as f64 / arguments.lookups as f64),
            ("absent_p50_us", at(&absent, 0.5)),
            ("absent_found_count", absent.found as f64),
            ("absent_reads_each", absent.reads as f64 / arguments.lookups as f64),
        ])
    })
}

async fn fill(
    store: &StoreHandle,
    log: &Arc<PartitionLog>,
    arguments: &KeysBench,
    keys: u64,
) -> Result<(), Failure> {
    let open = store.submit(Submission::Open(Arc::clone(log))).await.map_err(Failure::failed)?;
    let Completion::Opened(Opened { generation, .. }) = open else {
        return Err(Failure::failed("the partition does not open"));
    };
    let value = vec![b'v'; arguments.value_bytes as usize];
    let mut pending = Vec::new();
    let mut from = 0;
    while from < keys {
        let until = keys.min(from + u64::from(arguments.batch_records));
        let mut batch = BatchBuilder::new();
        (from..until).for_each(|n| batch.push(0, Some(&key(n)), Some(&value), &[]));
        let batch = batch.finish().ok_or_else(|| Failure::failed("an empty batch"))?;
        let append = Append {
            partition: log.id(),
            generation,
            epoch: Epoch(1),
            base: Offset(from),
            batches: split_batches(batch).map_err(Failure::failed)?,
            scarab_base: None,
        };
        let slot = store.reserve(Durability::Fsync).await.map_err(Failure::failed)?;
        pending.push(slot.submit(Submission::Append(append), None));
        if pending.len() == 256 || until == keys {
            for appended in pending.drain(..) {
                match appended.await.map_err(Failure::failed)? {
                    Completion::Appended(_) => {}
                    other => return Err(Failure::failed(format!("an append: {other:?}"))),
                }
            }
        }
        from = until;
    }
    Ok(())
}

/// Keys of one length that do not come in order.
fn key(n: u64) -> Bytes {
    Bytes::from(format!("key-{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(31)
}

struct Seeker<'a> {
    store: &'a StoreHandle,
    clock: &'a dyn Clock,
    id: PartitionId,
    below: Offset,
}

/// What lookups came to.
struct Seen {
    nanos: Histogram<u64>,
    found: u64,
    /// System calls that read.
    reads: u64,
}

impl Seeker<'_> {
    fn seek(&self, lookups: u64, key: impl Fn(u64) -> Bytes) -> Result<Seen, Failure> {
        let nanos = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("good bounds");
        let mut seen = Seen { nanos, found: 0, reads: 0 };
        let reads = read_calls();
        for n in 0..lookups {
            let question = KeyQuestion {
                key: key(n),
                below: self.below,
                records_max: 1,
                bytes_max: usize::MAX,
                deadline: Monotonic(u64::MAX),
            };
            let began = self.clock.monotonic();
            let found = self.store.find_here(self.id, &question).map_err(Failure::failed)?;
            let took = self.clock.monotonic().since(began);
            seen.nanos.saturating_record(took.as_nanos() as u64);
            seen.found += found.len() as u64;
        }
        seen.reads = read_calls().saturating_sub(reads);
        Ok(seen)
    }
}

/// How often this process has read, in system calls; 0 where that is not known.
fn read_calls() -> u64 {
    let io = std::fs::read_to_string(PathBuf::from("/proc/self/io")).unwrap_or_default();
    let calls = io.lines().find_map(|line| line.strip_prefix("syscr: "));
    calls.and_then(|calls| calls.trim().parse().ok()).unwrap_or(0)
}
