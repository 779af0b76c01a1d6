//! The life of a node: bind, open, start, join, serve, stop.

use super::greeting;
use crate::config::NodeSettings;
use crate::cookie::node_cookie;
use crate::data_directory::{DataDirectory, DataDirectoryError, Wanted};
use crate::demo;
use crate::failure::{Failure, Status};
use crate::listeners::Listeners;
use crate::node::{Ended, Node, NodePlan};
use crate::signals::Signals;
use pyralog_console::Readiness;
use pyralog_env::{Entropy, RealClock, RealDisk, RealEntropy};
use pyralog_model::StartToken;
use pyralog_pharaoh::Membership;
use pyralog_query::ConfigRow;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long an ordered shutdown may take.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);
/// How long a failed store still serves reads and says why, before the process
/// ends.
const FAILSTOP_GRACE: Duration = Duration::from_secs(10);
/// After this long a node that does not serve yet says what it waits for.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// What kind of life it is.
pub struct Life {
    pub settings: NodeSettings,
    /// The same as rows, for `sys.config`.
    pub config: Arc<[ConfigRow]>,
    pub random_ports: bool,
    pub dev: bool,
    /// Load the demonstration's logs once the node serves.
    pub demo: bool,
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
    let cookie = node_cookie(settings, &RealEntropy)?;
    let founds = settings.obelisk.is_some();
    let wanted = Wanted { name: settings.name.clone(), cluster: settings.cluster, founds };
    let mut data =
        DataDirectory::open(Arc::new(RealDisk), &settings.data_dir, &wanted, &RealEntropy)?;
    if !data.was_clean() {
        tracing::info!(boot = data.boot().0, "the last shutdown was not in order; recovering");
    }
    let presented = data.node().start_tokens.clone();
    let token = data.add_start_token(StartToken(RealEntropy.next_u128()))?;
    let (readiness, readiness_seen) = watch::channel(Readiness::Starting);
    let plan = NodePlan {
        settings,
        config: Arc::clone(&life.config),
        data_directory: &data,
        listeners: &listeners,
        cookie,
        presented,
        token,
        disk: Arc::new(RealDisk),
        clock: Arc::new(RealClock::new()),
        entropy: Arc::new(RealEntropy),
        readiness: readiness_seen,
        debug_faults: life.debug_faults,
    };
    let node = tokio::select! {
        started = Node::start(plan) => started?,
        // What has been recovered so far was durable before.
        signal = signals.next() => return Err(Failure::failed(format!("stopped by {signal} while starting"))),
    };
    let serving = Serving { life: &life, listeners: &listeners, readiness: &readiness, token };
    match serving.until_the_end(&node, &mut data, &mut signals).await {
        Ok(None) => stop(node, &mut data, &readiness, &mut signals).await,
        Ok(Some(Ended::StorageFailed)) => Err(failstop(&readiness, &mut signals).await),
        Ok(Some(Ended::TooManyRestarts)) => {
            readiness.send_replace(Readiness::Failed);
            Err(Failure::failed(
                "the root supervisor gave up after too many restarts; the log above says why",
            ))
        }
        Ok(Some(Ended::RootKilled)) => {
            readiness.send_replace(Readiness::Failed);
            Err(Failure::failed("the root supervisor was killed, and the node with it")
                .help("start it again: what was acknowledged is recovered"))
        }
        Err(refused) => {
            // In order, so that nothing else needs recovery because of it.
            let _ = stop(node, &mut data, &readiness, &mut signals).await;
            Err(refused)
        }
    }
}

/// The time between the start and the end.
struct Serving<'a> {
    life: &'a Life,
    listeners: &'a Listeners,
    readiness: &'a watch::Sender<Readiness>,
    token: StartToken,
}

impl Serving<'_> {
    /// Joins the cluster, says when it serves, and waits for a signal (`None`) or
    /// for the node to end by itself. Joining goes on while the node serves: one
    /// that knows its cluster needs nobody for what it has.
    async fn until_the_end(
        &self,
        node: &Node,
        data: &mut DataDirectory,
        signals: &mut Signals,
    ) -> Result<Option<Ended>, Failure> {
        let (joining, served) = (node.join(), node.served());
        let silence = tokio::time::sleep(SILENCE_MAX);
        tokio::pin!(joining, served, silence);
        let (mut joined, mut serves, mut told) = (false, false, false);
        loop {
            tokio::select! {
                membership = &mut joining, if !joined => {
                    let membership = membership?;
                    self.record(data, &membership)?;
                    joined = true;
                }
                () = &mut served, if !serves => serves = true,
                () = &mut silence, if !told && !joined => {
                    // Once: what becomes of it is in the status.
                    tracing::warn!("{}", node.waits_for());
                    told = true;
                }
                signal = signals.next() => {
                    tracing::info!("{signal}: shutting down; a second signal ends the process at once");
                    return Ok(None);
                }
                ended = node.ended() => return Ok(Some(ended)),
            }
            let is_ready = *self.readiness.borrow() == Readiness::Ready;
            if serves && (joined || data.node().cluster.is_some()) && !is_ready {
                self.readiness.send_replace(Readiness::Ready);
                greeting::print(self.life, data, self.listeners);
                if self.life.demo {
                    demo::start(self.listeners.http_address());
                }
            }
        }
    }

    /// A disk that has no room for it now ends nothing: the token is kept already.
    fn record(&self, data: &mut DataDirectory, membership: &Membership) -> Result<(), Failure> {
        match data.record_membership(membership.cluster, membership.node, self.token) {
            Err(error @ DataDirectoryError::Io { .. }) => {
                tracing::warn!(%error, "joined, but node.toml does not say so yet; the next start joins again");
                Ok(())
            }
            other => Ok(other?),
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
