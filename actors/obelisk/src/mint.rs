//! Scarab ids from the Obelisk's own lane, for those who have none. Ids are
//! claimed here without asking any actor; the `scarab` service keeps the lease and
//! the local bound ahead, and only while ids are asked for.

use crate::desk::Desk;
use crate::seat::Seat;
use crate::services::ScarabMessage;
use crate::steady::Steady;
use pyralog_counter::{LaneClock, LaneRefusal};
use pyralog_model::{ApiError, CounterNumber, ErrorCode, Lane, LogicalClock, ScarabId};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The most ids of one request: half a second of a lane.
pub(crate) const IDS_MAX: u32 = 4_000_000;
/// How far ahead of the clock ids may be.
pub(crate) const AHEAD_MS: u64 = 1_000;
/// How often others may be faster, or a wait for the clock may be repeated.
const ROUNDS_MAX: usize = 16;

/// Clones are the same mint.
#[derive(Clone)]
pub(crate) struct Mint(Arc<Shared>);

struct Shared {
    steady: Steady,
    seat: Seat<ScarabMessage>,
    /// Counts what is issued, for people: counter #5.
    tally: Desk,
    lane: RwLock<Option<Arc<LaneClock>>>,
    /// The service has been told to get ahead, and has not yet.
    told: AtomicBool,
    /// Issued and not in the tally yet.
    untold: AtomicU64,
    issued: AtomicU64,
}

impl Mint {
    pub(crate) fn new(steady: Steady, seat: Seat<ScarabMessage>, tally: Desk) -> Mint {
        Mint(Arc::new(Shared {
            steady,
            seat,
            tally,
            lane: RwLock::default(),
            told: AtomicBool::new(false),
            untold: AtomicU64::new(0),
            issued: AtomicU64::new(0),
        }))
    }

    /// As many ids in a row, each later than `after`; the first of them.
    pub(crate) async fn ids(
        &self,
        count: u32,
        after: Option<ScarabId>,
    ) -> Result<ScarabId, ApiError> {
        for _ in 0..ROUNDS_MAX {
            let Some(lane) = self.lane() else {
                self.prepare().await?;
                continue;
            };
            let now = self.0.steady.now();
            let after = after.map_or(LogicalClock(0), |seen| last_up_to(seen, lane.lane()));
            if after > now.plus_ms(AHEAD_MS) {
                let ahead_ms = after.unix_ms() - now.unix_ms();
                return Err(ApiError::from(&LaneRefusal::Ahead { ahead_ms }));
            }
            match lane.claim_after(now, after, count) {
                Ok(first) => {
                    self.count(count);
                    if lane.needs_raise(now) || lane.needs_lease(now) {
                        self.get_ahead();
                    }
                    return Ok(first);
                }
                Err(LaneRefusal::Ahead { ahead_ms }) => {
                    let wait_ms = ahead_ms.saturating_sub(AHEAD_MS).clamp(1, AHEAD_MS);
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                }
                Err(LaneRefusal::NotDurable { .. } | LaneRefusal::Exhausted { .. }) => {
                    self.prepare().await?;
                }
            }
        }
        let message = "more ids are asked for than a lane has; try again, or from a Pyramid";
        Err(ApiError::new(ErrorCode::Overloaded, message))
    }

    /// Ids issued since the process started.
    pub(crate) fn issued(&self) -> u64 {
        self.0.issued.load(Ordering::Relaxed)
    }

    /// The lane in use.
    pub(crate) fn lane(&self) -> Option<Arc<LaneClock>> {
        self.0.lane.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn steady(&self) -> &Steady {
        &self.0.steady
    }

    pub(crate) fn seat(&self) -> &Seat<ScarabMessage> {
        &self.0.seat
    }

    pub(crate) fn tally(&self) -> &Desk {
        &self.0.tally
    }

    /// Replaces the lane in use; of the last one nothing more is issued. For the
    /// service.
    pub(crate) fn install(&self, lane: Option<LaneClock>) {
        let mut slot = self.0.lane.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = slot.take() {
            last.retire();
        }
        *slot = lane.map(Arc::new);
    }

    /// The service is ahead, and has to be told the next time.
    pub(crate) fn heard(&self) {
        self.0.told.store(false, Ordering::Relaxed);
    }

    /// Puts what was issued into the tally; waits for a raise if it must.
    pub(crate) async fn settle(&self) {
        let untold = self.0.untold.swap(0, Ordering::Relaxed);
        if untold > 0 && self.0.tally.claim(CounterNumber::SCARABS, untold).await.is_err() {
            self.0.untold.fetch_add(untold, Ordering::Relaxed);
        }
    }

    fn count(&self, count: u32) {
        let count = u64::from(count);
        self.0.issued.fetch_add(count, Ordering::Relaxed);
        let untold = self.0.untold.swap(0, Ordering::Relaxed) + count;
        if self.0.tally.try_claim(CounterNumber::SCARABS, untold).is_none() {
            self.0.untold.fetch_add(untold, Ordering::Relaxed);
            self.get_ahead();
        }
    }

    async fn prepare(&self) -> Result<(), ApiError> {
        self.0.seat.call(|reply| ScarabMessage::Prepare { reply: Some(reply) }).await
    }

    fn get_ahead(&self) {
        if !self.0.told.swap(true, Ordering::Relaxed) {
            self.0.seat.tell(ScarabMessage::Prepare { reply: None });
        }
    }
}

/// The last time at which an id of `lane` is not greater than `seen`. Within a
/// millisecond the lane decides which of two ids is the greater one.
fn last_up_to(seen: ScarabId, lane: Lane) -> LogicalClock {
    let clock = seen.clock();
    match lane < seen.lane() {
        true => LogicalClock(clock.0 | (LogicalClock::PER_MILLISECOND - 1)),
        false => clock,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_after_the_last_time_is_greater_than_what_was_seen() {
        let lane = |number| Lane::new(number).unwrap();
        for (seen, own) in [(0, 0), (0, 9), (9, 0), (1023, 0), (0, 1023), (5, 4)] {
            for clock in [0, 1, 8190, 8191, 8192, 1 << 40] {
                let seen = ScarabId::compose(LogicalClock(clock), lane(seen));
                let next = last_up_to(seen, lane(own)).plus(1);
                assert!(ScarabId::compose(next, lane(own)) > seen && next > seen.clock());
            }
        }
    }
}
