//! The node's own lane of Scarab ids. The handle issues them without waiting for
//! anybody; the actor keeps the lease and the bound ahead of it.
//!
//! No wall clock of this node is asked: its time is the Obelisk's at the grant
//! plus what has passed since on a clock that never goes back.

mod actor;
mod keeping;
mod obtaining;

pub(crate) use actor::{LaneArguments, LaneKeeper, LaneMessage};

use crate::protocol::LaneGrant;
use pyralog_counter::{LaneClock, LaneRefusal};
use pyralog_env::{Clock, Monotonic};
use pyralog_model::{Lane, LogicalClock, ScarabId};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// The longest that `prepare` waits for a bound to be durable.
const PREPARE_PATIENCE: Duration = Duration::from_millis(20);
/// A bound closer than this is raised, and one closer than that is waited for.
const RAISE_BELOW_MS: u64 = 1_000;
const WAIT_BELOW_MS: u64 = 20;

/// How a node's lane is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneState {
    /// Its number, 0 to 1,023; `None` without a lease that still runs.
    pub lane: Option<u16>,
    /// How long the lease runs on if it is not extended.
    pub remaining_ms: u64,
    /// Ids issued by this node since its start.
    pub issued: u64,
    /// Claims that found no lease, or no durable bound.
    pub refused: u64,
    /// Bounds made durable.
    pub raises: u64,
}

/// Issues ids. Clones share the lane; it outlives the actor that keeps it.
#[derive(Clone)]
pub struct LaneHandle(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    /// Claims read it; the actor alone replaces what is in it.
    slot: RwLock<Option<Slot>>,
    /// Somebody needs a higher bound, and the actor has not heard of it yet.
    wanted: AtomicBool,
    wants: Notify,
    /// Grows when waiting for a bound may have an end.
    version: watch::Sender<u64>,
    /// Raises fail for now: nobody need wait for them.
    stalled: AtomicBool,
    /// Somebody keeps this lane: the node's ids come from nowhere else.
    kept: AtomicBool,
    /// Attempts to get a lease fail for now: nobody need wait for one.
    unleased: AtomicBool,
    issued: AtomicU64,
    refused: AtomicU64,
    raises: AtomicU64,
}

/// A lane in use.
struct Slot {
    clock: LaneClock,
    to: LogicalClock,
    durable: LogicalClock,
    /// The Obelisk's clock, and ours at that moment.
    granted: LogicalClock,
    granted_at: Monotonic,
    /// Nothing below it is issued again.
    floor: LogicalClock,
}

/// What is left of a lane when it is no longer used.
struct Used {
    lane: Lane,
    /// The end of its last grant.
    granted_to: LogicalClock,
    /// The end of what was issued on it.
    used_to: LogicalClock,
}

impl Slot {
    fn time(&self, now: Monotonic) -> LogicalClock {
        let passed = now.since(self.granted_at);
        let passed_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        self.granted.plus_ms(passed_ms).max(self.floor)
    }

    /// The time by the clock, or by the last id if that is ahead.
    fn latest(&self, now: Monotonic) -> LogicalClock {
        self.time(now).max(self.clock.next())
    }
}

impl LaneHandle {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> LaneHandle {
        LaneHandle(Arc::new(Shared {
            clock,
            slot: RwLock::default(),
            wanted: AtomicBool::new(false),
            wants: Notify::new(),
            version: watch::Sender::new(0),
            stalled: AtomicBool::new(false),
            kept: AtomicBool::new(false),
            unleased: AtomicBool::new(false),
            issued: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            raises: AtomicU64::new(0),
        }))
    }

    /// As many ids in a row as there are `records`, greater than all before them:
    /// the first of them, the others follow by `ScarabId::nth`. Never waits.
    /// `None` without a lease, while no bound is durable, or for more than the
    /// lane may run ahead of time (1 s).
    pub fn claim(&self, records: u32) -> Option<ScarabId> {
        self.claim_by(records, |clock, time| clock.claim(time, records))
    }

    /// As `claim`, and greater than `after`; `None` also if that lies in the future.
    pub fn claim_after(&self, after: ScarabId, records: u32) -> Option<ScarabId> {
        self.claim_by(records, |clock, time| {
            let after = last_time_up_to(after, clock.lane());
            clock.claim_after(time, after, records)
        })
    }

    /// Whether claims will succeed now, as far as one can tell. Costs as much as
    /// a claim; false also means that a higher bound has been asked for.
    pub fn is_ready(&self) -> bool {
        let slot = self.slot();
        let Some(slot) = slot.as_ref() else { return true };
        let latest = slot.latest(self.0.clock.monotonic());
        if latest >= slot.to || self.0.stalled.load(Ordering::Relaxed) {
            // Waiting would not help.
            return true;
        }
        let ready = slot.durable > latest.plus_ms(WAIT_BELOW_MS);
        if slot.durable <= latest.plus_ms(RAISE_BELOW_MS) {
            self.want();
        }
        ready
    }

    /// Returns when claims will succeed, or when waiting does not help, and after
    /// 20 ms at the latest. At once nearly always.
    pub async fn prepare(&self) {
        let mut changes = self.0.version.subscribe();
        if self.is_ready() {
            return;
        }
        let ready = changes.wait_for(|_| self.is_ready());
        let _ = tokio::time::timeout(PREPARE_PATIENCE, ready).await;
    }

    /// How the lane is at this moment.
    pub fn state(&self) -> LaneState {
        let slot = self.slot();
        let now = self.0.clock.monotonic();
        let left = slot
            .as_ref()
            .map_or(0, |slot| slot.to.unix_ms().saturating_sub(slot.time(now).unix_ms()));
        let lane = slot.as_ref().filter(|_| left > 0).map(|slot| slot.clock.lane().number());
        LaneState {
            lane,
            remaining_ms: left,
            issued: self.0.issued.load(Ordering::Relaxed),
            refused: self.0.refused.load(Ordering::Relaxed),
            raises: self.0.raises.load(Ordering::Relaxed),
        }
    }

    fn claim_by(
        &self,
        records: u32,
        claim: impl FnOnce(&LaneClock, LogicalClock) -> Result<ScarabId, LaneRefusal>,
    ) -> Option<ScarabId> {
        let slot = self.slot();
        let Some(present) = slot.as_ref() else {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let time = present.time(self.0.clock.monotonic());
        let claimed = claim(&present.clock, time);
        let reached = match &claimed {
            Ok(first) => first.clock().plus(u64::from(records)),
            Err(_) => LogicalClock::MAX,
        };
        if present.durable <= reached.plus_ms(RAISE_BELOW_MS) {
            self.want();
        }
        match claimed {
            Ok(first) => {
                self.0.issued.fetch_add(u64::from(records), Ordering::Relaxed);
                Some(first)
            }
            Err(_) => {
                self.0.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Tells the actor, once until it has heard.
    fn want(&self) {
        if !self.0.wanted.load(Ordering::Relaxed) && !self.0.wanted.swap(true, Ordering::AcqRel) {
            self.0.wants.notify_one();
        }
    }

    fn slot(&self) -> RwLockReadGuard<'_, Option<Slot>> {
        self.0.slot.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time after which every id of `lane` is greater than `id`. Within one
/// millisecond it is the lane that decides which of two ids is greater.
fn last_time_up_to(id: ScarabId, lane: Lane) -> LogicalClock {
    match id.lane() == lane {
        true => id.clock(),
        false => LogicalClock(id.clock().0 | (LogicalClock::PER_MILLISECOND - 1)),
    }
}

/// What the actor does with it.
impl LaneHandle {
    /// Returns when a higher bound is wanted: the time that it has to lie above.
    async fn wanted(&self) -> LogicalClock {
        loop {
            self.0.wants.notified().await;
            let now = self.0.clock.monotonic();
            if let Some(slot) = self.slot().as_ref() {
                return slot.latest(now);
            }
            self.heard();
        }
    }

    /// Whoever wants a higher bound from now on says so again.
    fn heard(&self) {
        self.0.wanted.store(false, Ordering::Release);
    }

    /// A grant of the lane in use that goes on where the last one ended extends
    /// it. Any other begins at `floor`, for which nobody has been given an id.
    fn install(&self, grant: LaneGrant, floor: LogicalClock, granted_at: Monotonic) {
        let mut slot = self.slot_mut();
        let goes_on =
            |present: &&mut Slot| present.clock.lane() == grant.lane && grant.from < present.to;
        if let Some(present) = slot.as_mut().filter(goes_on) {
            present.clock.extend(grant.to);
            present.to = present.to.max(grant.to);
            let now = present.time(granted_at);
            (present.granted, present.granted_at) = (grant.now.max(now), granted_at);
        } else {
            let from = grant.from.max(floor);
            *slot = Some(Slot {
                clock: LaneClock::new(grant.lane, from, grant.to),
                to: grant.to,
                durable: LogicalClock(0),
                granted: grant.now,
                granted_at,
                floor: from,
            });
        }
        drop(slot);
        self.set_unleased(false);
    }

    fn set_durable(&self, bound: LogicalClock) {
        if let Some(slot) = self.slot_mut().as_mut() {
            slot.clock.set_durable(bound);
            slot.durable = bound;
        }
        self.0.raises.fetch_add(1, Ordering::Relaxed);
        self.0.stalled.store(false, Ordering::Relaxed);
        self.heard();
        self.0.version.send_modify(|version| *version += 1);
    }

    fn stall(&self) {
        self.0.stalled.store(true, Ordering::Relaxed);
        self.heard();
        self.0.version.send_modify(|version| *version += 1);
    }

    /// No id is issued after this.
    fn close(&self) -> Option<Used> {
        let slot = self.slot_mut().take()?;
        let used_to = slot.clock.retire();
        self.0.version.send_modify(|version| *version += 1);
        Some(Used { lane: slot.clock.lane(), granted_to: slot.to, used_to })
    }

    fn slot_mut(&self) -> RwLockWriteGuard<'_, Option<Slot>> {
        self.0.slot.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LaneHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneHandle").field("state", &self.state()).finish_non_exhaustive()
    }
}
