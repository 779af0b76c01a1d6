//! Batches of producers' sessions that are numbered and not yet decided.
//!
//! The log knows only what is durable. A producer sends its next batch before the
//! last one is, and a retry may come over another connection while the first try
//! is still on its way. So a batch is judged twice: by what the log has, and by
//! what it will have if everything in flight is stored.
//!
//! What rests on the log alone is final. What rests on batches in flight is not:
//! they may still be refused. Only *next* is acted upon then, for the batch would
//! be refused along with them; everything else waits until they are decided.

use pyralog_log::{Session, SessionBatch, SessionState, Verdict};
use pyralog_model::Offset;
use std::collections::{HashMap, VecDeque};

/// The sessions in flight.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    sessions: HashMap<i64, Ahead>,
    /// The end of each batch and its session, in the order of their offsets.
    queue: VecDeque<(Offset, i64)>,
}

/// A session as it will be, and how many of its batches are in flight.
#[derive(Debug)]
struct Ahead {
    session: Session,
    batches: usize,
}

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Number it and queue it.
    Store,
    /// It is durable, here.
    Stored(Offset),
    /// Wait until what is in flight is decided; this is what it looks like now.
    Wait(Verdict),
    /// Refuse it.
    Refuse(Verdict),
}

impl InFlight {
    /// Judges a batch of a session whose durable state is `durable`, as of `end`.
    pub(crate) fn decide(
        &mut self,
        batch: &SessionBatch,
        durable: &SessionState,
        end: Offset,
    ) -> Decision {
        self.forget_below(end);
        let verdict = durable.judge(batch);
        match (verdict, self.sessions.get(&batch.session)) {
            (Verdict::Duplicate { base_offset }, _) => Decision::Stored(base_offset),
            (Verdict::DuplicateOld | Verdict::Fenced { .. }, _) => Decision::Refuse(verdict),
            (Verdict::Next, None) => Decision::Store,
            (_, None) => Decision::Refuse(verdict),
            (_, Some(ahead)) => match ahead.session.judge(batch) {
                Verdict::Next => Decision::Store,
                verdict => Decision::Wait(verdict),
            },
        }
    }

    /// Takes note of a batch that is queued.
    pub(crate) fn note(&mut self, batch: &SessionBatch, durable: SessionState) {
        let end = batch.base_offset.plus(u64::from(batch.records));
        self.queue.push_back((end, batch.session));
        if let Some(ahead) = self.sessions.get_mut(&batch.session) {
            ahead.session.fold(batch);
            ahead.batches += 1;
            return;
        }
        let ahead = Ahead { session: durable.after(batch), batches: 1 };
        self.sessions.insert(batch.session, ahead);
    }

    /// Everything in flight is decided, and the log says how.
    pub(crate) fn clear(&mut self) {
        *self = InFlight::default();
    }

    fn forget_below(&mut self, end: Offset) {
        while let Some((_, session)) = self.queue.pop_front_if(|(of_batch, _)| *of_batch <= end) {
            let Some(ahead) = self.sessions.get_mut(&session) else { continue };
            ahead.batches -= 1;
            if ahead.batches == 0 {
                self.sessions.remove(&session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(base_sequence: i32, base_offset: u64) -> SessionBatch {
        let base_offset = Offset(base_offset);
        SessionBatch { session: 9, epoch: 0, base_sequence, records: 2, base_offset }
    }

    #[test]
    fn what_rests_on_batches_in_flight_waits() {
        let (mut in_flight, new) = (InFlight::default(), SessionState::New);
        let end = Offset(10);
        assert_eq!(in_flight.decide(&batch(0, 10), &new, end), Decision::Store);
        in_flight.note(&batch(0, 10), new.clone());
        assert_eq!(in_flight.decide(&batch(2, 12), &new, end), Decision::Store);
        in_flight.note(&batch(2, 12), new.clone());
        let again = in_flight.decide(&batch(0, 0), &new, end);
        assert_eq!(again, Decision::Wait(Verdict::Duplicate { base_offset: Offset(10) }));
        let gap = in_flight.decide(&batch(6, 0), &new, end);
        assert_eq!(gap, Decision::Wait(Verdict::OutOfOrder { expect: 4 }));
        // One of them is durable: the log answers for it, and the other goes on.
        let durable = SessionState::Known(new.clone().after(&batch(0, 10)));
        let end = Offset(12);
        assert_eq!(in_flight.decide(&batch(0, 0), &durable, end), Decision::Stored(Offset(10)));
        assert_eq!(in_flight.decide(&batch(4, 14), &durable, end), Decision::Store);
        let durable = SessionState::Known(durable.after(&batch(2, 12)));
        let gap = in_flight.decide(&batch(6, 0), &durable, Offset(14));
        assert_eq!(gap, Decision::Refuse(Verdict::OutOfOrder { expect: 4 }));
        assert!(in_flight.sessions.is_empty() && in_flight.queue.is_empty());
    }

    #[test]
    fn what_was_refused_never_was() {
        let (mut in_flight, new) = (InFlight::default(), SessionState::New);
        in_flight.note(&batch(0, 10), new.clone());
        in_flight.clear();
        assert_eq!(in_flight.decide(&batch(0, 10), &new, Offset(10)), Decision::Store);
        let next = in_flight.decide(&batch(2, 12), &new, Offset(10));
        assert_eq!(next, Decision::Refuse(Verdict::Unknown));
    }
}
