//! Who numbers the records of a partition: a plain counter under a generation.
//!
//! Offsets are given out before the bytes are durable, so that appends can queue
//! back to back. When one is refused, all numbers given out after it are void:
//! the committer refuses them too, because it has moved to another generation,
//! and the sequencer begins again where the log really ends.

use pyralog_log::Opened;
use pyralog_model::{Epoch, Offset};

/// Gives out offsets within one generation and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sequencer {
    pub(crate) generation: u64,
    pub(crate) epoch: Epoch,
    next: Offset,
}

impl Sequencer {
    /// For a partition whose leadership begins: a new epoch.
    pub(crate) fn lead(opened: Opened) -> Sequencer {
        let epoch = Epoch(opened.last_epoch.0 + 1);
        assert!(epoch <= Epoch::MAX, "epochs fit Kafka's signed field");
        Sequencer { generation: opened.generation, epoch, next: opened.end }
    }

    /// The offset of the next record, of which there are `records`.
    pub(crate) fn claim(&mut self, records: u64) -> Offset {
        let base = self.next;
        self.next = base.plus(records);
        base
    }

    /// Begins again after a refusal, in the same epoch. False if the generation is
    /// not a later one: the partition was closed meanwhile.
    pub(crate) fn resume(&mut self, opened: Opened) -> bool {
        let grows = opened.generation > self.generation;
        if grows {
            self.generation = opened.generation;
            self.next = opened.end;
        }
        grows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_void_after_a_refusal() {
        let opened =
            |generation, end| Opened { generation, end: Offset(end), last_epoch: Epoch(4) };
        let mut sequencer = Sequencer::lead(opened(1, 10));
        assert_eq!(sequencer.epoch, Epoch(5));
        assert_eq!(sequencer.claim(3), Offset(10));
        assert_eq!(sequencer.claim(1), Offset(13));
        assert!(sequencer.resume(opened(3, 13)));
        assert!(!sequencer.resume(opened(1, 0)), "generations only grow");
        assert_eq!((sequencer.claim(2), sequencer.generation), (Offset(13), 3));
        assert_eq!(sequencer.epoch, Epoch(5), "the same leadership goes on");
    }
}
