//! The directory's authority: the actor that decides. It founds the cluster,
//! registers starts, this node's own first, and tells those who follow what
//! happened.

mod deciding;
mod guard;
mod history;

pub(crate) use deciding::Decided;
pub(crate) use history::HistoryLimits;

use crate::arena::ArenaMessage;
use crate::seat::Seat;
use deciding::{Deciding, Undecided};
use guard::refuse_a_lost_directory;
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_directory::{Command, Outcome};
use pyralog_env::Disk;
use pyralog_model::{ApiError, ClusterId, ErrorCode};
use pyralog_pharaoh::{Answer, CHANGES_BYTES_MAX, DirectoryHub, Membership, NodeStart, diverged};
use pyralog_store::{HealthLatch, Keeper};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A snapshot that nobody has read from for so long is forgotten.
const SNAPSHOT_IDLE: Duration = Duration::from_secs(30);

type Reply<T> = RpcReplyPort<Result<T, ApiError>>;

/// What the directory answers.
#[derive(RactorMessage)]
pub(crate) enum DirectoryMessage {
    /// Changes it; answered when the change is durable and published.
    Decide { command: Command, reply: Reply<Decided> },
    /// What happened after an index: at once, also if it is nothing.
    Changes { after: u64, reply: Reply<Answer> },
    /// A piece of a snapshot.
    Piece { index: u64, from: u64, reply: Reply<Answer> },
    /// Nobody has read from the snapshot for a while.
    Forget,
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

impl From<Observe> for DirectoryMessage {
    fn from(Observe(reply): Observe) -> DirectoryMessage {
        DirectoryMessage::Observe(reply)
    }
}

/// What came of this node's own start.
pub(crate) type OwnStart = Option<Result<Membership, ApiError>>;

/// What the directory needs.
#[derive(Clone)]
pub(crate) struct DirectoryArguments {
    pub(crate) disk: Arc<dyn Disk>,
    /// `DIR/obelisk/directory.redb`; its folder exists.
    pub(crate) path: PathBuf,
    /// The cluster, as `node.toml` knows it.
    pub(crate) cluster: ClusterId,
    /// This node's own start.
    pub(crate) start: NodeStart,
    /// Asked for traces of a directory that was lost.
    pub(crate) arena: Seat<ArenaMessage>,
    pub(crate) limits: HistoryLimits,
    pub(crate) hub: DirectoryHub,
    pub(crate) own: Arc<watch::Sender<OwnStart>>,
    pub(crate) seat: Seat<DirectoryMessage>,
    /// Fails when the database does, for the rest of the process.
    pub(crate) health: HealthLatch,
    pub(crate) vitals: Vitals,
}

/// The actor.
pub(crate) struct DirectoryAuthority;

/// What it holds.
pub(crate) struct DirectoryState {
    deciding: Deciding,
    /// A snapshot that somebody reads piece by piece.
    offered: Option<Offered>,
    forgetting: Option<JoinHandle<()>>,
    refused: u64,
    vitals: Vitals,
}

struct Offered {
    index: u64,
    bytes: Vec<u8>,
}

impl Actor for DirectoryAuthority {
    type Msg = DirectoryMessage;
    type State = DirectoryState;
    type Arguments = DirectoryArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<DirectoryMessage>,
        arguments: DirectoryArguments,
    ) -> Result<DirectoryState, ActorProcessingErr> {
        let deciding = tokio::task::block_in_place(|| {
            let DirectoryArguments { disk, path, health, .. } = &arguments;
            let (keeper, kept) = Keeper::start(Arc::clone(disk), path, health.clone())?;
            Deciding::restore(keeper, kept, arguments.hub.clone(), arguments.limits)
        })?;
        if deciding.directory().last_index() == 0 {
            refuse_a_lost_directory(&arguments).await?;
        }
        let DirectoryArguments { own, seat, vitals, .. } = arguments;
        let mut state =
            DirectoryState { deciding, offered: None, forgetting: None, refused: 0, vitals };
        state.found(arguments.cluster).await?;
        match state.register(arguments.start).await {
            Ok(membership) => own.send_replace(Some(Ok(membership))),
            Err(error) => {
                own.send_replace(Some(Err(error.clone())));
                return Err(error.into());
            }
        };
        state.deciding.publish();
        seat.take(myself);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<DirectoryMessage>,
        message: DirectoryMessage,
        state: &mut DirectoryState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            DirectoryMessage::Decide { command, reply } => {
                return state.decide(command, reply).await;
            }
            DirectoryMessage::Changes { after, reply } => state.changes(&myself, after, reply),
            DirectoryMessage::Piece { index, from, reply } => {
                state.piece(&myself, index, from, reply);
            }
            DirectoryMessage::Forget => state.offered = None,
            DirectoryMessage::Observe(reply) => state.observe(reply),
        }
        Ok(())
    }
}

impl DirectoryState {
    async fn found(&mut self, cluster: ClusterId) -> Result<(), ActorProcessingErr> {
        match self.deciding.directory().cluster() {
            Some(present) if present != cluster => Err(format!(
                "the directory belongs to cluster {present}, node.toml to {cluster}: \
                 these files are from two data directories"
            )
            .into()),
            _ => {
                let founded = self.deciding.decide(Command::FoundCluster { cluster }).await;
                founded.map_err(ApiError::from)?;
                Ok(())
            }
        }
    }

    async fn register(&mut self, start: NodeStart) -> Result<Membership, ApiError> {
        let decided = self.deciding.decide(start_command(start)).await?;
        let cluster = self.deciding.directory().cluster();
        match (decided.outcome, cluster) {
            (Outcome::NodeStarted { number, incarnation }, Some(cluster)) => {
                Ok(Membership { cluster, node: number, incarnation, index: decided.index })
            }
            (other, _) => unreachable!("StartNode was answered by {other:?}"),
        }
    }

    /// A full disk refuses the change. A database that fails in any other way
    /// ends this actor.
    async fn decide(
        &mut self,
        command: Command,
        reply: Reply<Decided>,
    ) -> Result<(), ActorProcessingErr> {
        let decided = self.deciding.decide(command).await;
        let end = match &decided {
            Err(undecided @ Undecided::NotKept(error)) if undecided.is_final() => {
                self.vitals.failed(&error.to_string());
                Err(error.to_string().into())
            }
            Err(_) => {
                self.refused += 1;
                Ok(())
            }
            Ok(_) => Ok(()),
        };
        let _ = reply.send(decided.map_err(ApiError::from));
        end
    }

    fn changes(&mut self, myself: &ActorRef<DirectoryMessage>, after: u64, reply: Reply<Answer>) {
        let last = self.deciding.directory().last_index();
        let answer = if after > last {
            Err(diverged(after, last))
        } else {
            match self.deciding.history.after(after, CHANGES_BYTES_MAX) {
                Some(commands) => Ok(Answer::Commands(commands)),
                None => Ok(self.offer(myself)),
            }
        };
        let _ = reply.send(answer);
    }

    /// One snapshot is offered to all who are behind, as long as the commands
    /// after it are known.
    fn offer(&mut self, myself: &ActorRef<DirectoryMessage>) -> Answer {
        let known =
            |offered: &&mut Offered| self.deciding.history.after(offered.index, 0).is_some();
        if self.offered.as_mut().filter(known).is_none() {
            let directory = self.deciding.directory();
            let (index, bytes) = (directory.last_index(), directory.snapshot());
            self.offered = Some(Offered { index, bytes });
        }
        self.forget_later(myself);
        let offered = self.offered.as_ref().expect("it was made a moment ago");
        Answer::SnapshotIs { index: offered.index, bytes: offered.bytes.len() as u64 }
    }

    fn piece(
        &mut self,
        myself: &ActorRef<DirectoryMessage>,
        index: u64,
        from: u64,
        reply: Reply<Answer>,
    ) {
        let answer = match self.offered.as_ref().filter(|offered| offered.index == index) {
            Some(Offered { bytes, .. }) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let to = from.saturating_add(CHANGES_BYTES_MAX).min(bytes.len());
                Ok(Answer::Piece(bytes[from..to].to_vec()))
            }
            None => Err(ApiError::new(
                ErrorCode::Unavailable,
                format!("the snapshot of index {index} is no longer kept; ask for changes again"),
            )),
        };
        if answer.is_ok() {
            self.forget_later(myself);
        }
        let _ = reply.send(answer);
    }

    /// One alarm at a time, however often it is read.
    fn forget_later(&mut self, myself: &ActorRef<DirectoryMessage>) {
        let myself = myself.clone();
        let forget = async move {
            tokio::time::sleep(SNAPSHOT_IDLE).await;
            let _ = myself.cast(DirectoryMessage::Forget);
        };
        if let Some(earlier) = self.forgetting.replace(tokio::spawn(forget)) {
            earlier.abort();
        }
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) {
        let directory = self.deciding.directory();
        let detail = |name, value: usize| self.vitals.set_detail(name, value.to_string());
        self.vitals.set_detail("index", directory.last_index().to_string());
        detail("nodes", directory.nodes().count());
        detail("logs", directory.logs().count());
        detail("counters", directory.counter_count());
        detail("lanes", directory.lanes().filter(|lane| lane.holder.is_some()).count());
        detail("commands_in_memory", self.deciding.history.len());
        detail("snapshot_offered_bytes", self.offered.as_ref().map_or(0, |o| o.bytes.len()));
        self.vitals.set_detail("refused", self.refused.to_string());
        let _ = reply.send(self.vitals.snapshot());
    }
}

/// A start as a command.
pub(crate) fn start_command(start: NodeStart) -> Command {
    let NodeStart { name, store, roles, presented, next, advertised } = start;
    Command::StartNode { name, store, roles, presented, next, advertised }
}
