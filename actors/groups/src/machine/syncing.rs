//! SyncGroup: the leader says who gets what, and the others wait for it.

use super::desk::Desk;
use super::durability::{Then, not_written};
use super::group::{Awaits, Group};
use super::input::{Caller, Reply, Token};
use crate::mutation::Mutation;
use crate::protocol::{GroupError, GroupState, SyncGroup, Synced};
use crate::record::{Binary, Record};
use bytes::Bytes;
use std::collections::BTreeMap;

impl Group {
    pub(super) fn sync(&mut self, desk: &mut Desk, caller: Caller, sync: SyncGroup) {
        if let Err(error) = self.check_sync(&sync) {
            return desk.refuse(caller, error);
        }
        match self.state {
            GroupState::Empty | GroupState::Dead => desk.refuse(caller, GroupError::UnknownMember),
            GroupState::PreparingRebalance => desk.refuse(caller, GroupError::RebalanceInProgress),
            GroupState::CompletingRebalance if !self.generation_is_durable() => {
                desk.refuse(caller, GroupError::RebalanceInProgress);
            }
            GroupState::CompletingRebalance => self.sync_completing(desk, caller, sync),
            GroupState::Stable => {
                let now = desk.now.monotonic;
                let member = self.members.get_mut(&sync.member).expect("it was checked");
                member.synced = true;
                member.touch(now);
                desk.answer(caller, Ok(Reply::Synced(self.synced(&sync.member))));
            }
        }
    }

    fn check_sync(&mut self, sync: &SyncGroup) -> Result<(), GroupError> {
        self.check_member(&sync.member, sync.instance.as_deref())?;
        if sync.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |said: &Option<String>, is: &str| said.as_ref().is_some_and(|s| s != is);
        if differs(&sync.protocol_type, &self.protocol_type)
            || differs(&sync.protocol, &self.protocol)
        {
            return Err(GroupError::InconsistentProtocol);
        }
        Ok(())
    }

    fn sync_completing(&mut self, desk: &mut Desk, caller: Caller, sync: SyncGroup) {
        let assigned: usize = sync.assignments.iter().map(|(_, assigned)| assigned.len()).sum();
        let leads = self.is_leader(&sync.member);
        if leads && assigned > desk.settings.limits.group_bytes_max {
            return desk.refuse(caller, GroupError::Full);
        }
        let member = self.members.get_mut(&sync.member).expect("it was checked");
        member.synced = true;
        if let Some(before) = member.syncing.replace(caller) {
            desk.refuse(before, GroupError::RebalanceInProgress);
        }
        // A generation is assigned once: what comes while that is written waits for it.
        if leads && self.awaits.is_none() {
            let assignments: BTreeMap<String, Bytes> = sync.assignments.into_iter().collect();
            let record = self.assigned_record(desk, &assignments);
            let then = Then::Assign { group: self.name.clone(), assignments };
            let token = desk.write(vec![record], then);
            self.awaits = Some(Awaits::Assignment(token));
        }
    }

    /// The group as it will be. Whoever the leader has forgotten gets nothing.
    fn assigned_record(&self, desk: &Desk, assignments: &BTreeMap<String, Bytes>) -> Record {
        let mut kept = self.kept(true);
        for member in &mut kept.members {
            match assignments.get(&member.member) {
                Some(assignment) => member.assignment = Binary(assignment.clone()),
                None if desk.has(Mutation::AssignmentLeaks) => {}
                None => member.assignment = Binary::default(),
            }
        }
        Record::Group { group: self.name.clone(), kept: Some(kept) }
    }

    /// The record of an assignment is decided.
    pub(super) fn assignment_written(
        &mut self,
        desk: &mut Desk,
        token: Token,
        assignments: &BTreeMap<String, Bytes>,
        stored: bool,
    ) {
        if self.awaits != Some(Awaits::Assignment(token)) {
            return;
        }
        self.awaits = None;
        if !stored {
            self.answer_syncs(desk, |_, _| Err(not_written()));
            self.prepare_round(desk);
            return self.try_complete_round(desk);
        }
        for (id, member) in &mut self.members {
            match assignments.get(id) {
                Some(assignment) => member.assignment = assignment.clone(),
                None if desk.has(Mutation::AssignmentLeaks) => {}
                None => member.assignment = Bytes::new(),
            }
        }
        self.set_state(desk, GroupState::Stable);
        self.answer_syncs(desk, |group, id| Ok(Reply::Synced(group.synced(id))));
    }

    fn synced(&self, id: &str) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self.members.get(id).map(|m| m.assignment.clone()).unwrap_or_default(),
        }
    }
}
