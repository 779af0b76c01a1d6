//! One actor in a listing of the tree, and how the listing is made.
//!
//! The shape comes from the boards, without asking anybody. Only workers are
//! asked to describe themselves, all at once and for a short time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use ractor::concurrency::oneshot;
use serde::Serialize;

use crate::board::{Board, Entry};
use crate::core::Phase;
use crate::spec::Ask;
use crate::{Observe, Snapshot, Vitals};

/// How long one actor may take to describe itself.
pub(crate) const OBSERVE_PATIENCE: Duration = Duration::from_millis(200);

/// One actor and everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TreeNode {
    /// Its place, such as `pyralog/store/committer`.
    pub path: String,
    /// The last part of the path.
    pub id: String,
    /// What it is, as its specification calls it.
    pub kind: String,
    /// `worker` or `supervisor`.
    pub role: &'static str,
    /// `one_for_one`, `one_for_all` or `rest_for_one`, for a supervisor that is up.
    pub strategy: Option<String>,
    /// `permanent`, `transient` or `temporary`.
    pub restart: String,
    /// How often it has come up again since its supervisor started.
    pub restarts: u64,
    /// Which incarnation it is: every start in the tree has a higher number.
    pub generation: u64,
    /// What the actor says it is doing, or, when it is not up: `starting`,
    /// `waiting`, `down`, `stopping`, `finished` or `quarantined`.
    pub state: String,
    /// Messages waiting, as far as the actor counts them.
    pub mailbox_depth: u64,
    /// Messages handled since this incarnation started.
    pub handled: u64,
    /// The last thing that went wrong, told by the actor or by its end.
    pub last_error: Option<String>,
    /// Whatever else the actor says about itself.
    pub details: BTreeMap<String, String>,
    /// In start order.
    pub children: Vec<TreeNode>,
}

impl TreeNode {
    pub(crate) fn unreachable() -> TreeNode {
        let (role, state) = ("supervisor", "unreachable".to_owned());
        TreeNode { role, state, kind: "supervisor".to_owned(), ..TreeNode::default() }
    }

    /// The node at a path, this one or one below it.
    pub fn find(&self, path: &str) -> Option<&TreeNode> {
        if self.path == path {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(path))
    }

    /// This node and all below it, parents first, in start order.
    pub fn all(&self) -> Vec<&TreeNode> {
        let below = self.children.iter().flat_map(TreeNode::all);
        std::iter::once(self).chain(below).collect()
    }
}

pub(crate) async fn describe_root(
    board: Arc<Board>,
    vitals: Vitals,
    patience: Duration,
) -> TreeNode {
    let snapshot = vitals.snapshot();
    TreeNode {
        path: board.path.clone(),
        id: board.path.rsplit('/').next().unwrap_or_default().to_owned(),
        kind: "supervisor".to_owned(),
        role: "supervisor",
        strategy: strategy_of(&board),
        // Nobody is above the root to start it again.
        restart: "temporary".to_owned(),
        state: snapshot.state,
        handled: snapshot.handled,
        children: describe_children(board, patience).await,
        ..TreeNode::default()
    }
}

fn describe_children(board: Arc<Board>, patience: Duration) -> BoxFuture<'static, Vec<TreeNode>> {
    let described = board.entries().into_iter().map(move |entry| describe(entry, patience));
    join_all(described).boxed()
}

async fn describe(entry: Entry, patience: Duration) -> TreeNode {
    let vitals = entry.vitals.snapshot();
    let answer = match (&entry.below, &entry.ask) {
        (None, Some(ask)) => asked(ask, &vitals, patience).await,
        _ => vitals.clone(),
    };
    let is_up = entry.phase == Phase::Up;
    TreeNode {
        path: entry.path.to_string(),
        id: entry.id,
        kind: entry.kind.to_owned(),
        role: if entry.is_supervisor { "supervisor" } else { "worker" },
        strategy: entry.below.as_deref().and_then(strategy_of),
        restart: entry.restart.to_owned(),
        restarts: entry.restarts,
        generation: entry.generation,
        state: if is_up { answer.state } else { entry.phase.name().to_owned() },
        mailbox_depth: answer.mailbox_depth.max(vitals.mailbox_depth),
        handled: answer.handled.max(vitals.handled),
        last_error: answer.last_error.or(vitals.last_error).or(entry.last_error),
        details: answer.details,
        children: match entry.below {
            Some(below) => describe_children(below, patience).await,
            None => Vec::new(),
        },
    }
}

/// The actor's own words, or its vitals when it has no time for words.
async fn asked(ask: &Ask, vitals: &Snapshot, patience: Duration) -> Snapshot {
    let (port, answer) = oneshot();
    if ask(Observe(port.into()))
        && let Ok(Ok(snapshot)) = tokio::time::timeout(patience, answer).await
    {
        return snapshot;
    }
    let mut silent = vitals.clone();
    silent.details.insert("observed".to_owned(), format!("no answer within {patience:?}"));
    silent
}

fn strategy_of(board: &Board) -> Option<String> {
    board.strategy.get().map(|strategy| strategy.name().to_owned())
}
