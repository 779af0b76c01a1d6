//! Where values of counters are handed out. A desk outlives the service that
//! opens and closes it; hot paths claim at it without asking any actor.
//!
//! Claims hold the desk's lock for reading, so that once a service has closed it
//! no claim is under way, and the arena can be closed.

use crate::arena::ArenaMessage;
use crate::seat::Seat;
use pyralog_counter::{ClaimRefusal, CounterHandle, Wish};
use pyralog_model::{ApiError, CounterNumber, ErrorCode};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Counters that are at hand, twice: those used lately and those used before.
const AT_HAND_MAX: usize = 8_192;
/// How often others may be faster to take what was raised.
const ROUNDS_MAX: usize = 64;

/// Clones are the same desk.
#[derive(Clone)]
pub(crate) struct Desk(Arc<Shared>);

struct Shared {
    what: &'static str,
    arena: Seat<ArenaMessage>,
    drawer: RwLock<Drawer>,
    claims: AtomicU64,
    issued: AtomicU64,
}

/// What is at hand while the desk is open.
#[derive(Default)]
struct Drawer {
    /// Counts openings: what was fetched for an earlier one is of another arena.
    opening: u64,
    open: bool,
    recent: HashMap<CounterNumber, AtHand>,
    before: HashMap<CounterNumber, AtHand>,
}

struct AtHand {
    handle: CounterHandle,
    /// A raise ahead was asked for and has not come.
    raising: AtomicBool,
}

/// One attempt.
enum Attempt {
    Claimed(u64),
    NotAtHand { opening: u64 },
    NeedsRaise,
    Refused(ApiError),
}

impl Desk {
    pub(crate) fn new(what: &'static str, arena: Seat<ArenaMessage>) -> Desk {
        Desk(Arc::new(Shared {
            what,
            arena,
            drawer: RwLock::default(),
            claims: AtomicU64::new(0),
            issued: AtomicU64::new(0),
        }))
    }

    /// Opens the desk, for the service that is in charge of it.
    pub(crate) fn open(&self) {
        let mut drawer = self.drawer_mut();
        *drawer = Drawer { opening: drawer.opening + 1, open: true, ..Drawer::default() };
    }

    /// Nothing is issued after this.
    pub(crate) fn close(&self) {
        let mut drawer = self.drawer_mut();
        *drawer = Drawer { opening: drawer.opening, ..Drawer::default() };
    }

    /// Claims `count` values in a row and returns the first; waits for a raise of
    /// the bound if it must.
    pub(crate) async fn claim(&self, counter: CounterNumber, count: u64) -> Result<u64, ApiError> {
        for _ in 0..ROUNDS_MAX {
            match self.attempt(counter, count) {
                Attempt::Claimed(first) => return Ok(first),
                Attempt::Refused(error) => return Err(error),
                Attempt::NotAtHand { opening } => {
                    self.fetch(counter, opening).await?;
                }
                Attempt::NeedsRaise => {
                    let wish = Wish { counter, count };
                    self.0.arena.call(|reply| ArenaMessage::Raise { wish, reply }).await?;
                }
            }
        }
        let message = format!("others claim from {} faster than it can be raised", self.0.what);
        Err(ApiError::new(ErrorCode::Overloaded, message))
    }

    /// Claims if that is possible without waiting.
    pub(crate) fn try_claim(&self, counter: CounterNumber, count: u64) -> Option<u64> {
        match self.attempt(counter, count) {
            Attempt::Claimed(first) => Some(first),
            Attempt::NotAtHand { .. } | Attempt::NeedsRaise | Attempt::Refused(_) => None,
        }
    }

    /// The last value issued of a counter that is at hand.
    pub(crate) fn value(&self, counter: CounterNumber) -> Option<u64> {
        self.drawer().find(counter).map(|at_hand| at_hand.handle.value())
    }

    /// Puts a counter at hand.
    pub(crate) async fn fetch(&self, counter: CounterNumber, opening: u64) -> Result<(), ApiError> {
        let handle = self.0.arena.call(|reply| ArenaMessage::Open { counter, reply }).await?;
        let mut drawer = self.drawer_mut();
        if drawer.opening == opening && drawer.open {
            drawer.keep(counter, AtHand { handle, raising: AtomicBool::new(false) });
        }
        Ok(())
    }

    /// Counts openings.
    pub(crate) fn opening(&self) -> u64 {
        self.drawer().opening
    }

    /// Claims that were answered, and the values in them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.0.claims.load(Ordering::Relaxed), self.0.issued.load(Ordering::Relaxed))
    }

    /// How many counters are at hand.
    pub(crate) fn at_hand(&self) -> usize {
        let drawer = self.drawer();
        drawer.recent.len() + drawer.before.len()
    }

    fn attempt(&self, counter: CounterNumber, count: u64) -> Attempt {
        let drawer = self.drawer();
        if !drawer.open {
            return Attempt::Refused(ApiError::unavailable(self.0.what));
        }
        let Some(at_hand) = drawer.find(counter) else {
            return Attempt::NotAtHand { opening: drawer.opening };
        };
        match at_hand.handle.claim(count) {
            Ok(first) => {
                self.0.claims.fetch_add(1, Ordering::Relaxed);
                self.0.issued.fetch_add(count, Ordering::Relaxed);
                self.raise_ahead(at_hand);
                Attempt::Claimed(first)
            }
            Err(ClaimRefusal::NeedsRaise) => Attempt::NeedsRaise,
            Err(refusal) => Attempt::Refused(ApiError::from(&refusal)),
        }
    }

    /// Asks once, until the raise has come.
    fn raise_ahead(&self, at_hand: &AtHand) {
        if !at_hand.handle.wants_raise() {
            at_hand.raising.store(false, Ordering::Relaxed);
        } else if !at_hand.raising.swap(true, Ordering::Relaxed) {
            self.0.arena.tell(ArenaMessage::RaiseAhead(at_hand.handle.number()));
        }
    }

    fn drawer(&self) -> RwLockReadGuard<'_, Drawer> {
        self.0.drawer.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn drawer_mut(&self) -> RwLockWriteGuard<'_, Drawer> {
        self.0.drawer.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawer {
    fn find(&self, counter: CounterNumber) -> Option<&AtHand> {
        self.recent.get(&counter).or_else(|| self.before.get(&counter))
    }

    /// Who was not used since the last time it was full is put away.
    fn keep(&mut self, counter: CounterNumber, at_hand: AtHand) {
        if self.recent.len() >= AT_HAND_MAX {
            self.before = std::mem::take(&mut self.recent);
        }
        self.recent.insert(counter, at_hand);
    }
}
