//! What a child is told when it is started.

use std::fmt;
use std::sync::Arc;

use ractor::{ActorCell, ActorRef, Message};

use crate::Vitals;
use crate::board::Board;

/// Handed to a child's `start`. Cheap to clone; the actor may keep it and look
/// up its siblings again later, which matters under `one_for_one`.
#[derive(Clone)]
pub struct ChildContext {
    pub(crate) supervisor: ActorCell,
    pub(crate) generation: u64,
    pub(crate) path: Arc<str>,
    pub(crate) vitals: Vitals,
    pub(crate) board: Arc<Board>,
    /// The child's place among its siblings, in start order.
    pub(crate) place: u64,
}

impl ChildContext {
    /// The supervisor, to which the child must be linked.
    pub fn supervisor(&self) -> ActorCell {
        self.supervisor.clone()
    }

    /// Rises with every start anywhere in this tree, so that a later
    /// incarnation of the same child always has the higher number.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The child's place in the tree, such as `pyralog/store`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The counters that the actor bumps and its supervisor reads.
    pub fn vitals(&self) -> Vitals {
        self.vitals.clone()
    }

    /// The running incarnation of an earlier sibling, else of an earlier
    /// sibling of the supervisor, and so on up the tree. `id` may lead down
    /// through supervisors, as in `store/committer`. None when there is no such
    /// child, when it is not up, or when it takes other messages than `M`.
    pub fn sibling<M: Message>(&self, id: &str) -> Option<ActorRef<M>> {
        let cell = self.board.find_before(self.place, id)?;
        (cell.is_message_type_of::<M>() == Some(true)).then(|| cell.into())
    }
}

impl fmt::Debug for ChildContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ChildContext")
            .field("path", &self.path)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
