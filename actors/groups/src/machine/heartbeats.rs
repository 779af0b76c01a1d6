//! Heartbeat: a member is there, and learns whether it should join again.

use super::desk::Desk;
use super::group::Group;
use crate::protocol::{GroupError, GroupState, Heartbeat};

impl Group {
    pub(super) fn heartbeat(&mut self, desk: &Desk, beat: &Heartbeat) -> Result<(), GroupError> {
        let (state, generation) = (self.state, self.generation);
        let member = self.check_member(&beat.member, beat.instance.as_deref())?;
        if beat.generation != generation {
            return Err(GroupError::IllegalGeneration);
        }
        member.touch(desk.now.monotonic);
        match state {
            GroupState::Stable | GroupState::CompletingRebalance => Ok(()),
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::Empty | GroupState::Dead => Err(GroupError::UnknownMember),
        }
    }
}
