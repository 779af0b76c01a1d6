//! What the judge knows of commits: which were acknowledged, which were refused, and
//! which may or may not have happened. Each has a note by which it is known again.

use super::super::client::GROUP;
use crate::judge::Verdict;
use pyralog_groups::{CommitOffsets, PartitionOffset};
use std::collections::BTreeMap;

/// By group and partition.
#[derive(Debug, Default)]
pub(super) struct Offsets(BTreeMap<(String, u32), History>);

#[derive(Debug, Default)]
struct History {
    /// What is there, with its note.
    present: Option<(i64, String)>,
    /// On their way.
    asked: Vec<(i64, String)>,
    /// On their way when the coordinator crashed: any of them may be there.
    unknown: Vec<(i64, String)>,
}

impl Offsets {
    pub(super) fn asked(&mut self, commit: &CommitOffsets) {
        self.each(commit, |history, offset| history.asked.push(offset));
    }

    pub(super) fn refused(&mut self, commit: &CommitOffsets) {
        self.each(commit, |history, offset| history.asked.retain(|asked| *asked != offset));
    }

    pub(super) fn acknowledged(&mut self, commit: &CommitOffsets) -> Verdict {
        let mut verdict = Ok(());
        self.each(commit, |history, offset| {
            history.asked.retain(|asked| *asked != offset);
            // What was unknown lies before it.
            history.unknown.clear();
            if let Some((before, _)) = history.present.replace(offset.clone())
                && before > offset.0
            {
                verdict = Err(format!("OFFSET: {before} went back to {}", offset.0));
            }
        });
        verdict
    }

    pub(super) fn crashed(&mut self) {
        for history in self.0.values_mut() {
            history.unknown.append(&mut history.asked);
        }
    }

    pub(super) fn found(&mut self, group: &str, found: &[PartitionOffset]) -> Verdict {
        for PartitionOffset { partition, committed } in found {
            let history = self.0.entry((group.to_owned(), partition.partition)).or_default();
            let found = committed.as_ref().map(|c| (c.offset, c.metadata.clone()));
            history.found(found)?;
        }
        Ok(())
    }

    /// What the readers have committed.
    pub(super) fn of_readers(&self, partition: u32) -> Option<i64> {
        self.0.get(&(GROUP.to_owned(), partition))?.present.as_ref().map(|(offset, _)| *offset)
    }

    fn each(&mut self, commit: &CommitOffsets, mut act: impl FnMut(&mut History, (i64, String))) {
        for offset in &commit.offsets {
            let key = (commit.group.clone(), offset.partition.partition);
            let committed = (offset.committed.offset, offset.committed.metadata.clone());
            act(self.0.entry(key).or_default(), committed);
        }
    }
}

impl History {
    fn found(&mut self, found: Option<(i64, String)>) -> Verdict {
        if found == self.present {
            return Ok(());
        }
        if let Some(found) = &found
            && self.asked.contains(found)
        {
            return Err(format!("OFFSET: {found:?} is shown and not yet durable"));
        }
        let Some(at) = self.unknown.iter().position(|unknown| Some(unknown) == found.as_ref())
        else {
            return Err(format!("OFFSET: {found:?} is shown and not {:?}", self.present));
        };
        // What was asked before it was overwritten by it, or never was.
        self.present = Some(self.unknown.remove(at));
        self.unknown.drain(..at);
        Ok(())
    }
}
