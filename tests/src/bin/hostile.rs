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

use anyhow::{Context, Result, ensure};
use peak_alloc::PeakAlloc;
use pyralog_console::{NodeFacts, Readiness};
use pyralog_env::{Clock, RealClock, RealDisk};
use pyralog_kafka::KafkaSettings;
use pyralog_log::LogOptions;
use pyralog_model::{Boot, ClusterId, LogName, LogSettings, NodeName, PartitionId, StoreId};
use pyralog_partition::{CreateLog, NodeIdentity, ShenSettings};
use pyralog_tests::mutation::{hurry, mutate};
use pyralog_tests::recordings::{self, Recording};
use pyralog_tests::seeded::{self, Seeded};
use pyralog_trees::{NodeTree, PyramidArguments, start_pyramid};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;
static PANICS: AtomicUsize = AtomicUsize::new(0);

const FACTOR: usize = 4;
const SLACK_BYTES: usize = 64 * 1024;
/// Mutations of one connection, if it survives them.
const CONNECTION_MUTATIONS: usize = 64;
/// One length in this many is wrong.
const WRONG_LENGTHS: usize = 64;
/// The log is made afresh at this size: what a reader asks for is no attack,
/// so there must not be much to read.
const LOG_BYTES_MAX: u64 = 4 * 1024;
const LOG: &str = "flights";
const PARTITIONS: u32 = 2;
const SENTINEL: i32 = 0x5eed_5eed;
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
        runtime.block_on(fresh_log(&node))?;
        attack.connection(&recordings)?;
        ensure!(PANICS.load(Ordering::SeqCst) == 0, "something panicked; seed {seed}");
    }
    attack.report(started.elapsed(), &recordings);
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

/// Makes the log, again if it has grown.
async fn fresh_log(node: &NodeTree) -> Result<()> {
    if let Some(log) = node.shen.log(LOG) {
        let mut bytes = 0;
        for partition in 0..PARTITIONS {
            let sizes = node.shen.partition(PartitionId::new(log.number.0, partition))?.sizes;
            bytes += sizes.segment_bytes + sizes.tail_bytes as u64;
        }
        if bytes <= LOG_BYTES_MAX {
            return Ok(());
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
    Ok(())
}

/// What has been tried and what became of it. Buffers are made once: whatever
/// is allocated during a connection is the node's.
struct Attack {
    address: SocketAddr,
    seeded: Seeded,
    mutant: Vec<u8>,
    wire: Vec<u8>,
    reply: Vec<u8>,
    connections: usize,
    answered: usize,
    closed: usize,
    /// By API key.
    tried: [usize; 128],
    worst: Worst,
}

#[derive(Default, Clone)]
struct Worst {
    /// The most memory beyond what was allowed, in bytes; negative is good.
    excess: i64,
    peak: usize,
    received: usize,
    frame: Vec<u8>,
}

impl Attack {
    fn new(address: SocketAddr, seed: u64) -> Attack {
        let worst =
            Worst { excess: i64::MIN, frame: Vec::with_capacity(1 << 20), ..Worst::default() };
        let room = || Vec::with_capacity(1 << 20);
        let (mutant, wire, reply) = (room(), room(), vec![0; 1 << 20]);
        let seeded = Seeded::new(seed);
        Attack {
            address,
            seeded,
            mutant,
            wire,
            reply,
            connections: 0,
            answered: 0,
            closed: 0,
            tried: [0; 128],
            worst,
        }
    }

    fn total(&self) -> usize {
        self.answered + self.closed
    }

    /// One connection, until it has had enough.
    fn connection(&mut self, recordings: &[Recording]) -> Result<()> {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.connections += 1;
        let mut sent = 0;
        for _ in 0..CONNECTION_MUTATIONS {
            let recording = &recordings[self.seeded.below(recordings.len())];
            let wrong_length = self.prepare(recording);
            sent += self.wire.len();
            let open = self.exchange(&mut stream, wrong_length)?;
            let key = usize::try_from(recording.api_key()).unwrap_or(0).min(127);
            self.tried[key] += 1;
            self.weigh(ALLOCATOR.peak_usage().saturating_sub(before), sent);
            if !open {
                self.closed += 1;
                return Ok(());
            }
            self.answered += 1;
        }
        Ok(())
    }

    /// Puts a mutation and a good request on the wire; true if the length of
    /// the first is wrong.
    fn prepare(&mut self, recording: &Recording) -> bool {
        mutate(&mut self.seeded, &recording.frame, &mut self.mutant);
        hurry(&mut self.mutant);
        let wrong = self.seeded.below(WRONG_LENGTHS) == 0;
        let length = if wrong { self.seeded.next_u64() as i32 } else { self.mutant.len() as i32 };
        self.wire.clear();
        self.wire.extend_from_slice(&length.to_be_bytes());
        self.wire.extend_from_slice(&self.mutant);
        // ApiVersions v0 without a client's name.
        self.wire.extend_from_slice(&10_i32.to_be_bytes());
        self.wire.extend_from_slice(&[0, 18, 0, 0]);
        self.wire.extend_from_slice(&SENTINEL.to_be_bytes());
        self.wire.extend_from_slice(&[0xff, 0xff]);
        wrong
    }

    /// Sends it and reads until the good request is answered; false if the
    /// connection is closed instead.
    fn exchange(&mut self, stream: &mut TcpStream, wrong_length: bool) -> Result<bool> {
        if stream.write_all(&self.wire).is_err() {
            return Ok(false);
        }
        if wrong_length {
            // The node may wait for bytes that were never meant to come.
            let _ = stream.shutdown(Shutdown::Write);
        }
        loop {
            let mut head = [0; 8];
            if !ended(stream.read_exact(&mut head))? {
                return Ok(false);
            }
            let length = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            let correlation = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            let rest = usize::try_from(length).context("a negative length")?.saturating_sub(4);
            let room = self.reply.get_mut(..rest).context("an answer of more than a megabyte")?;
            if !ended(stream.read_exact(room))? {
                return Ok(false);
            }
            if correlation == SENTINEL {
                return Ok(!wrong_length);
            }
        }
    }

    fn weigh(&mut self, peak: usize, received: usize) {
        let excess = peak as i64 - (FACTOR * received + SLACK_BYTES) as i64;
        if excess > self.worst.excess {
            self.worst.frame.clear();
            self.worst.frame.extend_from_slice(&self.mutant);
            (self.worst.excess, self.worst.peak, self.worst.received) = (excess, peak, received);
        }
    }

    fn report(&self, elapsed: Duration, recordings: &[Recording]) {
        let mut clients: BTreeMap<&str, usize> = BTreeMap::new();
        recordings.iter().for_each(|recording| *clients.entry(&recording.client).or_default() += 1);
        let tried: BTreeMap<usize, usize> =
            self.tried.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
        println!("recordings by client: {clients:?}");
        println!(
            "{} mutations in {:.1} s over {} connections: {} answered, {} closed; by API key {tried:?}",
            self.total(),
            elapsed.as_secs_f64(),
            self.connections,
            self.answered,
            self.closed,
        );
        println!(
            "memory: at worst {} bytes for {} received, {} below what is allowed",
            self.worst.peak, self.worst.received, -self.worst.excess
        );
    }

    fn check(&self) -> Result<()> {
        ensure!(self.worst.excess <= 0, "too much memory after {:02x?}", self.worst.frame);
        // If everything or nothing got through, the mutations tried one branch.
        ensure!(
            self.closed * 50 > self.total() && self.answered * 50 > self.total(),
            "the mutations are too alike"
        );
        Ok(())
    }
}

/// False at the end of the connection.
fn ended(outcome: std::io::Result<()>) -> Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err(error).context("neither an answer nor an end")
        }
        Err(_) => Ok(false),
    }
}
