//! Who has written what: the table that makes a retry find its first try.
//!
//! A producer numbers its records within a *session* and an *epoch* of it. The
//! table keeps, for every session of a partition, the epoch and the last five
//! batches with their offsets. It is a fold over the partition's frames and over
//! nothing else, so it is the same after a restart, and on every replica.
//!
//! ```text
//!  frames ──fold──▶ SessionTable ──judge──▶ Next │ Duplicate │ OutOfOrder │ …
//!                        │
//!       a segment is sealed: `<base>.sessions`, so that a start folds only the last
//! ```
//!
//! Sequences are 31 bits and wrap: after 2,147,483,647 comes 0. Sessions that are
//! idle for long, or the longest idle of too many, are forgotten. A forgotten
//! session must never be taken for a new one, or an old retry would be stored
//! twice: so the greatest number that was ever forgotten is kept, and the greatest
//! epoch that any of the forgotten had written in. A session up to the one that
//! begins anew in an epoch up to the other is refused; its producer raises its
//! epoch, gets past both and goes on.

mod agreement;
mod sealed;
mod session;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;

pub(crate) use sealed::Place;
pub use session::{Session, SessionBatch, Verdict};
pub(crate) use snapshot::{SNAPSHOT_EXTENSION, SealedAt, write_file};

use pyralog_env::Monotonic;
use pyralog_model::Offset;
use std::collections::HashMap;
use std::time::Duration;

/// Sessions that one partition remembers.
pub(crate) const SESSIONS_MAX: usize = 100_000;

/// What a partition knows of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// It has written.
    Known(Session),
    /// It may have written: it, or a later one, was forgotten.
    Forgotten {
        /// The last epoch that it may have written in.
        epoch: i16,
    },
    /// It has never written here.
    New,
}

impl SessionState {
    /// What is to be done with a batch of this session.
    pub fn judge(&self, batch: &SessionBatch) -> Verdict {
        match self {
            SessionState::Known(session) => session.judge(batch),
            SessionState::Forgotten { epoch } if batch.epoch <= *epoch => Verdict::Unknown,
            _ if batch.base_sequence != 0 => Verdict::Unknown,
            _ => Verdict::Next,
        }
    }

    /// The session once the batch is stored.
    pub fn after(self, batch: &SessionBatch) -> Session {
        match self {
            SessionState::Known(mut session) => {
                session.fold(batch);
                session
            }
            _ => Session::first(batch),
        }
    }
}

/// All sessions of a partition, as of some place in its log.
#[derive(Debug, Clone)]
pub struct SessionTable {
    seats: HashMap<i64, Seat>,
    forgotten: Forgotten,
    sessions_max: usize,
}

/// All that is kept of those who were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Forgotten {
    /// The greatest session, -1 if there is none.
    session: i64,
    /// The greatest epoch that any of them wrote in; 0, the first one, if there is
    /// none.
    epoch: i16,
}

impl Forgotten {
    const NOBODY: Forgotten = Forgotten { session: -1, epoch: 0 };

    fn and(self, other: Forgotten) -> Forgotten {
        let Forgotten { session, epoch } = other;
        Forgotten { session: self.session.max(session), epoch: self.epoch.max(epoch) }
    }
}

#[derive(Debug, Clone)]
struct Seat {
    session: Session,
    /// When it was first seen to be idle; none if it was used since the last look.
    idle_since: Option<Monotonic>,
}

impl Seat {
    /// What is kept of it once it is forgotten.
    fn forgotten(&self, id: i64) -> Forgotten {
        Forgotten { session: id, epoch: self.session.epoch() }
    }
}

impl Default for SessionTable {
    fn default() -> SessionTable {
        SessionTable::with_max(SESSIONS_MAX)
    }
}

impl PartialEq for SessionTable {
    /// What follows from the log; how long a session is idle does not.
    fn eq(&self, other: &SessionTable) -> bool {
        let of_other = |id: &i64| other.seats.get(id).map(|seat| &seat.session);
        self.forgotten == other.forgotten
            && self.seats.len() == other.seats.len()
            && self.seats.iter().all(|(id, seat)| of_other(id) == Some(&seat.session))
    }
}

impl SessionTable {
    /// An empty table for so many sessions.
    pub(crate) fn with_max(sessions_max: usize) -> SessionTable {
        SessionTable { seats: HashMap::new(), forgotten: Forgotten::NOBODY, sessions_max }
    }

    /// How many sessions are known.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// True if there was never a session.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty() && self.forgotten == Forgotten::NOBODY
    }

    /// What is known of a session.
    pub fn state(&self, session: i64) -> SessionState {
        match self.seats.get(&session) {
            Some(seat) => SessionState::Known(seat.session.clone()),
            None if session <= self.forgotten.session => {
                SessionState::Forgotten { epoch: self.forgotten.epoch }
            }
            None => SessionState::New,
        }
    }

    /// True if the batch at `base` is the last one of a session.
    pub(crate) fn ends_with(&self, session: i64, base: Offset) -> bool {
        self.seats.get(&session).is_some_and(|seat| seat.session.last_offset() == base)
    }

    /// What is to be done with a batch.
    pub fn judge(&self, batch: &SessionBatch) -> Verdict {
        match self.seats.get(&batch.session) {
            Some(seat) => seat.session.judge(batch),
            None => self.state(batch.session).judge(batch),
        }
    }

    /// Takes note of a batch that is in the log, whatever `judge` says of it.
    pub fn fold(&mut self, batch: &SessionBatch) {
        match self.seats.get_mut(&batch.session) {
            Some(seat) => {
                seat.session.fold(batch);
                seat.idle_since = None;
            }
            None => {
                let seat = Seat { session: Session::first(batch), idle_since: None };
                self.seats.insert(batch.session, seat);
                self.keep_bounded();
            }
        }
    }

    /// Forgets sessions that are idle for longer than `expiration`, and says how
    /// many they were. How long a session is idle is known from the first look at
    /// it after its last batch on; no clock of a producer has a say.
    pub fn forget_idle(&mut self, now: Monotonic, expiration: Duration) -> usize {
        let before = self.seats.len();
        let forgotten = &mut self.forgotten;
        self.seats.retain(|&id, seat| {
            let since = *seat.idle_since.get_or_insert(now);
            let stays = now.since(since) < expiration;
            if !stays {
                *forgotten = forgotten.and(seat.forgotten(id));
            }
            stays
        });
        before - self.seats.len()
    }

    /// What was forgotten stays so, also where the log is read again.
    pub(crate) fn remember_forgotten(&mut self, of: &SessionTable) {
        self.forgotten = self.forgotten.and(of.forgotten);
    }

    /// Of too many sessions, those go whose last batch is the oldest; an eighth at
    /// once, since finding them takes a walk over all.
    fn keep_bounded(&mut self) {
        if self.seats.len() <= self.sessions_max {
            return;
        }
        let mut by_age: Vec<(Offset, i64)> =
            self.seats.iter().map(|(&id, seat)| (seat.session.last_offset(), id)).collect();
        let going = (self.sessions_max / 8).max(1);
        by_age.select_nth_unstable(going - 1);
        for (_, id) in &by_age[..going] {
            if let Some(seat) = self.seats.remove(id) {
                self.forgotten = self.forgotten.and(seat.forgotten(*id));
            }
        }
    }
}
