//! What all logs in memory may take together: over it the oldest records go, whichever
//! log they are of.

use super::RelaxedCommitter;
use crate::partition_log::PartitionLog;
use pyralog_model::{Durability, Lsn};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

impl RelaxedCommitter {
    /// Lets go of the oldest records once there are too many, and of a sixteenth more,
    /// so that this is not looked at again at once.
    pub(super) fn keep_within_budget(&mut self) {
        let budget = self.options.memory_bytes_max;
        if self.in_memory <= budget {
            return;
        }
        let logs = self.count_memory();
        if self.in_memory > budget {
            drop_oldest(&logs, self.in_memory - (budget - budget / 16));
            self.count_memory();
        }
    }

    /// Others drop records, too: whoever deletes some, and retention.
    fn count_memory(&mut self) -> Vec<Arc<PartitionLog>> {
        let mut logs = Vec::new();
        self.in_memory = 0;
        for member in self.members.values_mut() {
            if member.log.durability() == Durability::Memory {
                member.bytes = member.log.memory_bytes();
                self.in_memory += member.bytes;
                logs.push(Arc::clone(&member.log));
            }
        }
        logs
    }
}

/// Frees so many bytes, from the log that has the oldest frame as long as it does.
fn drop_oldest(logs: &[Arc<PartitionLog>], mut bytes: usize) {
    let oldest = |place: usize| logs[place].oldest_lsn().map(|lsn| Reverse((lsn, place)));
    let mut heap: BinaryHeap<Reverse<(Lsn, usize)>> = (0..logs.len()).filter_map(oldest).collect();
    while bytes > 0
        && let Some(Reverse((_, place))) = heap.pop()
    {
        let next = heap.peek().map_or(Lsn(u64::MAX), |Reverse((lsn, _))| *lsn);
        bytes = bytes.saturating_sub(logs[place].drop_oldest(next, bytes));
        heap.extend(oldest(place));
    }
}
