//! The actor of the copy: one question at a time to an Obelisk, and what each
//! answer leads to.

use super::{Copy, CopyError};
use crate::hub::{CopyState, DirectoryHub};
use crate::pharaoh::Pharaoh;
use crate::protocol::{Answer, AskOutcome, Request};
use pyralog_behaviour::{Observe, Snapshot, Vitals};
use pyralog_env::Disk;
use pyralog_model::{ApiError, ErrorCode};
use pyralog_store::{HealthLatch, Keeper, KeeperError};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long an Obelisk may keep the question for changes.
const WAIT_MS: u32 = 20_000;
/// How long an answer may take beyond that.
const PATIENCE: Duration = Duration::from_secs(5);
/// The waits after which an Obelisk that did not answer is asked again.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How soon after the copy was found to be of another directory it is compared
/// again: a person has to act in between.
const DIVERGED_PAUSE: Duration = Duration::from_secs(5);
/// How soon a full disk is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(500);
/// The largest snapshot that is taken.
const SNAPSHOT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What the copy is told.
#[derive(RactorMessage)]
pub enum CopyMessage {
    /// What came of the question that was asked last.
    Heard(Heard),
    /// Says how it is.
    Observe(RpcReplyPort<Snapshot>),
}

/// An answer from an Obelisk. Only this crate makes one.
pub struct Heard(AskOutcome);

impl From<Observe> for CopyMessage {
    fn from(Observe(reply): Observe) -> CopyMessage {
        CopyMessage::Observe(reply)
    }
}

/// What the copy needs.
#[derive(Clone)]
pub struct CopyArguments {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// `DIR/pyramid/directory.redb`.
    pub path: PathBuf,
    /// Where it is published.
    pub hub: DirectoryHub,
    /// Whom to follow.
    pub pharaoh: Pharaoh,
    /// Fails when the copy's database does, for the rest of the process.
    pub health: HealthLatch,
    /// The counters that the supervisor reads.
    pub vitals: Vitals,
}

/// The actor.
pub struct DirectoryCopy;

/// What it holds.
pub struct CopyActorState {
    copy: Copy,
    pharaoh: Pharaoh,
    vitals: Vitals,
    doing: Doing,
    pause: Duration,
    question: Option<JoinHandle<()>>,
}

/// What the question that was asked last is for.
enum Doing {
    /// What has happened so far? Answered at once.
    Look,
    /// What happens next? Answered when something does.
    Follow,
    /// Pieces of the snapshot of an index.
    Fetch { index: u64, bytes: u64, have: Vec<u8> },
}

/// What to do next.
enum Next {
    Ask(Doing),
    /// The same again, later.
    Pause(Duration),
}

impl Actor for DirectoryCopy {
    type Msg = CopyMessage;
    type State = CopyActorState;
    type Arguments = CopyArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<CopyMessage>,
        arguments: CopyArguments,
    ) -> Result<CopyActorState, ActorProcessingErr> {
        let CopyArguments { disk, path, hub, pharaoh, health, vitals } = arguments;
        let opened = tokio::task::block_in_place(|| {
            if let Some(dir) = path.parent() {
                disk.create_dir_all(dir)?;
                disk.sync_dir(dir.parent().unwrap_or(dir))?;
            }
            Keeper::start(disk, &path, health)
        });
        let (keeper, kept) = opened?;
        let copy = Copy::open(keeper, kept, hub)?;
        let (doing, pause) = (Doing::Look, PAUSE_FIRST);
        let mut state = CopyActorState { copy, pharaoh, vitals, doing, pause, question: None };
        state.ask(&myself, Duration::ZERO);
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<CopyMessage>,
        message: CopyMessage,
        state: &mut CopyActorState,
    ) -> Result<(), ActorProcessingErr> {
        state.vitals.handled();
        match message {
            CopyMessage::Heard(Heard(outcome)) => state.hear(&myself, outcome).await,
            CopyMessage::Observe(reply) => state.observe(reply),
        }
    }
}

impl CopyActorState {
    /// A full disk waits. A database that fails in any other way ends this actor.
    async fn hear(
        &mut self,
        myself: &ActorRef<CopyMessage>,
        outcome: AskOutcome,
    ) -> Result<(), ActorProcessingErr> {
        let next = match outcome {
            Ok(answer) => self.take(answer).await,
            Err(error) if error.code == ErrorCode::DirectoryDiverged => {
                Err(CopyError::Diverged(error.message))
            }
            Err(error) => Ok(self.away(&error)),
        };
        let wait = match next {
            Ok(Next::Ask(doing)) => {
                (self.doing, self.pause) = (doing, PAUSE_FIRST);
                Duration::ZERO
            }
            Ok(Next::Pause(wait)) => wait,
            Err(CopyError::Diverged(what)) => self.diverged(what),
            Err(CopyError::Keeper(error @ (KeeperError::DiskFull | KeeperError::Unsettled))) => {
                self.vitals.failed(&error.to_string());
                self.copy.hub.set_state(CopyState::Waiting(error.to_string()));
                self.doing = Doing::Look;
                FULL_PAUSE
            }
            Err(CopyError::Keeper(error)) => return Err(error.into()),
        };
        self.ask(myself, wait);
        Ok(())
    }

    async fn take(&mut self, answer: Answer) -> Result<Next, CopyError> {
        match (&mut self.doing, answer) {
            (Doing::Look | Doing::Follow, Answer::Commands(commands)) => {
                match commands.is_empty() {
                    true => self.copy.hub.set_state(CopyState::Following),
                    false => self.copy.take(commands).await?,
                }
                Ok(Next::Ask(Doing::Follow))
            }
            (Doing::Look | Doing::Follow, Answer::SnapshotIs { index, bytes }) => {
                self.fetch(index, bytes)
            }
            (Doing::Fetch { index, bytes, have }, Answer::Piece(piece)) => {
                let whole = (have.len() + piece.len()) as u64;
                if piece.is_empty() || whole > *bytes {
                    // Another snapshot has taken its place meanwhile.
                    return Ok(Next::Ask(Doing::Look));
                }
                have.extend_from_slice(&piece);
                let (index, bytes, have) = (*index, *bytes, std::mem::take(have));
                if whole < bytes {
                    return Ok(Next::Ask(Doing::Fetch { index, bytes, have }));
                }
                self.copy.install(index, have).await?;
                Ok(Next::Ask(Doing::Follow))
            }
            (_, other) => Ok(self.away(&Pharaoh::unexpected(&other))),
        }
    }

    fn fetch(&self, index: u64, bytes: u64) -> Result<Next, CopyError> {
        if index < self.copy.index() || bytes > SNAPSHOT_BYTES_MAX {
            return Err(CopyError::Diverged(format!(
                "the Obelisk's snapshot of index {index} with {bytes} bytes is not taken; this \
                 node stands at {}",
                self.copy.index()
            )));
        }
        Ok(Next::Ask(Doing::Fetch { index, bytes, have: Vec::new() }))
    }

    fn away(&mut self, error: &ApiError) -> Next {
        self.vitals.failed(&error.message);
        self.copy.hub.set_state(CopyState::Waiting(error.message.clone()));
        self.doing = Doing::Look;
        let wait = self.pharaoh.jittered(self.pause);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Next::Pause(wait)
    }

    fn diverged(&mut self, what: String) -> Duration {
        let state = CopyState::Diverged(what);
        if self.copy.hub.state() != state {
            let CopyState::Diverged(what) = &state else { return DIVERGED_PAUSE };
            tracing::error!(what, "the directory is not followed; this node serves what it has");
            self.vitals.failed(what);
            self.copy.hub.set_state(state);
        }
        self.doing = Doing::Look;
        DIVERGED_PAUSE
    }

    /// There is one question at a time.
    fn ask(&mut self, myself: &ActorRef<CopyMessage>, wait: Duration) {
        let request = self.request();
        let patience = match &request {
            Request::Changes { wait_ms, .. } => {
                PATIENCE + Duration::from_millis(u64::from(*wait_ms))
            }
            _ => PATIENCE,
        };
        let (pharaoh, myself) = (self.pharaoh.clone(), myself.clone());
        self.question = Some(tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let outcome = pharaoh.ask_within(request, patience).await;
            let _ = myself.cast(CopyMessage::Heard(Heard(outcome)));
        }));
    }

    fn request(&self) -> Request {
        let after = self.copy.index();
        match &self.doing {
            Doing::Look => Request::Changes { after, wait_ms: 0 },
            Doing::Follow => Request::Changes { after, wait_ms: WAIT_MS },
            Doing::Fetch { index, have, .. } => {
                Request::Snapshot { index: *index, from: have.len() as u64 }
            }
        }
    }

    fn observe(&self, reply: RpcReplyPort<Snapshot>) -> Result<(), ActorProcessingErr> {
        let state = match self.copy.hub.state() {
            CopyState::Kept => "kept",
            CopyState::Following => "following",
            CopyState::Waiting(_) => "waiting",
            CopyState::Diverged(_) => "diverged",
        };
        self.vitals.set_state(state);
        self.vitals.set_detail("index", self.copy.index().to_string());
        self.vitals.set_detail("logs", self.copy.directory.logs().count().to_string());
        let _ = reply.send(self.vitals.snapshot());
        Ok(())
    }
}

impl Drop for CopyActorState {
    fn drop(&mut self) {
        if let Some(question) = self.question.take() {
            question.abort();
        }
    }
}
