//! The directory of this node: the pure state machine of `storage/directory`,
//! kept durably by a thread of the store, published to everybody who reads.
//!
//! In the combined role it decides by itself. It takes *indexed commands*, so
//! that a Raft log can take its place without a change here: propose, make
//! durable, apply, publish.

use crate::log_entry::DirectoryView;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_directory::{Command, Directory, DirectoryError, Outcome};
use pyralog_env::Disk;
use pyralog_model::{ApiError, ClusterId, ErrorCode, NodeName, StoreId};
use pyralog_store::{HealthLatch, Keeper, KeeperError};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// A snapshot replaces the commands after this many of them.
const SNAPSHOT_EVERY: u64 = 512;
/// How long a proposal may take before its outcome is called unknown.
const PROPOSAL_PATIENCE: Duration = Duration::from_secs(10);

/// What the directory answers.
#[derive(RactorMessage)]
pub enum DirectoryMessage {
    /// Changes it; the answer comes when the change is durable and published.
    Propose(Command, RpcReplyPort<Result<Outcome, ApiError>>),
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for DirectoryMessage {
    fn from(Observe(reply): Observe) -> DirectoryMessage {
        DirectoryMessage::Observe(reply)
    }
}

/// Where the present directory is found. Outlives the actor; clones share it.
#[derive(Debug, Clone)]
pub struct DirectoryHub {
    view: Arc<watch::Sender<Arc<DirectoryView>>>,
    actor: Arc<Mutex<Option<ActorRef<DirectoryMessage>>>>,
}

impl Default for DirectoryHub {
    fn default() -> DirectoryHub {
        DirectoryHub { view: Arc::new(watch::Sender::new(Arc::default())), actor: Arc::default() }
    }
}

impl DirectoryHub {
    /// The present state.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.view.borrow().directory)
    }

    /// The present state with its logs ready to be handed out.
    pub(crate) fn view(&self) -> Arc<DirectoryView> {
        Arc::clone(&self.view.borrow())
    }

    /// Told of every change.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<DirectoryView>> {
        self.view.subscribe()
    }

    /// Changes the directory.
    pub async fn propose(&self, command: Command) -> Result<Outcome, ApiError> {
        let actor = self.actor.lock().expect("no one panics holding a reference").clone();
        let actor = actor.ok_or_else(|| ApiError::unavailable("the directory"))?;
        let message = |reply| DirectoryMessage::Propose(command, reply);
        match actor.call(message, Some(PROPOSAL_PATIENCE)).await {
            Ok(ractor::rpc::CallResult::Success(answer)) => answer,
            Ok(ractor::rpc::CallResult::Timeout) => Err(ApiError::new(
                ErrorCode::Timeout,
                "the directory did not answer in time; the change may or may not be made",
            )),
            Ok(ractor::rpc::CallResult::SenderError) | Err(_) => {
                Err(ApiError::unavailable("the directory"))
            }
        }
    }
}

/// What the directory needs.
#[derive(Clone)]
pub struct DirectoryArguments {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// `DIR/obelisk/directory.redb`.
    pub path: PathBuf,
    /// Where it is published.
    pub hub: DirectoryHub,
    /// The cluster, as `node.toml` knows it.
    pub cluster: ClusterId,
    /// This node's name.
    pub node: NodeName,
    /// This node's data directory.
    pub store: StoreId,
    /// Fails when the directory's database does, for the rest of the process.
    pub health: HealthLatch,
    /// The counters that the supervisor reads.
    pub vitals: Vitals,
}

/// The actor: a directory that decides by itself.
pub struct LocalDirectory;

/// What it holds.
pub struct DirectoryState {
    directory: Arc<Directory>,
    keeper: Keeper,
    hub: DirectoryHub,
    vitals: Vitals,
}

impl Actor for LocalDirectory {
    type Msg = DirectoryMessage;
    type State = DirectoryState;
    type Arguments = DirectoryArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<DirectoryMessage>,
        arguments: DirectoryArguments,
    ) -> Result<DirectoryState, ActorProcessingErr> {
        let DirectoryArguments { disk, path, hub, cluster, node, store, health, vitals } =
            arguments;
        let opened = tokio::task::block_in_place(|| {
            if let Some(dir) = path.parent() {
                disk.create_dir_all(dir)?;
                disk.sync_dir(dir.parent().unwrap_or(dir))?;
            }
            Keeper::start(disk, &path, health)
        });
        let (keeper, kept) = opened?;
        let mut state = DirectoryState { directory: Arc::new(restore(kept)?), keeper, hub, vitals };
        state.join(cluster, node, store).await?;
        *state.hub.actor.lock().expect("no one panics holding a reference") = Some(myself);
        state.publish();
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<DirectoryMessage>,
        message: DirectoryMessage,
        state: &mut DirectoryState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            DirectoryMessage::Propose(command, reply) => state.propose(command, reply).await,
            DirectoryMessage::Observe(reply) => state.observe(reply),
        }
    }
}

impl DirectoryState {
    /// A full disk refuses the change. A database that fails in any other way
    /// ends this actor.
    async fn propose(
        &mut self,
        command: Command,
        reply: RpcReplyPort<Result<Outcome, ApiError>>,
    ) -> Result<(), ActorProcessingErr> {
        let (answer, end) = match self.decide(command).await {
            Ok(outcome) => (outcome.map_err(ApiError::from), Ok(())),
            Err(error @ KeeperError::DiskFull) => {
                (Err(ApiError::new(ErrorCode::DiskFull, error.to_string())), Ok(()))
            }
            Err(error) => {
                let message = format!("{error}; the change may or may not be made");
                let lasting = !matches!(error, KeeperError::Unsettled);
                let end = if lasting { Err(error.into()) } else { Ok(()) };
                (Err(ApiError::new(ErrorCode::Timeout, message)), end)
            }
        };
        let _ = reply.send(answer);
        end
    }

    async fn decide(
        &mut self,
        command: Command,
    ) -> Result<Result<Outcome, DirectoryError>, KeeperError> {
        let mut next = Directory::clone(&self.directory);
        let index = next.last_index() + 1;
        let outcome = match next.apply(index, &command) {
            Ok(outcome) => outcome,
            Err(refused) => return Ok(Err(refused)),
        };
        self.keeper.append(index, command.encode()).await?;
        if index.is_multiple_of(SNAPSHOT_EVERY) {
            self.keeper.save_snapshot(index, next.snapshot()).await?;
        }
        self.directory = Arc::new(next);
        self.publish();
        Ok(Ok(outcome))
    }

    /// Founds the cluster and registers this node, unless that is done.
    async fn join(
        &mut self,
        cluster: ClusterId,
        name: NodeName,
        store: StoreId,
    ) -> Result<(), ActorProcessingErr> {
        match self.directory.cluster() {
            None => {
                self.decide(Command::FoundCluster { cluster }).await??;
            }
            Some(present) if present != cluster => {
                return Err(format!(
                    "the directory belongs to cluster {present}, node.toml to {cluster}: \
                     these files are from two data directories"
                )
                .into());
            }
            Some(_) => {}
        }
        if !self.directory.nodes().any(|node| node.name == name) {
            let advertised = BTreeMap::new();
            self.decide(Command::RegisterNode { name, store, advertised }).await??;
        }
        Ok(())
    }

    fn publish(&self) {
        let view = DirectoryView::new(Arc::clone(&self.directory));
        self.hub.view.send_replace(Arc::new(view));
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) -> Result<(), ActorProcessingErr> {
        self.vitals.set_detail("index", self.directory.last_index().to_string());
        self.vitals.set_detail("logs", self.directory.logs().count().to_string());
        let _ = reply.send(self.vitals.snapshot());
        Ok(())
    }
}

fn restore(kept: pyralog_store::Kept) -> Result<Directory, ActorProcessingErr> {
    let (snapshot, commands) = kept;
    let mut directory = match snapshot {
        Some((_, bytes)) => Directory::restore(&bytes)?,
        None => Directory::default(),
    };
    for (index, bytes) in commands {
        let command = Command::decode(&bytes)?;
        // A command is kept only after it was applied once: it applies again.
        directory.apply(index, &command)?;
    }
    Ok(directory)
}
