//! The names of a simulated disk: directories, and changes of names that no
//! directory sync has made durable.

use super::cut::{CutKind, CutReport};
use super::random::Random;
use std::collections::BTreeMap;

/// The number of a file or directory. Names point at it.
pub(super) type Inode = usize;

/// A directory in both images.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) live: BTreeMap<String, Inode>,
    pub(super) durable: BTreeMap<String, Inode>,
}

/// One name in one directory comes to mean something else, or nothing.
#[derive(Debug)]
pub(super) struct NameChange {
    pub(super) dir: Inode,
    pub(super) name: String,
    pub(super) to: Option<Inode>,
}

impl NameChange {
    fn is_about(&self, other: &NameChange) -> bool {
        self.dir == other.dir && self.name == other.name
    }
}

/// A change of one name, or of the two names of a rename, which survives whole
/// or not at all.
#[derive(Debug)]
pub(super) struct NameOperation {
    pub(super) kind: CutKind,
    pub(super) changes: Vec<NameChange>,
    /// A failed directory sync has dropped it: seen, and never durable.
    doomed: bool,
}

impl NameOperation {
    fn shares_a_name(&self, other: &NameOperation) -> bool {
        self.changes.iter().any(|mine| other.changes.iter().any(|theirs| mine.is_about(theirs)))
    }

    fn touches(&self, dir: Inode) -> bool {
        self.changes.iter().any(|change| change.dir == dir)
    }
}

/// Changes of names in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct PendingNames {
    operations: Vec<NameOperation>,
}

impl PendingNames {
    pub(super) fn push(&mut self, kind: CutKind, changes: Vec<NameChange>) {
        self.operations.push(NameOperation { kind, changes, doomed: false });
    }

    /// Takes out what a sync of `dir` makes durable, in order: its own changes,
    /// and those elsewhere that they stand on.
    pub(super) fn settle(&mut self, dir: Inode) -> Vec<NameOperation> {
        self.spread_doom();
        let mut settled: Vec<NameOperation> = Vec::new();
        // From the last to the first, so that what a rename out of another
        // directory stands on is found after the rename.
        for index in (0..self.operations.len()).rev() {
            let operation = &self.operations[index];
            let needed = operation.touches(dir)
                || settled.iter().any(|later| later.shares_a_name(operation));
            if needed && !operation.doomed {
                settled.push(self.operations.remove(index));
            }
        }
        settled.reverse();
        settled
    }

    /// A sync of `dir` fails: its changes never become durable.
    pub(super) fn doom(&mut self, dir: Inode) {
        for operation in &mut self.operations {
            operation.doomed |= operation.touches(dir);
        }
    }

    /// The power goes. Returns the survivors in order; of the changes to one
    /// name only the first few survive, never a later one without an earlier.
    pub(super) fn cut(
        &mut self,
        random: &mut Random,
        report: &mut CutReport,
    ) -> Vec<NameOperation> {
        let kindness = random.kindness();
        for operation in &mut self.operations {
            operation.doomed |= !random.chance(kindness);
        }
        self.spread_doom();
        let mut survivors = std::mem::take(&mut self.operations);
        for operation in &survivors {
            report.note(operation.kind, 1, u64::from(operation.doomed));
        }
        survivors.retain(|operation| !operation.doomed);
        survivors
    }

    /// What stands on a doomed change is doomed.
    fn spread_doom(&mut self) {
        if !self.operations.iter().any(|operation| operation.doomed) {
            return;
        }
        for index in 1..self.operations.len() {
            let (earlier, rest) = self.operations.split_at_mut(index);
            let operation = &mut rest[0];
            operation.doomed |=
                earlier.iter().any(|before| before.doomed && before.shares_a_name(operation));
        }
    }
}
