//! Ids for those who can wait for them: until there is a lease, until its bound is
//! durable, until time has caught up with ids that run ahead of it.
//!
//! Nobody else is asked meanwhile. An Obelisk has a lane of its own, of which
//! nothing says how far it has come, and ids from it in between would go back.

use super::LaneHandle;
use pyralog_model::{ApiError, ErrorCode, LogicalClock, ScarabId};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long ids are waited for, at most: as long as an Obelisk is.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a claim is tried again when nothing says that it would succeed.
const PAUSE: Duration = Duration::from_millis(10);
/// How far ahead of the time ids may be, in milliseconds.
const AHEAD_MS: u64 = 1_000;

impl LaneHandle {
    /// This node issues from a lane of its own: from now on its ids come from
    /// there alone.
    pub(crate) fn keep(&self) {
        self.0.kept.store(true, Ordering::Relaxed);
    }

    /// False for a node that has to ask an Obelisk for ids.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.kept.load(Ordering::Relaxed)
    }

    /// Whether getting a lease fails at present, so that nobody need wait for one.
    pub(super) fn set_unleased(&self, unleased: bool) {
        self.0.unleased.store(unleased, Ordering::Relaxed);
        self.0.version.send_modify(|version| *version += 1);
    }

    /// As many ids in a row, all greater than `after`.
    ///
    /// # Errors
    /// `clock-ahead` if `after` lies more than a second in the future;
    /// `obelisk-away` without a lease; `disk-full` while no bound can be made
    /// durable; `overloaded` if more is asked for than a lane has.
    pub(crate) async fn obtain(
        &self,
        after: Option<ScarabId>,
        count: u32,
    ) -> Result<ScarabId, ApiError> {
        let mut changes = self.0.version.subscribe();
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            changes.borrow_and_update();
            self.prepare().await;
            let claimed = match after {
                Some(after) => self.claim_after(after, count),
                None => self.claim(count),
            };
            if let Some(first) = claimed {
                return Ok(first);
            }
            if let Some(hopeless) = self.hopeless(after.map_or(LogicalClock(0), ScarabId::clock)) {
                return Err(hopeless);
            }
            let again = tokio::time::timeout(PAUSE, changes.changed());
            tokio::select! {
                () = &mut patience => return Err(self.lacking()),
                _ = again => {}
            }
        }
    }

    /// Why waiting would not help.
    fn hopeless(&self, after: LogicalClock) -> Option<ApiError> {
        let now = self.0.clock.monotonic();
        let (leased, time) = match self.slot().as_ref() {
            Some(slot) => (slot.latest(now) < slot.to, slot.time(now)),
            None => (false, LogicalClock::MAX),
        };
        if after > time.plus_ms(AHEAD_MS) {
            let ahead_ms = after.unix_ms() - time.unix_ms();
            let message = format!("what was seen last is {ahead_ms} ms ahead of the time here");
            return Some(ApiError::new(ErrorCode::ClockAhead, message));
        }
        let stalled = self.0.stalled.load(Ordering::Relaxed);
        let unleased = self.0.unleased.load(Ordering::Relaxed);
        (if leased { stalled } else { unleased }).then(|| self.lacking())
    }

    /// What there is too little of.
    fn lacking(&self) -> ApiError {
        let now = self.0.clock.monotonic();
        let leased = self.slot().as_ref().is_some_and(|slot| slot.latest(now) < slot.to);
        let (code, message) = match (leased, self.0.stalled.load(Ordering::Relaxed)) {
            (false, _) => (
                ErrorCode::ObeliskAway,
                "this node has no lease of ids, which an Obelisk gives; records are written \
                 without ids, and ids wait until one answers",
            ),
            (true, true) => {
                (ErrorCode::DiskFull, "there is no room to write down how far ids have come")
            }
            (true, false) => {
                (ErrorCode::Overloaded, "more ids are asked for than a lane has; try again")
            }
        };
        ApiError::new(code, message)
    }
}
