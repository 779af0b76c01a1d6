//! Static members: a client that comes back under its `group.instance.id` takes the
//! place of the one before, which is shut out from then on. In a stable group nobody
//! else notices.

use super::desk::Desk;
use super::durability::Then;
use super::group::Group;
use super::input::{Caller, Reply};
use super::timers::Timer;
use crate::protocol::{GroupError, GroupState, JoinGroup, Joined};

/// A static member that came back into a stable group.
#[derive(Debug)]
pub(super) struct Return {
    pub(super) member: String,
    pub(super) caller: Caller,
    /// Who led before: told to a client that cannot skip the assignment, so that it
    /// does not take itself for the leader.
    pub(super) leader_before: String,
    pub(super) can_skip: bool,
}

impl Group {
    pub(super) fn take_over(
        &mut self,
        desk: &mut Desk,
        caller: Caller,
        old: &str,
        new: String,
        join: JoinGroup,
    ) {
        let leader_before = self.leader.clone().unwrap_or_default();
        let can_skip = join.supports_skipping_assignment;
        self.rename(desk, old, &new, join);
        self.wait_to_join(desk, caller, &new);
        match self.state {
            GroupState::Stable if self.elect_protocol() == self.protocol => {
                let come_back = Return { member: new, caller, leader_before, can_skip };
                let then = Then::Readmit { group: self.name.clone(), come_back };
                desk.write(vec![self.record(true)], then);
            }
            // The leader may have been told of the old id: it must be told of the new one.
            GroupState::Stable | GroupState::CompletingRebalance => self.prepare_round(desk),
            GroupState::PreparingRebalance | GroupState::Empty | GroupState::Dead => {}
        }
    }

    /// Gives a member another id; whoever waits under the old one is told.
    fn rename(&mut self, desk: &mut Desk, old: &str, new: &str, join: JoinGroup) {
        let mut member = self.members.remove(old).expect("an instance names a member");
        for caller in [member.joining.take(), member.syncing.take()].into_iter().flatten() {
            desk.refuse(caller, GroupError::FencedInstance);
        }
        desk.timers.cancel(&Timer::Session(self.name.clone(), old.to_owned()));
        if let Some(instance) = join.instance.clone() {
            self.instances.insert(instance, new.to_owned());
        }
        if self.is_leader(old) {
            self.leader = Some(new.to_owned());
        }
        member.update(join);
        self.members.insert(new.to_owned(), member);
        self.begin_session(desk, new);
    }

    /// Its new id is durable. If a rebalance has begun meanwhile it waits for that.
    pub(super) fn readmit(&mut self, desk: &mut Desk, come_back: Return, stored: bool) {
        let Return { member: id, caller, leader_before, can_skip } = come_back;
        let is_stable = self.state == GroupState::Stable;
        let Some(member) = self.members.get_mut(&id) else { return };
        if !is_stable || member.joining != Some(caller) {
            return;
        }
        member.joining = None;
        self.begin_session(desk, &id);
        if !stored {
            return desk.refuse(caller, super::durability::not_written());
        }
        let joined = self.joined(&id);
        let joined = match can_skip {
            true => Joined { skip_assignment: self.is_leader(&id), ..joined },
            false => Joined { members: Vec::new(), leader: leader_before, ..joined },
        };
        desk.answer(caller, Ok(Reply::Joined(joined)));
    }
}
