//! The life of a node: bind, open, start, serve, stop.

use super::greeting;
use crate::config::NodeSettings;
use crate::data_directory::{DataDirectory, Wanted};
use crate::failure::{Failure, Status};
use crate::listeners::Listeners;
use crate::node::{Ended, Node, NodePlan};
use crate::signals::Signals;
use pyralog_console::Readiness;
use pyralog_env::{RealClock, RealDisk, RealEntropy};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an ordered shutdown may take.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);
/// How long a failed store still serves reads and says why, before the process
/// ends.
const FAILSTOP_GRACE: Duration = Duration::from_secs(10);

/// What kind of life it is.
pub struct Life {
    pub settings: NodeSettings,
    pub random_ports: bool,
    pub dev: bool,
    /// The data directory is removed afterwards.
    pub temporary: bool,
    pub debug_faults: bool,
}

/// Lives it.
pub async fn live(life: Life) -> Result<(), Failure> {
    let mut signals = Signals::install().map_err(Failure::failed)?;
    raise_open_files();
    let settings = &life.settings;
    let listeners = Listeners::bind(settings, life.random_ports)?;
    let wanted = Wanted { name: settings.name.clone(), cluster: settings.cluster, founds: true };
    let mut data =
        DataDirectory::open(Arc::new(RealDisk), &settings.data_dir, &wanted, &RealEntropy)?;
    if !data.was_clean() {
        tracing::info!(boot = data.boot().0, "the last shutdown was not in order; recovering");
    }
    let (readiness, readiness_seen) = watch::channel(Readiness::Starting);
    let plan = NodePlan {
        settings,
        data_directory: &data,
        listeners: &listeners,
        disk: Arc::new(RealDisk),
        clock: Arc::new(RealClock::new()),
        readiness: readiness_seen,
        debug_faults: life.debug_faults,
    };
    let node = tokio::select! {
        started = Node::start(plan) => started?,
        // What has been recovered so far was durable before.
        signal = signals.next() => return Err(Failure::failed(format!("stopped by {signal} while starting"))),
    };
    readiness.send_replace(Readiness::Ready);
    greeting::print(&life, &data, &listeners);

    let ended = tokio::select! {
        signal = signals.next() => {
            tracing::info!("{signal}: shutting down; a second signal ends the process at once");
            None
        }
        ended = node.ended() => Some(ended),
    };
    match ended {
        None => stop(node, &mut data, &readiness, &mut signals).await,
        Some(Ended::StorageFailed) => Err(failstop(&readiness, &mut signals).await),
        Some(Ended::TooManyRestarts) => {
            readiness.send_replace(Readiness::Failed);
            Err(Failure::failed(
                "the root supervisor gave up after too many restarts; the log above says why",
            ))
        }
        Some(Ended::RootKilled) => {
            readiness.send_replace(Readiness::Failed);
            Err(Failure::failed("the root supervisor was killed, and the node with it")
                .help("start it again: what was acknowledged is recovered"))
        }
    }
}

/// Every segment and every connection is an open file: take all that the system
/// allows this process.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// An ordered shutdown, unless a second signal comes.
async fn stop(
    node: Node,
    data: &mut DataDirectory,
    readiness: &watch::Sender<Readiness>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    readiness.send_replace(Readiness::Stopping);
    tokio::select! {
        stopped = tokio::time::timeout(SHUTDOWN_PATIENCE, node.shutdown(SHUTDOWN_PATIENCE)) => match stopped {
            Ok(stopped) => stopped?,
            Err(_) => return Err(Failure::failed("the shutdown took longer than 10 s; the next start will recover")),
        },
        signal = signals.next() => exit_at_once(signal),
    }
    Ok(data.mark_clean()?)
}

/// After a failed sync nothing can be acknowledged any more. Reads go on for a
/// while, so that whoever watches can see why.
async fn failstop(readiness: &watch::Sender<Readiness>, signals: &mut Signals) -> Failure {
    readiness.send_replace(Readiness::Failed);
    tracing::error!(
        "the store has failed: nothing more is acknowledged, and the process ends in 10 s"
    );
    tokio::select! {
        () = tokio::time::sleep(FAILSTOP_GRACE) => {}
        _ = signals.next() => {}
    }
    Failure::new(Status::StorageFailed, "the store failed (storage-failed)")
        .help("check the disk; what was acknowledged is recovered by the next start")
}

/// The operator has said it twice.
fn exit_at_once(signal: &str) -> ! {
    tracing::warn!("{signal} again: ending at once");
    std::process::exit(Status::Failed as i32)
}
