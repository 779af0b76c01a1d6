//! What a supervisor is told, by anybody and by its own tasks.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use pyralog_env::Clock;
use ractor::{ActorCell, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use tokio::sync::watch;

use crate::spec::Ask;
use crate::tree::Outcome;
use crate::{ChildSpec, Observe, Reports, Snapshot, TreeNode};

/// The protocol of a supervisor.
#[derive(RactorMessage)]
pub enum SupervisorMessage {
    /// Adds a child to a dynamic supervisor; answered when it is up or failed.
    StartChild(ChildSpec, RpcReplyPort<Result<ActorCell, StartChildError>>),
    /// Stops the child of this id and forgets it; answered when nothing of it
    /// is left, with false when there was none.
    StopChild(String, RpcReplyPort<bool>),
    /// Describes the supervisor itself.
    Observe(RpcReplyPort<Snapshot>),
    /// Describes it and everything below it.
    Tree(RpcReplyPort<TreeNode>),
    /// Kills one actor at or below this supervisor, to see it healed.
    Kill {
        /// The full path, beginning with the root's name.
        path: String,
        /// Answered when the signal has been sent.
        reply: RpcReplyPort<Result<(), KillError>>,
    },
    /// Stops the children in reverse, then itself; answered when they are gone.
    Shutdown(RpcReplyPort<()>),
    /// News from the supervisor's own tasks.
    Notice(Notice),
}

impl From<Observe> for SupervisorMessage {
    fn from(observe: Observe) -> SupervisorMessage {
        SupervisorMessage::Observe(observe.0)
    }
}

/// News that only this crate can write and read.
pub struct Notice(pub(crate) News);

pub(crate) enum News {
    Started {
        place: u64,
        generation: u64,
        cell: ActorCell,
        ask: Ask,
    },
    StartFailed {
        place: u64,
        generation: u64,
        reason: String,
    },
    Ended {
        place: u64,
        generation: u64,
    },
    Elapsed {
        place: u64,
        generation: u64,
    },
    Look {
        patience: Duration,
        reply: RpcReplyPort<TreeNode>,
    },
    /// As `Shutdown`, from those who watch for the end instead of an answer.
    Close,
    Attend(watch::Sender<Option<Outcome>>),
}

impl From<News> for SupervisorMessage {
    fn from(news: News) -> SupervisorMessage {
        SupervisorMessage::Notice(Notice(news))
    }
}

/// What all supervisors of one tree have in common.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reports: Reports,
    pub(crate) generations: Arc<AtomicU64>,
}

/// Why a child was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartChildError {
    /// Its specification says so.
    #[error("{0} takes no children while it runs: mark its specification as dynamic")]
    NotDynamic(String),
    /// Ids are unique among siblings.
    #[error("{0} exists already: stop it first or choose another id")]
    Taken(String),
    /// The child failed to start, or was stopped before it was up.
    #[error("{path} did not start: {reason}")]
    Failed {
        /// The path the child would have had.
        path: String,
        /// What the child said.
        reason: String,
    },
}

/// Why nothing was killed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KillError {
    /// No such path.
    #[error("there is no actor at {0}: list the tree to see the paths")]
    Unknown(String),
    /// It exists but is not up at the moment.
    #[error("{path} is {state}, so there is nothing to kill: try again when it runs")]
    NotRunning {
        /// The path.
        path: String,
        /// What it is doing instead.
        state: String,
    },
    /// The root is gone or did not answer.
    #[error("the root supervisor did not answer: the tree is stopping or has ended")]
    Unreachable,
}

/// Why a supervisor gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} gave up: more than {restarts_max} restarts within {period:?}, the last because {child} failed: {reason}"
)]
pub struct TooManyRestarts {
    /// The supervisor.
    pub path: String,
    /// What its intensity allows.
    pub restarts_max: u32,
    /// Within which time.
    pub period: Duration,
    /// The child whose failure was one too many.
    pub child: String,
    /// How that child failed.
    pub reason: String,
}
