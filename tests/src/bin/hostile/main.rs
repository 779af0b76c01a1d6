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
use pyralog_cluster::{Cookie, LinkSettings, Links, SelfIdentity};
use pyralog_console::{NodeFacts, Readiness};
use pyralog_counter::ArenaOptions;
use pyralog_directory::Roles;
use pyralog_env::{Clock, RealClock, RealDisk, RealEntropy};
use pyralog_kafka::KafkaSettings;
use pyralog_log::LogOptions;
use pyralog_model::{
    Boot, ClusterId, LogName, LogSettings, NodeName, PartitionId, StartToken, StoreId,
};
use pyralog_partition::{CreateLog, ShenSettings};
use pyralog_pharaoh::NodeStart;
use pyralog_tests::batch::{Record, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_tests::recordings;
use pyralog_tests::seeded;
use pyralog_trees::{NodeArguments, NodeTree, ObeliskPart, PyramidArguments, start_node};
use std::collections::BTreeMap;
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
const CLUSTER: ClusterId = ClusterId(1);
const COOKIE: [u8; 32] = [7; 32];

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
    let sockets = Sockets::bind()?;
    let address = sockets.kafka.local_addr()?;
    let node = runtime.block_on(start(folder.path(), &sockets))?;
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
async fn start(folder: &Path, sockets: &Sockets) -> Result<NodeTree> {
    let clock = Arc::new(RealClock::new());
    let (_, readiness) = tokio::sync::watch::channel(Readiness::Ready);
    let entropy = Arc::new(RealEntropy);
    let (store, boot, name) = (StoreId(1), Boot(1), NodeName("hostile".into()));
    let identity =
        SelfIdentity { cluster: Some(CLUSTER), node: None, store, boot, roles: Roles::BOTH };
    let arguments = NodeArguments {
        facts: NodeFacts {
            version: "hostile".into(),
            name: name.0.clone(),
            role: "obelisk,pyramid".into(),
            store,
            boot,
            data_dir: folder.to_owned(),
            kafka_address: Some(sockets.kafka.local_addr()?),
            link_address: Some(sockets.link.local_addr()?),
            http_address: sockets.http.local_addr()?,
            started: clock.monotonic(),
        },
        links: Links::new(LinkSettings {
            identity,
            cookie: Cookie::from_bytes(COOKIE),
            clock: clock.clone(),
            entropy: entropy.clone(),
        }),
        link_listener: sockets.link.clone(),
        pharaoh_endpoints: Vec::new(),
        disk: Arc::new(RealDisk),
        clock,
        entropy,
        data_dir: folder.to_owned(),
        store,
        cluster: Some(CLUSTER),
        start: NodeStart {
            name: name.clone(),
            store,
            roles: Roles::BOTH,
            presented: Vec::new(),
            next: StartToken(1),
            advertised: BTreeMap::new(),
        },
        name,
        obelisk: Some(ObeliskPart {
            arena: ArenaOptions::default(),
            lease_term: Duration::from_secs(600),
        }),
        pyramid: Some(PyramidArguments {
            log_options: LogOptions::default(),
            shen_settings: ShenSettings {
                default_partitions: 1,
                partitions_per_log_max: 8,
                partitions_max: 8,
                log_settings: LogSettings::default(),
            },
            producer_id_expiration: Duration::from_secs(3600),
            kafka_listener: sockets.kafka.clone(),
            // Logs that mutations make by accident would cost what logs cost.
            kafka_settings: KafkaSettings { auto_create_logs: false, ..KafkaSettings::default() },
        }),
        http_listener: sockets.http.clone(),
        readiness,
        debug_faults: false,
    };
    let start = arguments.start.clone();
    let node = start_node(arguments)
        .await
        .map_err(|error| anyhow::anyhow!("the node cannot start: {error}"))?;
    node.pharaoh.join(start).await?;
    node.shen.as_ref().context("a Pyramid")?.joined().await;
    Ok(node)
}

/// Where the node can be attacked.
struct Sockets {
    kafka: Arc<TcpListener>,
    http: Arc<TcpListener>,
    link: Arc<TcpListener>,
}

impl Sockets {
    fn bind() -> Result<Sockets> {
        let bind = || -> Result<Arc<TcpListener>> {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            Ok(Arc::new(listener))
        };
        Ok(Sockets { kafka: bind()?, http: bind()?, link: bind()? })
    }
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
    let shen = node.shen.as_ref().context("a Pyramid")?;
    if let Some(log) = shen.log(LOG) {
        let mut bytes = 0;
        for partition in 0..PARTITIONS {
            let sizes = shen.partition(PartitionId::new(log.number.0, partition))?.sizes;
            bytes += sizes.segment_bytes + sizes.tail_bytes as u64;
        }
        if bytes <= LOG_BYTES_MAX {
            return Ok(false);
        }
        shen.delete_log(log.number).await?;
    }
    let create = CreateLog {
        name: LogName::for_user(LOG).expect("a good name"),
        partitions: Some(PARTITIONS),
        replication_factor: None,
        settings: Vec::new(),
        validate_only: false,
    };
    shen.create_log(create).await?;
    Ok(true)
}
