//! LeaveGroup: members that go by themselves, or that an operator takes out.

use super::Coordinator;
use super::desk::Desk;
use super::group::Group;
use super::input::{Caller, Reply};
use crate::protocol::{GroupError, LeaveGroup, Leaving};

impl Coordinator {
    pub(super) fn leave(&mut self, caller: Caller, leave: LeaveGroup) {
        let answers = match self.groups.get_mut(&leave.group) {
            Some(group) => group.leave(&mut self.desk, &leave.members),
            None => leave.members.iter().map(|_| Err(GroupError::UnknownMember)).collect(),
        };
        self.desk.answer(caller, Ok(Reply::Each(answers)));
    }
}

impl Group {
    fn leave(&mut self, desk: &mut Desk, leaving: &[Leaving]) -> Vec<Result<(), GroupError>> {
        let answers: Vec<_> = leaving.iter().map(|one| self.leave_one(desk, one)).collect();
        if answers.iter().any(Result::is_ok) {
            self.go_on_without(desk);
        }
        answers
    }

    fn leave_one(&mut self, desk: &mut Desk, leaving: &Leaving) -> Result<(), GroupError> {
        let Leaving { member, instance } = leaving;
        if instance.is_none() && self.forget_pending(desk, member) {
            return Ok(());
        }
        let id = match instance {
            // Tools name the instance alone.
            Some(instance) if member.is_empty() => {
                self.instances.get(instance).cloned().ok_or(GroupError::UnknownMember)?
            }
            instance => {
                self.check_member(member, instance.as_deref())?;
                member.clone()
            }
        };
        self.remove(desk, &id);
        Ok(())
    }
}
