//! Hostile clients: mutated recordings of real ones, over real sockets, against
//! the Kafka door in this process, whose every allocated byte is counted.
//!
//! ```text
//! hostile [MUTATIONS]          # seed from PYRALOG_SEED
//! ```
//!
//! No mutation may cause a panic, and no connection may cost more memory than
//! four times the bytes it sent and 64 KiB. Each mutation is followed by a good
//! request: its answer, or the end of the connection, says that the mutation
//! has been dealt with, so nothing here waits for time to pass.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program for the terminal, in real time"
)]

mod attack;
mod weight;

use anyhow::{Context, Result, ensure};
use attack::Attack;
use peak_alloc::PeakAlloc;
use pyralog_console::{NodeFacts, Readiness};
use pyralog_env::{Clock, RealClock, RealDisk};
use pyralog_kafka::KafkaSettings;
use pyralog_log::LogOptions;
use pyralog_model::{Boot, ClusterId, LogName, LogSettings, NodeName, PartitionId, StoreId};
use pyralog_partition::{CreateLog, NodeIdentity, ShenSettings};
use pyralog_tests::batch::{Record, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::recordings;
use pyralog_tests::seeded;
use pyralog_trees::{NodeTree, PyramidArguments, start_pyramid};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
pub(crate) static ALLOCATOR: PeakAlloc = PeakAlloc;
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// The log is made afresh at this size: what a reader asks for is no attack,
/// so there must not be much to read.
const LOG_BYTES_MAX: u64 = 4 * 1024;
const LOG: &str = "flights";
const PARTITIONS: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let mutations = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())
        .context("how many mutations?")?;
    let seed = seeded::seed();
    println!("seed {seed}");
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        report(panic);
    }));
    let recordings = recordings::all()?;
    let folder = tempfile::tempdir()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let node = runtime.block_on(start(folder.path(), listener))?;
    let mut attack = Attack::new(address, seed);
    let started = Instant::now();
    while attack.total() < mutations {
        if runtime.block_on(fresh_log(&node))? {
            plant(address)?;
        }
        attack.connection(&recordings)?;
        ensure!(PANICS.load(Ordering::SeqCst) == 0, "something panicked; seed {seed}");
    }
    println!("{}", attack.report(started.elapsed()));
    attack.check()?;
    runtime.block_on(node.tree.shutdown(PATIENCE)).context("the node did not stop in order")
}

/// A node with everything but its own process.
async fn start(folder: &Path, kafka_listener: Arc<TcpListener>) -> Result<NodeTree> {
    let http_listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
    http_listener.set_nonblocking(true)?;
    let clock = Arc::new(RealClock::new());
    let (_, readiness) = tokio::sync::watch::channel(Readiness::Ready);
    let arguments = PyramidArguments {
        facts: NodeFacts {
            version: "hostile".into(),
            role: "obelisk,pyramid".into(),
            store: StoreId(1),
            boot: Boot(1),
            data_dir: folder.to_owned(),
            kafka_address: kafka_listener.local_addr()?,
            http_address: http_listener.local_addr()?,
            started: clock.monotonic(),
        },
        disk: Arc::new(RealDisk),
        clock,
        data_dir: folder.to_owned(),
        store: StoreId(1),
        identity: NodeIdentity { cluster: ClusterId(1), name: NodeName("hostile".into()) },
        log_options: LogOptions::default(),
        shen_settings: ShenSettings {
            default_partitions: 1,
            partitions_per_log_max: 8,
            partitions_max: 8,
            log_settings: LogSettings::default(),
        },
        kafka_listener,
        // Logs that mutations make by accident would cost what logs cost.
        kafka_settings: KafkaSettings { auto_create_logs: false, ..KafkaSettings::default() },
        http_listener,
        readiness,
        debug_faults: false,
    };
    start_pyramid(arguments)
        .await
        .map_err(|error| anyhow::anyhow!("the node cannot start: {error}"))
}

/// Puts a plain record of the end of time at the front of each partition: what
/// a lookup by timestamp finds is always this one, so none pays for opening a
/// compressed batch. That is the price of what is stored, not of what is sent.
fn plant(address: SocketAddr) -> Result<()> {
    let mut client = Client::dial(address)?;
    for partition in 0..PARTITIONS as i32 {
        let batch =
            encode(&[Record { timestamp: i64::MAX, key: None, value: Some(b"planted".to_vec()) }]);
        let produced = client.produce(LOG, partition, batch)?;
        ensure!(produced.code == code::NONE, "cannot plant a record: {}", produced.code);
    }
    Ok(())
}

/// Makes the log, again if it has grown; true if it is fresh.
async fn fresh_log(node: &NodeTree) -> Result<bool> {
    if let Some(log) = node.shen.log(LOG) {
        let mut bytes = 0;
        for partition in 0..PARTITIONS {
            let sizes = node.shen.partition(PartitionId::new(log.number.0, partition))?.sizes;
            bytes += sizes.segment_bytes + sizes.tail_bytes as u64;
        }
        if bytes <= LOG_BYTES_MAX {
            return Ok(false);
        }
        node.shen.delete_log(log.number).await?;
    }
    let create = CreateLog {
        name: LogName::for_user(LOG).expect("a good name"),
        partitions: Some(PARTITIONS),
        replication_factor: None,
        settings: Vec::new(),
        validate_only: false,
    };
    node.shen.create_log(create).await?;
    Ok(true)
}
