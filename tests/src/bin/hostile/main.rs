//! Hostile clients and peers, over real sockets, against a node in this process,
//! whose every allocated byte is counted.
//!
//! ```text
//! hostile [MUTATIONS [LINK_MUTATIONS]]     # seed from PYRALOG_SEED
//! ```
//!
//! At the Kafka door they say mutated recordings of real clients, on the link's
//! port mutations of what nodes say: before the preamble, when nobody knows them,
//! and after it, with the cookie. By default the link gets three mutations for
//! ten of the Kafka door.
//!
//! No mutation may cause a panic, and no connection may cost more memory than
//! four times the bytes it sent and a constant. Mutations are followed by a good
//! request: its answer, or the end of the connection, says that they have been
//! dealt with, so nothing here waits for time to pass.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a program for the terminal, in real time"
)]

mod attack;
mod link;
mod log;
mod node;
mod socket;
mod weight;

use anyhow::{Context, Result, ensure};
use attack::Attack;
use link::LinkAttack;
use node::Sockets;
use peak_alloc::PeakAlloc;
use pyralog_tests::recordings::{self, Recording};
use pyralog_tests::seeded;
use pyralog_trees::NodeTree;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

#[global_allocator]
pub(crate) static ALLOCATOR: PeakAlloc = PeakAlloc;
static PANICS: AtomicUsize = AtomicUsize::new(0);

const PATIENCE: Duration = Duration::from_secs(30);
const CLUSTER: u128 = 1;
const COOKIE: [u8; 32] = [7; 32];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let kafka = arguments.next().unwrap_or(Ok(1_000_000)).context("how many mutations?")?;
    let link = arguments.next().unwrap_or(Ok(kafka * 3 / 10)).context("how many on the link?")?;
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
    let node = runtime.block_on(node::start(folder.path(), &sockets))?;
    at_kafka(&runtime, &node, &sockets, &recordings, kafka, seed)?;
    at_link(&sockets, &recordings, link, seed)?;
    runtime.block_on(node.tree.shutdown(PATIENCE)).context("the node did not stop in order")
}

fn at_kafka(
    runtime: &Runtime,
    node: &NodeTree,
    sockets: &Sockets,
    recordings: &[Recording],
    mutations: usize,
    seed: u64,
) -> Result<()> {
    let address = sockets.kafka.local_addr()?;
    let mut attack = Attack::new(address, seed);
    let started = Instant::now();
    while attack.total() < mutations {
        if runtime.block_on(log::fresh_log(node))? {
            log::plant(address)?;
        }
        attack.connection(recordings)?;
        no_panics(seed)?;
    }
    println!("Kafka: {}", attack.report(started.elapsed()));
    attack.check()
}

fn at_link(sockets: &Sockets, recordings: &[Recording], mutations: usize, seed: u64) -> Result<()> {
    let mut attack = LinkAttack::new(sockets, recordings, seed)?;
    let started = Instant::now();
    while attack.total() < mutations {
        attack.connection()?;
        no_panics(seed)?;
    }
    println!("link: {}", attack.report(started.elapsed()));
    attack.check()?;
    attack.bombs()?;
    attack.crowd()?;
    no_panics(seed)?;
    attack.leaves_nothing()
}

fn no_panics(seed: u64) -> Result<()> {
    ensure!(PANICS.load(Ordering::SeqCst) == 0, "something panicked; seed {seed}");
    Ok(())
}
