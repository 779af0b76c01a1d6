//! The whole tree: as data, and as something to stop, to watch and to wound.

mod node;

use std::time::Duration;

use ractor::{ActorRef, call_t};
use tokio::sync::watch;

pub use node::TreeNode;
pub(crate) use node::{OBSERVE_PATIENCE, describe_root};

use crate::supervisor::News;
use crate::{KillError, SupervisorMessage, TooManyRestarts};

/// Killing needs one round trip to the root, which never waits for a child.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// A handle on a running tree. Clones are the same tree.
#[derive(Debug, Clone)]
pub struct Tree {
    root: ActorRef<SupervisorMessage>,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// How a tree ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// In order: it was shut down.
    Stopped,
    /// The root had too many restarts. The process should exit.
    GaveUp(TooManyRestarts),
    /// The root was killed, or ended before it could say how.
    Killed,
}

/// Why a shutdown was not orderly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShutdownError {
    /// The tree took longer than the patience given.
    #[error(
        "the tree was still stopping after {0:?} and was killed: what it held is recovered at the next start"
    )]
    Late(Duration),
}

impl Tree {
    /// Takes hold of the tree under `root`.
    pub fn new(root: ActorRef<SupervisorMessage>) -> Tree {
        let (attendant, outcome) = watch::channel(None);
        // When the root is gone the sender is dropped, which reads as `Killed`.
        let _ = root.send_message(News::Attend(attendant).into());
        Tree { root, outcome }
    }

    /// The root supervisor.
    pub fn root(&self) -> &ActorRef<SupervisorMessage> {
        &self.root
    }

    /// The tree as it is now. An actor that is too busy to answer is described
    /// from its vitals; if the root does not answer within `deadline`, the node
    /// says `unreachable` and has no path.
    pub async fn snapshot(&self, deadline: Duration) -> TreeNode {
        // Leaves the root a fifth of the time to put the answers together.
        let patience = (deadline / 5 * 4).min(OBSERVE_PATIENCE);
        let ask = |reply| News::Look { patience, reply }.into();
        let answer = call_t!(self.root, ask, millis(deadline));
        answer.unwrap_or_else(|_| TreeNode::unreachable())
    }

    /// Kills the actor at `path`, to see it healed. Returns when the signal is sent.
    pub async fn kill(&self, path: &str) -> Result<(), KillError> {
        let ask = |reply| SupervisorMessage::Kill { path: path.to_owned(), reply };
        call_t!(self.root, ask, millis(KILL_PATIENCE)).unwrap_or(Err(KillError::Unreachable))
    }

    /// Stops everything in reverse and waits for it; after `patience` the tree
    /// is killed instead. A tree that has ended already is shut down.
    pub async fn shutdown(&self, patience: Duration) -> Result<(), ShutdownError> {
        // Not ractor's stop, which would leave the root deaf while it waits.
        let _ = self.root.send_message(News::Close.into());
        if self.root.wait(Some(patience)).await.is_ok() {
            return Ok(());
        }
        self.root.kill();
        Err(ShutdownError::Late(patience))
    }

    /// Waits until the tree has ended, and says how.
    pub async fn outcome(&self) -> Outcome {
        let mut outcome = self.outcome.clone();
        let told = match outcome.wait_for(Option::is_some).await {
            Ok(told) => told.clone(),
            Err(_) => None,
        };
        self.root.wait(None).await.ok();
        told.unwrap_or(Outcome::Killed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
