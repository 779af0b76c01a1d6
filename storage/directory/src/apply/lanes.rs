//! Leases of lanes. Only the present start of a node has one.

use crate::directory::Directory;
use crate::entry::LaneEntry;
use crate::error::DirectoryError;
use crate::lanes::TERM_MS_MAX;
use crate::mutation::Mutation;
use pyralog_model::{Incarnation, Lane, LogicalClock, NodeNumber};
use std::sync::Arc;

type Holder = (NodeNumber, Incarnation);

/// What a lease is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub(super) floor: LogicalClock,
    pub(super) now: LogicalClock,
    pub(super) term_ms: u32,
}

impl Wish {
    /// Where a new lease would begin.
    fn start(self, clock: LogicalClock) -> LogicalClock {
        self.now.max(clock).max(self.floor)
    }
}

impl Directory {
    pub(super) fn check_lease(&self, holder: Holder, wish: Wish) -> Result<(), DirectoryError> {
        if !self.is_present(holder) {
            return Err(DirectoryError::NotThePresentStart);
        }
        if !(1..=TERM_MS_MAX).contains(&wish.term_ms) {
            return Err(DirectoryError::Term { asked: wish.term_ms, most: TERM_MS_MAX });
        }
        let start = wish.start(self.lanes.clock);
        let free = self.lanes.held_by(holder).is_some() || self.lanes.free_at(start).is_some();
        if !free || start >= LogicalClock::MAX {
            let free_in_ms = self.lanes.free_in_ms(start);
            return Err(DirectoryError::LanesExhausted { lanes: Lane::COUNT, free_in_ms });
        }
        Ok(())
    }

    fn is_present(&self, (node, incarnation): Holder) -> bool {
        // 0 is nobody's start, and that of nodes which only registered.
        incarnation.0 != 0
            && self.nodes().any(|member| {
                let named = member.number == node;
                let obelisk = node == Directory::OBELISKS && member.roles.obelisk;
                member.incarnation == incarnation && (named || obelisk)
            })
    }

    pub(super) fn lease(&mut self, holder: Holder, wish: Wish) -> LaneEntry {
        let planted = self.planted;
        let lanes = Arc::make_mut(&mut self.lanes);
        let start = wish.start(lanes.clock);
        lanes.clock = lanes.clock.max(wish.now);
        let term = u64::from(wish.term_ms);
        let entry = match lanes.held_by(holder).copied() {
            // Prolonged by the grantor's clock alone: whoever runs ahead of it
            // does not get further ahead by asking. But always by a little, since
            // its end is what tells one grant from the next.
            Some(held) => LaneEntry { to: held.to.plus(1).max(lanes.clock.plus_ms(term)), ..held },
            None => {
                let free = match planted.is(Mutation::LaneReissued) {
                    true => lanes.leased.keys().next().copied(),
                    false => None,
                };
                let free = free.or_else(|| lanes.free_at(start));
                let lane = free.expect("the check has found a free lane");
                let from = match planted.is(Mutation::LaneReissued) {
                    true => start,
                    false => start.max(lanes.end_of(lane)),
                };
                LaneEntry { lane, holder: Some(holder), from, to: start.plus_ms(term) }
            }
        };
        lanes.leased.insert(entry.lane, entry);
        entry
    }

    pub(super) fn check_release(
        &self,
        holder: Holder,
        lane: Lane,
        granted_to: LogicalClock,
        used_to: LogicalClock,
    ) -> Result<(), DirectoryError> {
        let held = self.lanes.leased.get(&lane).filter(|entry| entry.holder == Some(holder));
        let held = held.ok_or(DirectoryError::LaneNotHeld(lane))?;
        if held.to != granted_to {
            return Err(DirectoryError::LaneGrantOld(lane));
        }
        match (held.from..=held.to).contains(&used_to) {
            true => Ok(()),
            false => Err(DirectoryError::LaneUse(lane)),
        }
    }

    pub(super) fn release(&mut self, lane: Lane, used_to: LogicalClock) {
        if let Some(entry) = Arc::make_mut(&mut self.lanes).leased.get_mut(&lane) {
            (entry.holder, entry.to) = (None, used_to);
        }
    }
}
