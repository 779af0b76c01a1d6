//! Rounds of joining: how they begin, how long they wait, and what they end with.

use super::desk::Desk;
use super::durability::{Then, not_written};
use super::group::{Awaits, Group, Opening};
use super::input::{Reply, Token};
use super::timers::Timer;
use crate::mutation::Mutation;
use crate::protocol::{GroupError, GroupState};
use bytes::Bytes;
use std::time::Duration;

impl Group {
    /// Begins a round, unless one is on.
    pub(super) fn prepare_round(&mut self, desk: &mut Desk) {
        if self.state == GroupState::PreparingRebalance {
            return;
        }
        self.answer_syncs(desk, |_, _| Err(GroupError::RebalanceInProgress));
        let was_empty = self.state == GroupState::Empty;
        desk.timers.cancel(&Timer::Sync(self.name.clone()));
        (self.awaits, self.opening) = (None, None);
        self.set_state(desk, GroupState::PreparingRebalance);
        let (delay, most) = (desk.settings.initial_rebalance_delay, self.rebalance_timeout(desk));
        if was_empty && !delay.is_zero() {
            self.opening = Some(Opening { remaining: most.saturating_sub(delay), grew: false });
            desk.set_timer(Timer::Round(self.name.clone()), delay);
        } else {
            desk.set_timer(Timer::Round(self.name.clone()), most);
        }
    }

    /// Ends the round if nobody is missing.
    pub(super) fn try_complete_round(&mut self, desk: &mut Desk) {
        let all_here = || self.members.values().all(|member| member.joining.is_some());
        if self.state == GroupState::PreparingRebalance
            && self.opening.is_none()
            && self.pending.is_empty()
            && all_here()
        {
            self.complete_round(desk);
        }
    }

    /// The time of a round is up.
    pub(super) fn round_is_over(&mut self, desk: &mut Desk) {
        if self.state != GroupState::PreparingRebalance {
            return;
        }
        if let Some(opening) = &mut self.opening
            && opening.grew
            && !opening.remaining.is_zero()
        {
            let delay = desk.settings.initial_rebalance_delay.min(opening.remaining);
            opening.remaining -= delay;
            opening.grew = false;
            return desk.set_timer(Timer::Round(self.name.clone()), delay);
        }
        if desk.has(Mutation::RoundNeverEnds) {
            self.opening = None;
            return self.try_complete_round(desk);
        }
        self.complete_round(desk);
    }

    /// Puts out who did not join again. A static member may still come: its session
    /// decides.
    fn complete_round(&mut self, desk: &mut Desk) {
        self.opening = None;
        let missing =
            |(_, m): &(&String, &super::member::Member)| m.joining.is_none() && !m.is_static();
        let missing: Vec<String> =
            self.members.iter().filter(missing).map(|(id, _)| id.clone()).collect();
        for id in missing {
            self.remove(desk, &id);
        }
        if !self.elect_leader_who_is_here() && !self.members.is_empty() {
            // Only static members are left, and none of them is here.
            return desk.set_timer(Timer::Round(self.name.clone()), self.rebalance_timeout(desk));
        }
        desk.timers.cancel(&Timer::Round(self.name.clone()));
        self.generation += 1;
        match self.members.is_empty() {
            true => self.become_empty(desk),
            false => self.begin_generation(desk),
        }
    }

    fn become_empty(&mut self, desk: &mut Desk) {
        self.protocol.clear();
        self.leader = None;
        self.set_state(desk, GroupState::Empty);
        desk.write(vec![self.record(false)], Then::Nothing);
    }

    fn begin_generation(&mut self, desk: &mut Desk) {
        self.protocol = self.elect_protocol();
        self.set_state(desk, GroupState::CompletingRebalance);
        for member in self.members.values_mut() {
            member.synced = false;
            if !desk.has(Mutation::AssignmentLeaks) {
                member.assignment = Bytes::new();
            }
        }
        let then = Then::Announce { group: self.name.clone() };
        if desk.has(Mutation::GenerationNotKept) {
            return self.announce(desk, true);
        }
        let token = desk.write(vec![self.record(false)], then);
        self.awaits = Some(Awaits::Generation(token));
    }

    pub(super) fn generation_is_durable(&self) -> bool {
        !matches!(self.awaits, Some(Awaits::Generation(_)))
    }

    /// The record of a generation is decided.
    pub(super) fn generation_written(&mut self, desk: &mut Desk, token: Token, stored: bool) {
        if self.awaits == Some(Awaits::Generation(token)) {
            self.awaits = None;
            self.announce(desk, stored);
        }
    }

    fn announce(&mut self, desk: &mut Desk, stored: bool) {
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in &ids {
            let member = self.members.get_mut(id).expect("just listed");
            let Some(caller) = member.joining.take() else { continue };
            if stored {
                self.begin_session(desk, id);
                desk.answer(caller, Ok(Reply::Joined(self.joined(id))));
            } else {
                desk.refuse(caller, not_written());
            }
        }
        if stored {
            return desk.set_timer(Timer::Sync(self.name.clone()), self.rebalance_timeout(desk));
        }
        self.put_out_untold(desk);
        self.prepare_round(desk);
        self.try_complete_round(desk);
    }

    /// A client that was refused before it knew its id comes back as somebody else.
    fn put_out_untold(&mut self, desk: &mut Desk) {
        let untold = self.members.iter().filter(|(_, m)| !m.told && !m.is_static());
        let untold: Vec<String> = untold.map(|(id, _)| id.clone()).collect();
        for id in untold {
            self.remove(desk, &id);
        }
    }

    /// True if the leader waits in this round, or another member that does is leader
    /// now. Nobody leads a group without members.
    fn elect_leader_who_is_here(&mut self) -> bool {
        let is_here = |id: &String| self.members.get(id).is_some_and(|m| m.joining.is_some());
        if self.leader.as_ref().is_some_and(is_here) {
            return true;
        }
        let here = self.members.iter().find(|(_, member)| member.joining.is_some());
        let Some((id, _)) = here else { return false };
        self.leader = Some(id.clone());
        true
    }

    pub(super) fn set_state(&mut self, desk: &Desk, state: GroupState) {
        self.state = state;
        self.since = desk.now.wall;
    }

    /// Members are gone: those who stay share what they had.
    pub(super) fn go_on_without(&mut self, desk: &mut Desk) {
        if matches!(self.state, GroupState::Stable | GroupState::CompletingRebalance) {
            self.prepare_round(desk);
        }
        self.try_complete_round(desk);
    }

    /// The time in which all should have asked for their assignment is up.
    pub(super) fn syncs_are_over(&mut self, desk: &mut Desk) {
        let late = self.members.iter().filter(|(_, member)| !member.synced);
        let late: Vec<String> = late.map(|(id, _)| id.clone()).collect();
        let expects = matches!(self.state, GroupState::Stable | GroupState::CompletingRebalance);
        if late.is_empty() || !expects {
            return;
        }
        for id in late {
            self.remove(desk, &id);
        }
        self.go_on_without(desk);
    }

    /// How long a loaded group may take to go on.
    pub(super) fn await_syncs(&self, desk: &mut Desk, patience: Duration) {
        desk.set_timer(Timer::Sync(self.name.clone()), patience);
    }
}
