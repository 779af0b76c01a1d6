//! What the judge knows of commits: which were acknowledged, which were refused, and
//! which may or may not have happened. Each has a note by which it is known again.

use super::super::client::GROUP;
use crate::judge::Verdict;
use pyralog_groups::{CommitOffsets, FoundOffset, OffsetToCommit};
use pyralog_model::LogNumber;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Offsets {
    /// By group and partition.
    histories: BTreeMap<(String, u32), History>,
    /// The log that a name means now, where there was one before it.
    heirs: BTreeMap<String, LogNumber>,
}

#[derive(Debug, Default)]
struct History {
    /// What is there, with its note.
    present: Option<(i64, String)>,
    /// On their way.
    asked: Vec<(i64, String)>,
    /// On their way when the coordinator crashed: any of them may be there.
    unknown: Vec<(i64, String)>,
    /// Commits that were on their way when their log was deleted: none may be seen.
    gone: Vec<(i64, String)>,
}

impl Offsets {
    pub(super) fn asked(&mut self, commit: &CommitOffsets) {
        let heirs = self.heirs.clone();
        let is_late = |offset: &OffsetToCommit| {
            heirs.get(&offset.partition.topic).is_some_and(|heir| offset.log < *heir)
        };
        let is_late = commit.offsets.iter().any(is_late);
        self.each(commit, |history, offset| {
            if is_late { &mut history.gone } else { &mut history.asked }.push(offset);
        });
    }

    pub(super) fn refused(&mut self, commit: &CommitOffsets) {
        self.each(commit, |history, offset| history.asked.retain(|asked| *asked != offset));
    }

    pub(super) fn acknowledged(&mut self, commit: &CommitOffsets) -> Verdict {
        let mut verdict = Ok(());
        self.each(commit, |history, offset| {
            if history.gone.contains(&offset) {
                return;
            }
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

    /// What was committed is nobody's any more: the log's name is another's.
    pub(super) fn log_is_gone(&mut self, group: &str, log: &str, heir: LogNumber) {
        self.heirs.insert(log.to_owned(), heir);
        for ((of, _), history) in &mut self.histories {
            if of == group {
                (history.present, history.unknown) = (None, Vec::new());
                history.gone.append(&mut history.asked);
            }
        }
    }

    /// True if the log of a commit was deleted after it had come.
    pub(super) fn is_gone(&mut self, commit: &CommitOffsets) -> bool {
        let mut is_gone = false;
        self.each(commit, |history, offset| is_gone |= history.gone.contains(&offset));
        is_gone
    }

    pub(super) fn crashed(&mut self) {
        for history in self.histories.values_mut() {
            history.unknown.append(&mut history.asked);
        }
    }

    pub(super) fn found(&mut self, group: &str, found: &[FoundOffset]) -> Verdict {
        for FoundOffset { partition, kept } in found {
            let history =
                self.histories.entry((group.to_owned(), partition.partition)).or_default();
            let found = kept.as_ref().map(|kept| (kept.offset, kept.metadata.clone()));
            history.found(found)?;
        }
        Ok(())
    }

    /// What the readers have committed.
    pub(super) fn of_readers(&self, partition: u32) -> Option<i64> {
        self.histories
            .get(&(GROUP.to_owned(), partition))?
            .present
            .as_ref()
            .map(|(offset, _)| *offset)
    }

    fn each(&mut self, commit: &CommitOffsets, mut act: impl FnMut(&mut History, (i64, String))) {
        for offset in &commit.offsets {
            let key = (commit.group.clone(), offset.partition.partition);
            let committed = (offset.committed.offset, offset.committed.metadata.clone());
            act(self.histories.entry(key).or_default(), committed);
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
