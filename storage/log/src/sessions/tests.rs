//! The table against a naive model that keeps every batch, and its file against
//! damage.

use super::snapshot::{decode, encode};
use super::*;
use crate::FrameHeader;
use proptest::prelude::*;
use pyralog_model::{Lsn, PartitionId, StoreId};
use std::collections::{HashMap, HashSet};

const WRAP: i64 = 1 << 31;
/// Of the model.
const SESSIONS: i64 = 3;

fn batch(session: i64, epoch: i16, base_sequence: i64, records: u32) -> SessionBatch {
    let base_sequence = base_sequence.rem_euclid(WRAP) as i32;
    SessionBatch { session, epoch, base_sequence, records, base_offset: Offset(0) }
}

fn at() -> SealedAt {
    SealedAt {
        store: StoreId(5),
        partition: PartitionId::new(3, 1),
        next_offset: Offset(77),
        last_lsn: Lsn(12),
    }
}

/// All batches there ever were, and the rules by their definition.
#[derive(Default)]
struct Naive {
    stored: Vec<SessionBatch>,
    /// Every session that was forgotten, as often as it was, and its epoch then.
    forgotten: Vec<(i64, i16)>,
    /// Batches before these do not count for their session any more.
    begins: HashMap<i64, usize>,
}

impl Naive {
    /// The batches of a session since it was forgotten, the last first.
    fn of(&self, session: i64) -> impl Iterator<Item = &SessionBatch> {
        let begin = self.begins.get(&session).copied().unwrap_or(0);
        self.stored[begin..].iter().rev().filter(move |b| b.session == session)
    }

    fn last(&self, session: i64) -> Option<&SessionBatch> {
        self.of(session).next()
    }

    /// Forgets all but one.
    fn forget_but(&mut self, stays: i64) {
        for session in (0..SESSIONS).filter(|session| *session != stays) {
            self.forgotten.extend(self.last(session).map(|last| (session, last.epoch)));
            self.begins.insert(session, self.stored.len());
        }
    }

    /// What is stored twice: a second batch of the same session, epoch and sequence,
    /// with the sequences not having wrapped between.
    fn stored_twice(&self) -> Option<&SessionBatch> {
        let mut seen = HashSet::new();
        let key = |b: &SessionBatch| (b.session, b.epoch, b.base_sequence);
        self.stored.iter().find(|b| !seen.insert(key(b)))
    }

    fn judge(&self, batch: &SessionBatch) -> Verdict {
        let Some(last) = self.last(batch.session) else {
            // Whatever it or a later one may have stored it must not store again.
            let may_be_stored = self.forgotten.iter().any(|(session, _)| batch.session <= *session)
                && self.forgotten.iter().any(|(_, epoch)| batch.epoch <= *epoch);
            let begins = batch.base_sequence == 0 && !may_be_stored;
            return if begins { Verdict::Next } else { Verdict::Unknown };
        };
        let of_session = || self.of(batch.session);
        if batch.epoch < last.epoch {
            return Verdict::Fenced { epoch: last.epoch };
        }
        if batch.epoch > last.epoch {
            let begins = batch.base_sequence == 0;
            return if begins { Verdict::Next } else { Verdict::OutOfOrder { expect: 0 } };
        }
        let run: Vec<&SessionBatch> = of_session().take_while(|b| b.epoch == batch.epoch).collect();
        let sequences = |b: &SessionBatch| {
            let base = i64::from(b.base_sequence);
            (0..i64::from(b.records)).map(move |n| (base + n) % WRAP).collect::<Vec<_>>()
        };
        let expect = (sequences(last).last().unwrap() + 1) % WRAP;
        let same = |b: &&&SessionBatch| {
            b.base_sequence == batch.base_sequence && b.records == batch.records
        };
        if i64::from(batch.base_sequence) == expect {
            Verdict::Next
        } else if let Some(kept) = run.iter().take(5).find(same) {
            Verdict::Duplicate { base_offset: kept.base_offset }
        } else {
            let stored: HashSet<i64> = run.iter().flat_map(|b| sequences(b)).collect();
            match sequences(batch).iter().all(|sequence| stored.contains(sequence)) {
                true => Verdict::DuplicateOld,
                false => Verdict::OutOfOrder { expect: expect as i32 },
            }
        }
    }
}

proptest! {
    #[test]
    fn verdicts_are_those_of_the_definition(
        from in prop_oneof![Just(0), (WRAP - 40)..WRAP],
        steps in proptest::collection::vec(
            (0..SESSIONS, -1i16..=1, -14i64..4, 1u32..5, 0u8..10, 0u8..20), 1..120),
    ) {
        let (mut table, mut naive) = (SessionTable::default(), Naive::default());
        let mut end = 0;
        let mut store = |table: &mut SessionTable, naive: &mut Naive, batch: SessionBatch| {
            let stored = SessionBatch { base_offset: Offset(end), ..batch };
            end += u64::from(stored.records);
            table.fold(&stored);
            naive.stored.push(stored);
        };
        // A session far along, as if what came before had long been cut off.
        store(&mut table, &mut naive, batch(0, 3, from, 2));
        for (session, newer, delta, records, kind, forget) in steps {
            if forget == 0 {
                forget_but(&mut table, session);
                naive.forget_but(session);
            }
            let last = naive.stored.iter().rev().find(|b| b.session == session);
            let (epoch, next) = last.map_or((0, 0), |b| {
                (b.epoch, i64::from(b.base_sequence) + i64::from(b.records))
            });
            let probe = match kind {
                // Most go on, so that there is something to look back on.
                0..4 => batch(session, epoch, next, records),
                // The retry of a batch that is stored.
                4 => last.map_or(batch(session, 0, 0, records), |stored| *stored),
                5 => batch(session, epoch + newer.max(0), 0, records),
                _ => batch(session, epoch + newer * i16::from(kind == 6), next + delta, records),
            };
            let verdict = table.judge(&probe);
            prop_assert_eq!(verdict, naive.judge(&probe), "{:?}", probe);
            prop_assert_eq!(table.state(session).judge(&probe), verdict);
            if verdict == Verdict::Next {
                store(&mut table, &mut naive, probe);
            }
        }
        prop_assert_eq!(naive.stored_twice(), None);
        prop_assert_eq!(decode(&encode(&table, &at()), &at()), Some(table));
    }

    #[test]
    fn a_damaged_snapshot_is_no_snapshot(
        sessions in 0i64..6, bit in any::<proptest::sample::Index>(), cut in any::<proptest::sample::Index>(),
    ) {
        let mut table = SessionTable::with_max(5);
        (0..sessions).for_each(|id| table.fold(&batch(id, 0, 0, 2)));
        let bytes = encode(&table, &at());
        let mut flipped = bytes.clone();
        let bit = bit.index(bytes.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(decode(&flipped, &at()), None);
        prop_assert_eq!(decode(&bytes[..cut.index(bytes.len())], &at()), None);
        prop_assert_eq!(decode(&bytes, &SealedAt { store: StoreId(6), ..at() }), None);
        prop_assert_eq!(decode(&bytes, &SealedAt { next_offset: Offset(78), ..at() }), None);
    }

    #[test]
    fn hostile_bytes_never_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..300), count in any::<u64>(),
    ) {
        // It is ours and of this place, the checksum too; the rest is anything.
        let sound = encode(&SessionTable::default(), &at());
        if bytes.len() >= sound.len() {
            bytes[..28].copy_from_slice(&sound[..28]);
            bytes[32..48].copy_from_slice(&sound[32..48]);
            let count = if count % 2 == 0 { count % 8 } else { count };
            bytes[56..64].copy_from_slice(&count.to_le_bytes());
            let crc = crate::keyed_crc::keyed_crc(at().store, &[&bytes[12..]]);
            bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        }
        let _ = decode(&bytes, &at());
    }
}

#[test]
fn a_retry_after_six_newer_batches_is_a_duplicate_without_an_offset() {
    let mut table = SessionTable::default();
    for n in 0..7 {
        table.fold(&SessionBatch { base_offset: Offset(10 + n), ..batch(1, 0, n as i64, 1) });
    }
    assert_eq!(table.judge(&batch(1, 0, 0, 1)), Verdict::DuplicateOld);
    let fifth = Verdict::Duplicate { base_offset: Offset(12) };
    assert_eq!(table.judge(&batch(1, 0, 2, 1)), fifth);
    assert_eq!(table.judge(&batch(1, 0, 9, 1)), Verdict::OutOfOrder { expect: 7 });
    // Never stored, though it lies behind: the sequences have not wrapped yet.
    assert_eq!(table.judge(&batch(1, 0, -3, 1)), Verdict::OutOfOrder { expect: 7 });
    assert_eq!(table.judge(&batch(2, 0, 1, 1)), Verdict::Unknown);
}

#[test]
fn what_was_forgotten_is_not_taken_for_new() {
    let (hour, day) = (Duration::from_secs(3_600), Duration::from_secs(86_400));
    let mut table = SessionTable::default();
    let start = Monotonic(0);
    table.fold(&batch(7, 0, 0, 1));
    assert_eq!(table.forget_idle(start, day), 0, "from the first look on it is idle");
    table.fold(&batch(4, 0, 0, 1));
    assert_eq!(table.forget_idle(start + hour, day), 0);
    assert_eq!(table.forget_idle(start + day, day), 1);
    assert_eq!((table.len(), table.state(7)), (1, SessionState::Forgotten { epoch: 0 }));
    for (epoch, sequence, verdict) in [
        (0, 0, Verdict::Unknown),
        (0, 5, Verdict::Unknown),
        (1, 0, Verdict::Next),
        (1, 5, Verdict::Unknown),
    ] {
        assert_eq!(table.judge(&batch(7, epoch, sequence, 1)), verdict, "{epoch} {sequence}");
    }
    assert_eq!(table.judge(&batch(8, 0, 0, 1)), Verdict::Next);
    // Used again, it is not idle.
    table.fold(&batch(4, 0, 1, 1));
    assert_eq!(table.forget_idle(start + day + hour, day), 0);
    let kept = decode(&encode(&table, &at()), &at()).unwrap();
    assert_eq!(kept, table);
    assert_eq!(kept.state(7), SessionState::Forgotten { epoch: 0 });
}

#[test]
fn a_retry_in_any_epoch_of_a_forgotten_session_is_not_taken_for_new() {
    let day = Duration::from_secs(86_400);
    let mut table = SessionTable::default();
    // A producer raises its epoch by itself after an error.
    table.fold(&batch(9, 0, 0, 1));
    table.fold(&batch(9, 2, 0, 1));
    assert_eq!(table.judge(&batch(9, 2, 0, 1)), Verdict::Duplicate { base_offset: Offset(0) });
    table.forget_idle(Monotonic(0), day);
    assert_eq!(table.forget_idle(Monotonic(0) + day, day), 1);
    let kept = decode(&encode(&table, &at()), &at()).unwrap();
    let mut cut_back = SessionTable::default();
    cut_back.remember_forgotten(&table);
    for table in [table, kept, cut_back] {
        for epoch in 0..=2 {
            assert_eq!(table.judge(&batch(9, epoch, 0, 1)), Verdict::Unknown, "{epoch}");
            assert_eq!(table.judge(&batch(5, epoch, 0, 1)), Verdict::Unknown, "{epoch}");
        }
        assert_eq!(table.judge(&batch(9, 3, 0, 1)), Verdict::Next);
        assert_eq!(table.judge(&batch(10, 0, 0, 1)), Verdict::Next, "it was never forgotten");
    }
}

/// Forgets all sessions of the model but one.
fn forget_but(table: &mut SessionTable, stays: i64) {
    let day = Duration::from_secs(86_400);
    for (id, seat) in &mut table.seats {
        seat.idle_since = (*id != stays).then_some(Monotonic(0));
    }
    table.forget_idle(Monotonic(0) + day, day);
}

#[test]
fn of_too_many_sessions_the_longest_idle_go() {
    let mut table = SessionTable::with_max(16);
    let fold = |table: &mut SessionTable, id, sequence, offset| {
        table.fold(&SessionBatch { base_offset: Offset(offset), ..batch(id, 0, sequence, 1) });
    };
    (0..16).for_each(|id| fold(&mut table, id, 0, id as u64));
    fold(&mut table, 0, 1, 16);
    fold(&mut table, 16, 0, 17);
    assert_eq!(table.len(), 15);
    assert_eq!(
        (table.state(1), table.state(2)),
        (SessionState::Forgotten { epoch: 0 }, SessionState::Forgotten { epoch: 0 })
    );
    assert!(matches!(table.state(0), SessionState::Known(_)), "it has written since");
    // Of the forgotten ones it is the greatest that counts; these are below it.
    assert!(matches!(table.state(3), SessionState::Known(_)));
}

#[test]
fn batches_without_a_session_are_none() {
    let header = FrameHeader {
        kind: crate::FrameKind::Append,
        batch_bytes: 61,
        lsn: Lsn(1),
        partition: at().partition,
        epoch: pyralog_model::Epoch(1),
        base_offset: Offset(4),
        record_count: 2,
        base_sequence: -1,
        session: -1,
        scarab_base: 0,
        synced_before: 0,
    };
    assert_eq!(SessionBatch::in_frame(&header, -1), None);
    let header = FrameHeader { session: 0, base_sequence: 0, ..header };
    let expect = SessionBatch { base_offset: Offset(4), ..batch(0, 2, 0, 2) };
    assert_eq!(SessionBatch::in_frame(&header, 2), Some(expect));
}
