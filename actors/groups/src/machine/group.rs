//! A group while it runs.

use super::desk::Desk;
use super::input::{Caller, Reply, Token};
use super::member::Member;
use super::timers::Timer;
use crate::mutation::Mutation;
use crate::protocol::{GroupError, GroupState};
use crate::record::{KeptGroup, Record};
use bytes::Bytes;
use pyralog_env::WallMillis;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) state: GroupState,
    pub(super) generation: i32,
    /// The kind of group; empty if it never had members.
    pub(super) protocol_type: String,
    /// The assignor; empty without a generation of members.
    pub(super) protocol: String,
    pub(super) leader: Option<String>,
    pub(super) members: BTreeMap<String, Member>,
    /// Static members by their instance.
    pub(super) instances: BTreeMap<String, String>,
    /// Ids that were given out and have not come back.
    pub(super) pending: BTreeSet<String>,
    pub(super) since: WallMillis,
    /// The first round of an empty group.
    pub(super) opening: Option<Opening>,
    /// The write that the group waits for.
    pub(super) awaits: Option<Awaits>,
}

/// The first round of an empty group: it waits a little for others.
#[derive(Debug)]
pub(super) struct Opening {
    /// How much longer it may wait.
    pub(super) remaining: Duration,
    /// Members came since the last look.
    pub(super) grew: bool,
}

/// What a group in `CompletingRebalance` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaits {
    /// The generation to be durable.
    Generation(Token),
    /// The assignment to be durable.
    Assignment(Token),
}

impl Group {
    pub(super) fn new(name: &str, since: WallMillis) -> Group {
        Group {
            name: name.to_owned(),
            state: GroupState::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: None,
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            pending: BTreeSet::new(),
            since,
            opening: None,
            awaits: None,
        }
    }

    pub(super) fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    /// A member that says who it is, or why it is not.
    pub(super) fn check_member(
        &mut self,
        member: &str,
        instance: Option<&str>,
    ) -> Result<&mut Member, GroupError> {
        if let Some(instance) = instance {
            let owner = self.instances.get(instance).ok_or(GroupError::UnknownMember)?;
            if owner != member {
                return Err(GroupError::FencedInstance);
            }
        }
        self.members.get_mut(member).ok_or(GroupError::UnknownMember)
    }

    /// The longest of its members'.
    pub(super) fn rebalance_timeout(&self, desk: &Desk) -> Duration {
        let as_said = desk.has(Mutation::RoundsOfNoTime) || desk.has(Mutation::TickTakesItsOwn);
        let timeout = |member: &Member| match as_said {
            true => member.rebalance_timeout,
            false => member.rebalance_timeout(),
        };
        self.members.values().map(timeout).max().unwrap_or_default()
    }

    /// True if `protocols` have one that all members support.
    pub(super) fn supports_any(&self, protocols: &[(String, Bytes)]) -> bool {
        let all = |name: &str| self.members.values().all(|member| member.supports(name));
        protocols.iter().any(|(name, _)| all(name))
    }

    /// The assignor that most members prefer among those that all support. The leader
    /// decides a tie.
    pub(super) fn elect_protocol(&self) -> String {
        let leader = self.leader.as_ref().and_then(|leader| self.members.get(leader));
        let Some(leader) = leader else { return String::new() };
        let all = |name: &str| self.members.values().all(|member| member.supports(name));
        let candidates: Vec<&str> = leader
            .protocols
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| all(name))
            .collect();
        let favourite = |member: &Member| {
            let known = |(name, _): &&(String, Bytes)| candidates.contains(&name.as_str());
            member.protocols.iter().find(known).map(|(name, _)| name.clone())
        };
        let votes: Vec<String> = self.members.values().filter_map(favourite).collect();
        let count = |name: &str| votes.iter().filter(|vote| *vote == name).count();
        // The first of the greatest: `max_by_key` takes the last.
        let elected = candidates.iter().rev().max_by_key(|name| count(name));
        elected.map(|name| (*name).to_owned()).unwrap_or_default()
    }

    /// Takes a member out, and answers what it waits for.
    pub(super) fn remove(&mut self, desk: &mut Desk, id: &str) -> Option<Member> {
        let mut member = self.members.remove(id)?;
        desk.timers.cancel(&Timer::Session(self.name.clone(), id.to_owned()));
        for caller in [member.joining.take(), member.syncing.take()].into_iter().flatten() {
            desk.refuse(caller, GroupError::UnknownMember);
        }
        if let Some(instance) = &member.instance
            && self.instances.get(instance).is_some_and(|owner| owner == id)
        {
            self.instances.remove(instance);
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        Some(member)
    }

    /// Answers those who wait for an assignment.
    pub(super) fn answer_syncs(
        &mut self,
        desk: &mut Desk,
        answer: impl Fn(&Group, &str) -> Result<Reply, GroupError>,
    ) {
        let now = desk.now.monotonic;
        let mut answered: Vec<(Caller, String)> = Vec::new();
        for (id, member) in &mut self.members {
            if let Some(caller) = member.syncing.take() {
                member.touch(now);
                answered.push((caller, id.clone()));
            }
        }
        for (caller, id) in answered {
            desk.answer(caller, answer(self, &id));
        }
    }

    /// The record of the group as it is.
    pub(super) fn record(&self, assigned: bool) -> Record {
        Record::Group { group: self.name.clone(), kept: Some(self.kept(assigned)) }
    }

    /// The group as the log keeps it.
    pub(super) fn kept(&self, assigned: bool) -> KeptGroup {
        KeptGroup {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            since_ms: self.since.0,
            assigned,
            members: self.members.iter().map(|(id, member)| member.kept(id)).collect(),
        }
    }
}
