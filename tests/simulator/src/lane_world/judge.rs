//! The judge of the lane world: every id that any consumer ever got.

use crate::judge::Verdict;
use pyralog_model::{LogicalClock, ScarabId};
use std::collections::HashSet;

#[derive(Debug)]
pub(super) struct Judge {
    all: HashSet<u64>,
    /// The last id of each node.
    last: Vec<Option<ScarabId>>,
}

impl Judge {
    pub(super) fn new(nodes: usize) -> Judge {
        Judge { all: HashSet::new(), last: vec![None; nodes] }
    }

    /// Consumers of a node, or of a copy of one that went on beside it, got `ids`.
    pub(super) fn issued(
        &mut self,
        node: usize,
        copy: bool,
        ids: impl Iterator<Item = ScarabId>,
    ) -> Verdict {
        for id in ids {
            if !self.all.insert(id.0) {
                return Err(format!("node {node} issued {id} again ({:?})", id.clock()));
            }
            if !copy {
                if self.last[node].is_some_and(|last| id <= last) {
                    let last = self.last[node].expect("there is one");
                    return Err(format!("node {node} issued {id} after {last}"));
                }
                self.last[node] = Some(id);
            }
        }
        Ok(())
    }

    /// What a node finds durable must lie above all its ids.
    pub(super) fn found(&self, node: usize, bound: LogicalClock) -> Verdict {
        match self.last[node] {
            Some(last) if last.clock() >= bound => {
                Err(format!("node {node} issued {:?}, its bound is {bound:?}", last.clock()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn last(&self, node: usize) -> Option<ScarabId> {
        self.last[node]
    }
}
