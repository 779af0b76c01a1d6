//! What operators and tools ask for: lists, descriptions, deletions.

use super::Coordinator;
use super::durability::{Then, not_written};
use super::group::Group;
use super::input::{Caller, NamedLog, Reply};
use super::subscription::reads;
use crate::mutation::Mutation;
use crate::protocol::*;
use crate::record::{KeptOffset, Record};
use pyralog_model::LogNumber;
use std::collections::BTreeSet;

impl Coordinator {
    /// Those in one of these states. Others are not even copied: there may be very many.
    pub(super) fn list(&mut self, caller: Caller, states: &[GroupState]) {
        let wanted = self.groups.values().filter(|group| states.contains(&group.state));
        let mut groups = Vec::with_capacity(wanted.clone().count());
        groups.extend(wanted.map(Group::summary));
        self.desk.answer(caller, Ok(Reply::Listed(groups)));
    }

    pub(super) fn describe(&mut self, caller: Caller, name: String) {
        let description = match self.groups.get(&name) {
            Some(group) => group.description(),
            None => dead(name),
        };
        self.desk.answer(caller, Ok(Reply::Described(description)));
    }

    pub(super) fn delete(&mut self, caller: Caller, name: &str) {
        match self.groups.get(name).map(|group| group.state) {
            None => self.desk.refuse(caller, GroupError::NotFound),
            Some(GroupState::Empty) => self.erase(name, Some(caller)),
            Some(_) => self.desk.refuse(caller, GroupError::NotEmpty),
        }
    }

    /// Writes that a group is gone, with all its offsets.
    pub(super) fn erase(&mut self, name: &str, caller: Option<Caller>) {
        let mut records: Vec<Record> =
            self.offsets_of(name).into_iter().map(|partition| forgotten(name, partition)).collect();
        records.push(Record::Group { group: name.to_owned(), kept: None });
        self.desk.write(records, Then::Erase { group: name.to_owned(), caller });
    }

    /// It is forgotten here, unless somebody has joined or commits meanwhile.
    pub(super) fn erased(&mut self, name: &str, caller: Option<Caller>, stored: bool) {
        let nothing_since =
            self.kept.group(name).is_none() && self.desk.last_write_about(name).is_none();
        if nothing_since && self.groups.get(name).is_some_and(Group::is_idle) {
            self.groups.remove(name);
        }
        if let Some(caller) = caller {
            self.desk.answer(caller, if stored { Ok(Reply::Done) } else { Err(not_written()) });
        }
    }

    pub(super) fn delete_offsets(
        &mut self,
        caller: Caller,
        name: &str,
        partitions: Vec<TopicPartition>,
    ) {
        let Some(group) = self.groups.get(name) else {
            return self.desk.refuse(caller, GroupError::NotFound);
        };
        if group.state != GroupState::Empty && group.protocol_type != "consumer" {
            return self.desk.refuse(caller, GroupError::NotEmpty);
        }
        let known = self.offsets_of(name);
        let (mut answers, mut records) = (Vec::new(), Vec::new());
        for partition in partitions {
            if group.reads(&partition.topic) {
                answers.push(Err(GroupError::Subscribed));
                continue;
            }
            answers.push(Ok(()));
            if known.contains(&partition) {
                records.push(forgotten(name, partition));
            }
        }
        match records.is_empty() {
            true => self.desk.answer(caller, Ok(Reply::Each(answers))),
            false => {
                self.desk.write(records, Then::Commit { caller, answers });
            }
        }
    }

    /// Forgets what was read of logs that are gone. What is on its way may be of a later
    /// log of the name: a record that forgets would take that with it.
    pub(super) fn forget_logs(&mut self, logs: &BTreeSet<NamedLog>) {
        let logs: BTreeSet<_> =
            logs.iter().map(|(name, number)| (name.as_str(), *number)).collect();
        let mut gone = BTreeSet::new();
        let is_gone = |partition: &TopicPartition, kept: &KeptOffset| {
            logs.contains(&(partition.topic.as_str(), kept.log))
        };
        for (group, partition, kept) in self.every_offset() {
            if is_gone(partition, kept) {
                gone.insert((group, partition));
            }
        }
        for (group, partition, kept) in self.every_offset() {
            if !is_gone(partition, kept) {
                gone.remove(&(group, partition));
            }
        }
        let records = gone.into_iter();
        let records = records.map(|(group, partition)| forgotten(group, partition.clone()));
        let records: Vec<Record> = records.collect();
        if !records.is_empty() {
            self.desk.write(records, Then::Nothing);
        }
    }

    /// Logs of which there are offsets, durable or on their way.
    pub fn topics(&self) -> BTreeSet<(&str, Option<LogNumber>)> {
        let offsets = self.every_offset();
        offsets.map(|(_, partition, kept)| (partition.topic.as_str(), kept.log)).collect()
    }

    fn every_offset(&self) -> impl Iterator<Item = (&String, &TopicPartition, &KeptOffset)> {
        let kept = self.kept.groups().flat_map(|(group, entry)| {
            entry.offsets.iter().map(move |(partition, kept)| (group, partition, kept))
        });
        let coming = self.desk.on_their_way().filter_map(|record| match record {
            Record::Offset { group, partition, kept: Some(kept) } => Some((group, partition, kept)),
            _ => None,
        });
        kept.chain(coming.filter(|_| !self.desk.has(Mutation::HeirGetsOffsets)))
    }

    /// Partitions with an offset, durable or on its way.
    pub(super) fn offsets_of(&self, name: &str) -> BTreeSet<TopicPartition> {
        let mut offsets = self.desk.offsets_on_their_way(name);
        if let Some(entry) = self.kept.group(name) {
            offsets.extend(entry.offsets.keys().cloned());
        }
        offsets
    }
}

pub(super) fn forgotten(group: &str, partition: TopicPartition) -> Record {
    Record::Offset { group: group.to_owned(), partition, kept: None }
}

/// A group that is not there, as it is described.
pub(crate) fn dead(group: String) -> GroupDescription {
    let state = GroupState::Dead;
    GroupDescription {
        summary: GroupSummary { group, state, protocol_type: String::new(), members: 0 },
        generation: 0,
        protocol: String::new(),
        leader: None,
        members: Vec::new(),
    }
}

impl Group {
    /// No members and nobody who was promised a place.
    pub(super) fn is_idle(&self) -> bool {
        self.state == GroupState::Empty && self.pending.is_empty()
    }

    fn summary(&self) -> GroupSummary {
        GroupSummary {
            group: self.name.clone(),
            state: self.state,
            protocol_type: self.protocol_type.clone(),
            members: self.members.len(),
        }
    }

    fn description(&self) -> GroupDescription {
        let protocol = (self.state == GroupState::Stable).then_some(self.protocol.as_str());
        let members = self.members.iter().map(|(id, member)| member.described(id, protocol));
        GroupDescription {
            summary: self.summary(),
            generation: self.generation,
            protocol: protocol.unwrap_or_default().to_owned(),
            leader: self.leader.clone(),
            members: members.collect(),
        }
    }

    /// Whether members read a log, as far as they say so.
    fn reads(&self, log: &str) -> bool {
        let protocols = self.members.values().flat_map(|member| &member.protocols);
        protocols.into_iter().any(|(_, said)| reads(said, log))
    }
}
