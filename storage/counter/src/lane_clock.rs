//! A leased lane of Scarab ids: a range of the logical clock in which one
//! generator issues.
//!
//! ```text
//!      from        next              durable        to
//!   ────┼────────────┼──────────────────┼────────────┼──▶ logical clock
//!       ├── issued ──┤── may be issued ─┤── leased ──┤
//! ```
//!
//! Nobody else issues in this lane between `from` and `to`: the directory says so,
//! and that makes ids unique, whatever clocks say. Nothing is issued at or past
//! `durable`, a bound in this node's own [`BoundFile`](crate::BoundFile): that makes
//! them increase over restarts. At most a second is borrowed from the future, and
//! then the caller waits.
//!
//! No clock is read here: `now` is an argument.

use crate::mutation::{Mutation, Planted};
use pyralog_model::{ApiError, ErrorCode, Lane, LogicalClock, ScarabId};
use std::sync::atomic::{AtomicU64, Ordering};
use thiserror::Error;

/// How far ids may run ahead of `now`.
const AHEAD: u64 = 1_000 * LogicalClock::PER_MILLISECOND;
/// How far the durable bound is raised ahead of use, in milliseconds.
const DURABLE_AHEAD_MS: u64 = 2_000;
/// `next` of a lane that was given up.
const RETIRED: u64 = u64::MAX;

/// Why no id was issued; then none was taken either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LaneRefusal {
    /// The lease ends before: renew it, or take another lane.
    #[error("the lease of lane {} ends at {to:?}", lane.number())]
    Exhausted {
        /// The lane.
        lane: Lane,
        /// Where the lease ends.
        to: LogicalClock,
    },
    /// The local bound ends before: raise it to `LaneClock::raise_target`.
    #[error("the local bound is {durable:?} and has to be raised first")]
    NotDurable {
        /// The bound.
        durable: LogicalClock,
    },
    /// The ids would lie more than a second ahead of the clock: wait so long. A
    /// time asked for as the last one seen may lie further ahead than waiting helps.
    #[error("ids are {ahead_ms} ms ahead of the clock, more than a second")]
    Ahead {
        /// How far, in milliseconds.
        ahead_ms: u64,
    },
}

impl From<&LaneRefusal> for ApiError {
    fn from(refusal: &LaneRefusal) -> ApiError {
        let code = match refusal {
            LaneRefusal::Exhausted { .. } => ErrorCode::LanesExhausted,
            LaneRefusal::NotDurable { .. } => ErrorCode::Overloaded,
            LaneRefusal::Ahead { .. } => ErrorCode::ClockAhead,
        };
        ApiError::new(code, refusal.to_string())
    }
}

/// Issues the ids of one leased lane. Shared by reference; never blocks.
#[derive(Debug)]
pub struct LaneClock {
    lane: Lane,
    from: u64,
    /// The next time that may be issued.
    next: AtomicU64,
    to: AtomicU64,
    /// Length of the lease as it was last given.
    term: AtomicU64,
    durable: AtomicU64,
    planted: Planted,
}

impl LaneClock {
    /// The lane in `from..to`, with nothing durable yet. Begins with the first
    /// whole millisecond: within one, ids compare by lane, and this node's last ids
    /// may have been of a greater lane in the millisecond of `from`.
    pub fn new(lane: Lane, from: LogicalClock, to: LogicalClock) -> LaneClock {
        let from = from.0.next_multiple_of(LogicalClock::PER_MILLISECOND).min(to.0);
        LaneClock {
            lane,
            from,
            next: AtomicU64::new(from),
            to: AtomicU64::new(to.0),
            term: AtomicU64::new(to.0 - from),
            durable: AtomicU64::new(0),
            planted: Planted::default(),
        }
    }

    /// With a planted bug.
    #[cfg(any(test, feature = "mutants"))]
    pub fn with_mutation(mut self, mutation: Option<Mutation>) -> LaneClock {
        self.planted = Planted::new(mutation);
        self
    }

    /// Its lane.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Where the lease begins.
    pub fn from(&self) -> LogicalClock {
        LogicalClock(self.from)
    }

    /// Where the lease ends: not included.
    pub fn to(&self) -> LogicalClock {
        LogicalClock(self.to.load(Ordering::Acquire))
    }

    /// The time after the last id issued; `to` once it was given up.
    pub fn next(&self) -> LogicalClock {
        LogicalClock(self.next.load(Ordering::Acquire)).min(self.to())
    }

    /// Claims `count` ids in a row and returns the first; the others follow by
    /// [`ScarabId::nth`]. `count` is at most 8,191,999, a second's worth.
    ///
    /// # Errors
    /// Why nothing was claimed; then nothing was taken either.
    #[inline]
    pub fn claim(&self, now: LogicalClock, count: u32) -> Result<ScarabId, LaneRefusal> {
        self.claim_from(now, now, count)
    }

    /// As `claim`, above `after`: an id that is later than what its asker has seen.
    ///
    /// # Errors
    /// As `claim`.
    #[inline]
    pub fn claim_after(
        &self,
        now: LogicalClock,
        after: LogicalClock,
        count: u32,
    ) -> Result<ScarabId, LaneRefusal> {
        self.claim_from(now, now.max(LogicalClock(after.0.saturating_add(1))), count)
    }

    #[inline]
    fn claim_from(
        &self,
        now: LogicalClock,
        at_least: LogicalClock,
        count: u32,
    ) -> Result<ScarabId, LaneRefusal> {
        let mut next = self.next.load(Ordering::Relaxed);
        loop {
            let base = next.max(at_least.0);
            let end = base.saturating_add(u64::from(count));
            // One comparison when all is well.
            let limit = self.durable.load(Ordering::Acquire).min(self.to.load(Ordering::Acquire));
            let ahead = now.0.saturating_add(AHEAD);
            if end > limit.min(ahead) {
                return Err(self.refusal(now, end));
            }
            match self.next.compare_exchange_weak(next, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(ScarabId::compose(LogicalClock(base), self.lane)),
                Err(seen) => next = seen,
            }
        }
    }

    /// Which of the limits is in the way of ids below `end`. Those that waiting or
    /// a raise cannot help come first.
    #[cold]
    fn refusal(&self, now: LogicalClock, end: u64) -> LaneRefusal {
        let to = self.to();
        if end > to.0 {
            return LaneRefusal::Exhausted { lane: self.lane, to };
        }
        if end > now.0.saturating_add(AHEAD) {
            let ahead = end.saturating_sub(now.0);
            return LaneRefusal::Ahead { ahead_ms: ahead / LogicalClock::PER_MILLISECOND };
        }
        LaneRefusal::NotDurable { durable: LogicalClock(self.durable.load(Ordering::Acquire)) }
    }

    /// The `count` ids of a claim, in order.
    pub fn ids(&self, base: ScarabId, count: u32) -> impl Iterator<Item = ScarabId> + use<> {
        let carries = !self.planted.is(Mutation::XorInsteadOfCarry);
        (0..u64::from(count)).map(
            move |index| {
                if carries { base.nth(index) } else { ScarabId(base.0 ^ index) }
            },
        )
    }

    /// The lease was renewed: it ends at `to` now, or later if it did already.
    pub fn extend(&self, to: LogicalClock) {
        let used = self.next().0;
        if self.to.fetch_max(to.0, Ordering::AcqRel) < to.0 {
            self.term.store(to.0.saturating_sub(used), Ordering::Release);
        }
    }

    /// The local bound is durable up to `bound`. Only the completion of a sync may
    /// say so.
    pub fn set_durable(&self, bound: LogicalClock) {
        self.durable.fetch_max(bound.0, Ordering::AcqRel);
    }

    /// True if the local bound should be raised ahead: less than a second of it is
    /// left.
    #[inline]
    pub fn needs_raise(&self, now: LogicalClock) -> bool {
        let used = self.used(now);
        let durable = self.durable.load(Ordering::Relaxed);
        let half = DURABLE_AHEAD_MS / 2 * LogicalClock::PER_MILLISECOND;
        used.saturating_add(half) > durable && durable < self.to.load(Ordering::Relaxed)
    }

    /// What to raise the local bound to: two seconds ahead, within the lease.
    pub fn raise_target(&self, now: LogicalClock) -> LogicalClock {
        LogicalClock(self.used(now)).plus_ms(DURABLE_AHEAD_MS).min(self.to())
    }

    /// True if less than half of the lease is left.
    #[inline]
    pub fn needs_lease(&self, now: LogicalClock) -> bool {
        let left = self.to.load(Ordering::Relaxed).saturating_sub(self.used(now));
        left < self.term.load(Ordering::Relaxed) / 2
    }

    /// Gives the lane up: nothing more is issued. Returns what the lease may be cut
    /// to, the time after the last id.
    pub fn retire(&self) -> LogicalClock {
        let next = self.next.swap(RETIRED, Ordering::AcqRel);
        LogicalClock(next.clamp(self.from, self.to().0))
    }

    fn used(&self, now: LogicalClock) -> u64 {
        self.next.load(Ordering::Relaxed).max(now.0)
    }
}

#[cfg(test)]
mod tests;
