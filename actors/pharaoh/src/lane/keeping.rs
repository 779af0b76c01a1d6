//! What keeps a lane usable: a lease from the directory, extended at half of its
//! term, and a local bound that is durable before ids below it are issued. Pure.
//!
//! ```text
//!            from                    to           to + term
//!   lease     ├───────────────────────┼─ ─ ─ ─ ─ ─ ─ ─┤    extended at half
//!   bound     ├────────┤                                    2 s ahead of the ids
//!   ids       ├────┤
//! ```
//!
//! The lease makes ids unique among nodes, the bound makes them increase over
//! the restarts of this one. Times are rounded up to whole milliseconds where one
//! lane may follow another: within a millisecond the lane decides which of two
//! ids is greater.

use crate::protocol::LaneGrant;
use pyralog_env::Monotonic;
use pyralog_model::{Incarnation, LogicalClock, NodeNumber};
use std::time::Duration;

/// How far ahead of the ids the bound is raised.
const AHEAD_MS: u64 = 2_000;
/// The waits between attempts to get a lease.
const WAIT_FIRST: Duration = Duration::from_millis(50);
const WAIT_MAX: Duration = Duration::from_secs(1);
/// The shortest wait before an extension, for terms that are shorter than sense.
const EXTEND_MIN: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepingInput {
    /// The node is a member; it may have been told before.
    Joined { node: NodeNumber, incarnation: Incarnation },
    /// The lease was granted.
    Granted(LaneGrant),
    /// No Obelisk answers, or no lane is free.
    NotGranted,
    /// A later start of this node has taken over: never again.
    Fenced,
    /// Ids are asked for, of which the latest is at this time or a little before.
    Wanted { latest: LogicalClock },
    /// The bound of the last `Raise` is durable.
    Raised,
    /// It is not: there is no room.
    NotRaised,
    /// It is not, and the disk is not to be trusted any more.
    RaiseFailed,
    /// Time has passed.
    Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepingEffect {
    /// Ask the directory.
    Lease { node: NodeNumber, incarnation: Incarnation, floor: LogicalClock },
    /// Ids may be taken from this lane, and from the floor on.
    Use { grant: LaneGrant, floor: LogicalClock },
    /// Make this bound durable.
    Raise(LogicalClock),
    /// Ids below it may be issued now.
    SetDurable(LogicalClock),
    /// A raise failed for now: nobody need wait for it.
    Stalled,
    /// No id may be issued any more.
    Close,
}

/// What is known about the lane, by its actor.
#[derive(Debug)]
pub(crate) struct Keeping {
    member: Option<(NodeNumber, Incarnation)>,
    bound: LogicalClock,
    raising: Option<LogicalClock>,
    leasing: bool,
    lease_at: Option<Monotonic>,
    wait: Duration,
    closed: bool,
}

impl Keeping {
    /// `bound` is what the local file holds.
    pub(crate) fn new(bound: LogicalClock) -> Keeping {
        Keeping {
            member: None,
            bound: whole_ms(bound),
            raising: None,
            leasing: false,
            lease_at: None,
            wait: WAIT_FIRST,
            closed: false,
        }
    }

    /// When a `Tick` is due, if ever.
    pub(crate) fn wake_at(&self) -> Option<Monotonic> {
        self.lease_at.filter(|_| !self.leasing && !self.closed)
    }

    /// A bound is being made durable.
    pub(crate) fn is_raising(&self) -> bool {
        self.raising.is_some()
    }

    pub(crate) fn step(
        &mut self,
        now: Monotonic,
        input: KeepingInput,
        effects: &mut Vec<KeepingEffect>,
    ) {
        if self.closed {
            return;
        }
        match input {
            KeepingInput::Joined { node, incarnation } => self.join((node, incarnation), now),
            KeepingInput::Granted(grant) => self.use_grant(now, grant, effects),
            KeepingInput::NotGranted => self.try_later(now),
            KeepingInput::Wanted { latest } => self.raise(latest, effects),
            KeepingInput::Raised => self.raised(effects),
            KeepingInput::NotRaised => {
                self.raising = None;
                effects.push(KeepingEffect::Stalled);
            }
            KeepingInput::Fenced | KeepingInput::RaiseFailed => {
                self.closed = true;
                effects.push(KeepingEffect::Close);
            }
            KeepingInput::Tick => {}
        }
        self.lease_if_due(now, effects);
    }

    fn join(&mut self, member: (NodeNumber, Incarnation), now: Monotonic) {
        if self.member != Some(member) {
            self.member = Some(member);
            self.lease_at = Some(now);
        }
    }

    fn lease_if_due(&mut self, now: Monotonic, effects: &mut Vec<KeepingEffect>) {
        let Some((node, incarnation)) = self.member else { return };
        if self.wake_at().is_some_and(|at| at <= now) {
            self.leasing = true;
            // A bound that is being made durable may be in use a moment later.
            let floor = self.raising.unwrap_or(self.bound).max(self.bound);
            effects.push(KeepingEffect::Lease { node, incarnation, floor });
        }
    }

    fn use_grant(&mut self, now: Monotonic, grant: LaneGrant, effects: &mut Vec<KeepingEffect>) {
        self.leasing = false;
        self.wait = WAIT_FIRST;
        let left = grant.to.unix_ms().saturating_sub(grant.now.unix_ms());
        self.lease_at = Some(now + Duration::from_millis(left / 2).max(EXTEND_MIN));
        effects.push(KeepingEffect::Use { grant, floor: self.bound });
    }

    fn try_later(&mut self, now: Monotonic) {
        self.leasing = false;
        self.lease_at = Some(now + self.wait);
        self.wait = (self.wait * 2).min(WAIT_MAX);
    }

    fn raise(&mut self, latest: LogicalClock, effects: &mut Vec<KeepingEffect>) {
        let bound = whole_ms(latest.plus_ms(AHEAD_MS));
        if self.raising.is_none() && bound > self.bound {
            self.raising = Some(bound);
            effects.push(KeepingEffect::Raise(bound));
        }
    }

    fn raised(&mut self, effects: &mut Vec<KeepingEffect>) {
        if let Some(bound) = self.raising.take() {
            self.bound = bound;
            effects.push(KeepingEffect::SetDurable(bound));
        }
    }
}

/// The first whole millisecond at or after `clock`.
fn whole_ms(clock: LogicalClock) -> LogicalClock {
    let per_ms = LogicalClock::PER_MILLISECOND;
    match clock.0 % per_ms {
        0 => clock,
        part => clock.plus(per_ms - part),
    }
}

#[cfg(test)]
mod tests;
