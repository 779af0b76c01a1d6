//! OffsetCommit and OffsetFetch.
//!
//! A commit is taken or refused by the generation that stands when it comes, and is
//! shown when it is durable, in the order in which commits came. A fetch waits for the
//! commits before it: what it shows is never overtaken by one that was sent earlier, so
//! whoever goes on from there does not go back.

use super::Coordinator;
use super::desk::Desk;
use super::durability::Then;
use super::group::Group;
use super::input::{Caller, FoundOffset, Reply, Token};
use crate::kept::{KeptEntry, offset_bytes};
use crate::mutation::Mutation;
use crate::protocol::*;
use crate::record::{KeptOffset, Record};
use std::collections::{BTreeSet, VecDeque};

impl Coordinator {
    pub(super) fn commit(&mut self, caller: Caller, commit: CommitOffsets) {
        if let Err(error) = self.check_commit(&commit) {
            return self.desk.refuse(caller, error);
        }
        let mut room = self.room(&commit.group, &commit.offsets);
        let (at_ms, group) = (self.desk.now.wall.0, &commit.group);
        let metadata_max = self.desk.settings.limits.offset_metadata_bytes_max;
        let (mut records, mut answers) = (Vec::new(), Vec::with_capacity(commit.offsets.len()));
        for OffsetToCommit { partition, log, committed } in commit.offsets {
            answers.push(if committed.metadata.len() > metadata_max {
                Err(GroupError::MetadataTooLarge)
            } else if !room.takes(&partition, &committed) {
                Err(GroupError::Full)
            } else {
                let mut kept = KeptOffset::new(committed, at_ms, log);
                if self.desk.has(Mutation::HeirGetsOffsets) {
                    kept.log = None;
                }
                let kept = Some(kept);
                records.push(Record::Offset { group: group.clone(), partition, kept });
                Ok(())
            });
        }
        if records.is_empty() {
            return self.desk.answer(caller, Ok(Reply::Each(answers)));
        }
        if self.desk.has(Mutation::AnswerBeforeDurable) {
            self.desk.answer(caller, Ok(Reply::Each(answers)));
            self.desk.write(records, Then::Nothing);
            return;
        }
        self.desk.write(records, Then::Commit { caller, answers });
    }

    fn check_commit(&mut self, commit: &CommitOffsets) -> Result<(), GroupError> {
        if let Some(group) = self.groups.get_mut(&commit.group) {
            return group.check_commit(&self.desk, commit);
        }
        // The group was lost, or never was: whoever has a generation joins again.
        if commit.generation >= 0 {
            return Err(GroupError::IllegalGeneration);
        }
        if !commit.member.is_empty() || commit.instance.is_some() {
            return Err(GroupError::UnknownMember);
        }
        if self.groups.len() >= self.desk.settings.limits.groups_max {
            return Err(GroupError::Full);
        }
        let group = Group::new(&commit.group, self.desk.now.wall);
        self.groups.insert(commit.group.clone(), group);
        Ok(())
    }

    pub(super) fn fetch(&mut self, caller: Caller, fetch: FetchOffsets) {
        let last = self.desk.last_write_about(&fetch.group);
        match last.filter(|_| !self.desk.has(Mutation::FetchShowsUndurable)) {
            Some(token) => self.fetches.push_back((token, caller, fetch)),
            None => self.answer_fetch(caller, fetch),
        }
    }

    /// Answers those who waited for this write.
    pub(super) fn answer_fetches(&mut self, decided: Token) {
        let (ready, waiting): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.fetches)
            .into_iter()
            .partition(|(token, _, _)| *token <= decided);
        self.fetches = waiting;
        for (_, caller, fetch) in ready {
            self.answer_fetch(caller, fetch);
        }
    }

    fn answer_fetch(&mut self, caller: Caller, fetch: FetchOffsets) {
        let entry = self.kept.group(&fetch.group);
        let kept = |partition: &TopicPartition| {
            if self.desk.has(Mutation::FetchShowsUndurable)
                && let Some(kept) = self.desk.undecided(&fetch.group, partition)
            {
                return Some(kept.clone());
            }
            entry?.offsets.get(partition).cloned()
        };
        let partitions = fetch.partitions.unwrap_or_else(|| {
            entry.map(|entry| entry.offsets.keys().cloned().collect()).unwrap_or_default()
        });
        let found = partitions.into_iter().map(|partition| {
            let kept = kept(&partition);
            FoundOffset { partition, kept }
        });
        let found = found.collect();
        self.desk.answer(caller, Ok(Reply::Fetched(found)));
    }

    /// What still fits into a group.
    fn room<'a>(&'a self, group: &str, offsets: &[OffsetToCommit]) -> Room<'a> {
        let limits = &self.desk.settings.limits;
        let bytes = limits.state_bytes_max.saturating_sub(self.kept.bytes());
        let most = limits.offsets_max;
        let entry = self.kept.group(group);
        let kept = entry.map_or(0, |entry| entry.offsets.len());
        // What is on its way is looked through only when it could matter.
        let near = kept + offsets.len() + self.desk.records_on_their_way > most;
        let added = if near { self.desk.offsets_on_their_way(group) } else { BTreeSet::new() };
        let unbounded = self.desk.has(Mutation::OffsetsGrow);
        Room { entry, added, most, bytes, unbounded }
    }
}

struct Room<'a> {
    entry: Option<&'a KeptEntry>,
    added: BTreeSet<TopicPartition>,
    most: usize,
    /// By so much all groups together may grow. What is on its way is not counted: that
    /// is held by the queue's own bound.
    bytes: usize,
    /// The bug that whatever is there may grow.
    unbounded: bool,
}

impl Room<'_> {
    /// True if it fits. An offset that is there may always be replaced by one that takes
    /// no more.
    fn takes(&mut self, partition: &TopicPartition, committed: &CommittedOffset) -> bool {
        let there = self.entry.and_then(|entry| entry.offsets.get(partition));
        let before = there.map_or(0, |there| offset_bytes(partition, &there.metadata));
        let growth = offset_bytes(partition, &committed.metadata).saturating_sub(before);
        if growth > self.bytes && !(self.unbounded && there.is_some()) {
            return false;
        }
        if there.is_none() {
            let kept = self.entry.map_or(0, |entry| entry.offsets.len());
            if kept + self.added.len() >= self.most && !self.added.contains(partition) {
                return false;
            }
            self.added.insert(partition.clone());
        }
        self.bytes = self.bytes.saturating_sub(growth);
        true
    }
}

impl Desk {
    /// Partitions of a group for which an offset is being written.
    pub(super) fn offsets_on_their_way(&self, wanted: &str) -> BTreeSet<TopicPartition> {
        let partitions = self.on_their_way().filter_map(|record| match record {
            Record::Offset { group, partition, kept: Some(_) } if group == wanted => {
                Some(partition)
            }
            _ => None,
        });
        partitions.cloned().collect()
    }

    fn undecided(&self, wanted: &str, of: &TopicPartition) -> Option<&KeptOffset> {
        self.on_their_way().rev().find_map(|record| match record {
            Record::Offset { group, partition, kept } if group == wanted && partition == of => {
                kept.as_ref()
            }
            _ => None,
        })
    }
}

impl Group {
    fn check_commit(&mut self, desk: &Desk, commit: &CommitOffsets) -> Result<(), GroupError> {
        let (state, generation) = (self.state, self.generation);
        let is_empty = state == GroupState::Empty;
        let names_one = !commit.member.is_empty() || commit.instance.is_some();
        if commit.generation < 0 && is_empty {
            return Ok(());
        }
        if commit.generation < 0 && !names_one {
            // It manages its partitions itself, and others are at them.
            return Err(GroupError::UnknownMember);
        }
        let member = match self.check_member(&commit.member, commit.instance.as_deref()) {
            Err(GroupError::UnknownMember) if desk.has(Mutation::EvictedMemberCommits) => {
                return Ok(());
            }
            Err(GroupError::FencedInstance) if desk.has(Mutation::OldInstanceGoesOn) => {
                return Ok(());
            }
            member => member?,
        };
        if commit.generation != generation && !desk.has(Mutation::OldGenerationCommits) {
            return Err(GroupError::IllegalGeneration);
        }
        member.touch(desk.now.monotonic);
        match state {
            GroupState::Stable | GroupState::PreparingRebalance => Ok(()),
            GroupState::CompletingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::Empty | GroupState::Dead => Err(GroupError::UnknownMember),
        }
    }
}
