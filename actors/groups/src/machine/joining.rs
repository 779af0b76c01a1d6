//! JoinGroup: new members, and members that join again.

use super::Coordinator;
use super::desk::Desk;
use super::group::Group;
use super::input::{Caller, Reply};
use super::member::{Member, said_bytes};
use super::timers::Timer;
use crate::protocol::{GroupError, GroupState, JoinGroup, Joined};
use std::time::Duration;

/// How much of a client's name goes into its member id, in bytes.
const NAME_BYTES_MAX: usize = 200;

impl Coordinator {
    pub(super) fn join(&mut self, caller: Caller, join: JoinGroup) {
        let settings = &self.desk.settings;
        let timeouts = settings.session_timeout_min..=settings.session_timeout_max;
        if !timeouts.contains(&join.session_timeout) {
            return self.desk.refuse(caller, GroupError::InvalidSessionTimeout);
        }
        if !self.has_room(&join) {
            return self.desk.refuse(caller, GroupError::Full);
        }
        if !self.groups.contains_key(&join.group) {
            if !join.member.is_empty() {
                return self.desk.refuse(caller, GroupError::UnknownMember);
            }
            // A request that will be refused leaves no group behind.
            if join.protocol_type.is_empty() || join.protocols.is_empty() {
                return self.desk.refuse(caller, GroupError::InconsistentProtocol);
            }
            if self.groups.len() >= settings.limits.groups_max {
                return self.desk.refuse(caller, GroupError::Full);
            }
        }
        let since = self.desk.now.wall;
        let new = || Group::new(&join.group, since);
        let group = self.groups.entry(join.group.clone()).or_insert_with(new);
        group.join(&mut self.desk, caller, join);
    }

    /// A new member, or one that says more than before, needs room for that.
    fn has_room(&self, join: &JoinGroup) -> bool {
        let group = self.groups.get(&join.group);
        let member = group.and_then(|group| group.members.get(&join.member));
        let before = member.map_or(0, |member| said_bytes(&member.protocols));
        let grows = join.member.is_empty() || said_bytes(&join.protocols) > before;
        !grows || self.kept.bytes() < self.desk.settings.limits.state_bytes_max
    }
}

impl Group {
    fn join(&mut self, desk: &mut Desk, caller: Caller, join: JoinGroup) {
        if let Err(error) = self.check_join(desk, &join) {
            return desk.refuse(caller, error);
        }
        if join.member.is_empty() {
            self.join_new(desk, caller, join);
        } else if self.pending.remove(&join.member) {
            desk.timers.cancel(&Timer::Pending(self.name.clone(), join.member.clone()));
            let id = join.member.clone();
            self.add(desk, caller, id, join, true);
        } else {
            self.join_again(desk, caller, join);
        }
        self.try_complete_round(desk);
    }

    fn check_join(&mut self, desk: &mut Desk, join: &JoinGroup) -> Result<(), GroupError> {
        let limits = &desk.settings.limits;
        let (known, said) = (self.members.contains_key(&join.member), said_bytes(&join.protocols));
        let is_empty = self.members.is_empty();
        if join.protocols.is_empty()
            || join.protocol_type.is_empty()
            || (!is_empty && join.protocol_type != self.protocol_type)
            || !self.supports_any(&join.protocols)
        {
            return Err(GroupError::InconsistentProtocol);
        }
        let others = self.members.iter().filter(|(id, _)| **id != join.member);
        let others: usize = others.map(|(_, member)| said_bytes(&member.protocols)).sum();
        let waits = self.members.len() + self.pending.len();
        let waits = waits - usize::from(self.pending.contains(&join.member));
        if said > limits.member_bytes_max
            || others + said > limits.group_bytes_max
            || (!known && self.replaced(join).is_none() && waits >= limits.members_max)
        {
            // Whoever was promised a place gives it back.
            self.forget_pending(desk, &join.member);
            return Err(GroupError::Full);
        }
        Ok(())
    }

    /// The member whose instance a new one takes over.
    fn replaced(&self, join: &JoinGroup) -> Option<&String> {
        let instance = join.instance.as_ref().filter(|_| join.member.is_empty())?;
        self.instances.get(instance)
    }

    fn join_new(&mut self, desk: &mut Desk, caller: Caller, join: JoinGroup) {
        let id = member_id(desk, &join);
        if let Some(replaced) = self.replaced(&join).cloned() {
            self.take_over(desk, caller, &replaced, id, join);
        } else if join.instance.is_none() && join.requires_known_member {
            self.pending.insert(id.clone());
            desk.set_timer(Timer::Pending(self.name.clone(), id.clone()), join.session_timeout);
            desk.refuse(caller, GroupError::MemberIdRequired(id));
        } else {
            self.add(desk, caller, id, join, false);
        }
    }

    fn join_again(&mut self, desk: &mut Desk, caller: Caller, join: JoinGroup) {
        let leads = self.is_leader(&join.member);
        let (state, now) = (self.state, desk.now.monotonic);
        let member = match self.check_member(&join.member, join.instance.as_deref()) {
            Ok(member) => member,
            Err(error) => return desk.refuse(caller, error),
        };
        member.touch(now);
        let same = member.protocols == join.protocols;
        match state {
            // It did not get the answer to its last one, perhaps.
            GroupState::CompletingRebalance if same => self.repeat(desk, caller, &join.member),
            GroupState::Stable if same && !leads => self.repeat(desk, caller, &join.member),
            GroupState::Empty | GroupState::Dead => desk.refuse(caller, GroupError::UnknownMember),
            GroupState::PreparingRebalance
            | GroupState::CompletingRebalance
            | GroupState::Stable => {
                let id = join.member.clone();
                member.update(join);
                self.wait_to_join(desk, caller, &id);
                self.prepare_round(desk);
            }
        }
    }

    /// Answers with the present generation; after it is durable, if it is not yet.
    fn repeat(&mut self, desk: &mut Desk, caller: Caller, id: &str) {
        if self.generation_is_durable() {
            let joined = self.joined(id);
            desk.answer(caller, Ok(Reply::Joined(joined)));
        } else {
            self.wait_to_join(desk, caller, id);
        }
    }

    /// Puts a new member in.
    fn add(&mut self, desk: &mut Desk, caller: Caller, id: String, join: JoinGroup, told: bool) {
        if self.members.is_empty() {
            self.protocol_type = join.protocol_type.clone();
        }
        if let Some(instance) = &join.instance {
            self.instances.insert(instance.clone(), id.clone());
        }
        if let Some(opening) = &mut self.opening {
            opening.grew = true;
        }
        self.leader.get_or_insert_with(|| id.clone());
        let patience = desk.settings.new_member_patience;
        let mut member = Member::new(join, told);
        member.alive_until = desk.now.monotonic + patience;
        desk.set_timer(Timer::Session(self.name.clone(), id.clone()), patience);
        self.members.insert(id.clone(), member);
        self.wait_to_join(desk, caller, &id);
        self.prepare_round(desk);
    }

    /// Lets a member wait for the round. If it waits already it has asked twice, and
    /// only the later question still has somebody behind it.
    pub(super) fn wait_to_join(&mut self, desk: &mut Desk, caller: Caller, id: &str) {
        let member = self.members.get_mut(id).expect("it was found or put in");
        if let Some(before) = member.joining.replace(caller) {
            desk.refuse(before, GroupError::RebalanceInProgress);
        }
    }

    /// What a member is told of the present generation.
    pub(super) fn joined(&self, id: &str) -> Joined {
        let everybody = || self.members.iter().map(|(id, m)| m.joined(id, &self.protocol));
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            member: id.to_owned(),
            members: if self.is_leader(id) { everybody().collect() } else { Vec::new() },
            skip_assignment: false,
        }
    }

    pub(super) fn forget_pending(&mut self, desk: &mut Desk, id: &str) -> bool {
        desk.timers.cancel(&Timer::Pending(self.name.clone(), id.to_owned()));
        self.pending.remove(id)
    }

    /// From now on the member has its session's time, not that of a new one.
    pub(super) fn begin_session(&mut self, desk: &mut Desk, id: &str) {
        let Some(member) = self.members.get_mut(id) else { return };
        let session: Duration = member.session_timeout;
        member.told = true;
        member.alive_until = desk.now.monotonic + session;
        desk.set_timer(Timer::Session(self.name.clone(), id.to_owned()), session);
    }
}

/// A new id: the client's name, for people, and chance.
fn member_id(desk: &Desk, join: &JoinGroup) -> String {
    let name = join.instance.as_ref().unwrap_or(&join.client_id);
    let end = name.floor_char_boundary(NAME_BYTES_MAX);
    format!("{}-{:032x}", &name[..end], desk.entropy.next_u128())
}
