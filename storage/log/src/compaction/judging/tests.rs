//! Every fate of a batch.

use super::*;
use crate::{Frame, SessionBatch};
use pyralog_model::{BatchBuilder, Epoch, Lsn, PartitionId, stored_batches};

const NOW: WallMillis = WallMillis(10_000);

struct Case {
    keys: KeyMap,
    sessions: SessionTable,
    mapped_to: u64,
}

impl Case {
    /// Keys with their last offsets; the map ends at 1,000.
    fn new(latest: &[(&str, u64)]) -> Case {
        let mut keys = KeyMap::new(0);
        assert!(latest.iter().all(|(key, offset)| keys.insert(key.as_bytes(), Offset(*offset))));
        Case { keys, sessions: SessionTable::default(), mapped_to: 1_000 }
    }

    fn judge(&self, at: u64, batch: &Bytes, is_rewritten: bool, is_last: bool) -> (Fate, u64) {
        let judge = Judge {
            keys: &self.keys,
            mapped_to: Offset(self.mapped_to),
            sessions: &self.sessions,
            now: NOW,
            delete_retention_ms: 500,
            unopened: Cell::new(false),
            planted: Planted::default(),
        };
        let header = BatchHeader::parse(batch).unwrap();
        let id = PartitionId::new(1, 0);
        let frame = Frame::append(id, Lsn(1), Epoch(1), Offset(at), None, &header, batch.clone());
        let header = FrameHeader { record_count: header.offsets() as u32, ..frame.header };
        judge.judge(&Candidate { header: &header, batch, is_rewritten, is_last })
    }
}

fn batch(records: &[(Option<&str>, Option<&str>)]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (key, value) in records {
        builder.push(7, key.map(str::as_bytes), value.map(str::as_bytes), &[]);
    }
    builder.finish().unwrap()
}

/// Offset deltas of the records that are left, and the horizon.
fn left(fate: &Fate) -> (Vec<i32>, Option<i64>) {
    let Fate::Becomes(batch) = fate else { panic!("{fate:?}") };
    let (header, records) = opened(batch).unwrap();
    stored_batches(batch.clone()).unwrap();
    (records.iter().map(|record| record.offset_delta).collect(), header.delete_horizon())
}

#[test]
fn what_a_later_offset_supersedes_goes() {
    let three = batch(&[(Some("a"), Some("1")), (Some("b"), Some("2")), (None, Some("3"))]);
    assert_eq!(Case::new(&[]).judge(10, &three, false, false), (Fate::Stays, 0));
    assert_eq!(Case::new(&[("a", 10), ("b", 3)]).judge(10, &three, false, false).0, Fate::Stays);
    let (fate, gone) = Case::new(&[("a", 10), ("b", 12)]).judge(10, &three, false, false);
    assert_eq!((left(&fate), gone), ((vec![0, 2], None), 1));
    // What is left of it is judged like any other, at the offsets that it has.
    let Fate::Becomes(rest) = fate else { unreachable!() };
    let case = Case::new(&[("a", 11)]);
    let (fate, gone) = case.judge(10, &rest, true, false);
    assert_eq!((left(&fate), gone), ((vec![2], None), 1));
}

#[test]
fn of_nothing_only_what_is_needed_stays() {
    let one = batch(&[(Some("a"), Some("1"))]);
    let mut case = Case::new(&[("a", 99)]);
    assert_eq!(case.judge(10, &one, false, false), (Fate::Goes, 1));
    let (fate, gone) = case.judge(10, &one, false, true);
    assert_eq!((left(&fate), gone), ((vec![], None), 1), "the last of its file");
    let mut of_session = one.to_vec();
    of_session[43..51].copy_from_slice(&5_i64.to_be_bytes());
    of_session[51..57].fill(0);
    let of_session = Bytes::from(of_session);
    assert_eq!(case.judge(10, &of_session, false, false), (Fate::Goes, 1));
    let (session, epoch, base_sequence, records) = (5, 0, 0, 1);
    let base_offset = Offset(10);
    case.sessions.fold(&SessionBatch { session, epoch, base_sequence, records, base_offset });
    let (fate, _) = case.judge(10, &of_session, false, false);
    assert_eq!(left(&fate).0, Vec::<i32>::new(), "the last of its session");
    let Fate::Becomes(empty) = fate else { unreachable!() };
    assert_eq!(case.judge(10, &empty, true, false), (Fate::Stays, 0));
    let base_offset = Offset(77);
    case.sessions.fold(&SessionBatch { session, epoch, base_sequence: 1, records, base_offset });
    assert_eq!(case.judge(10, &empty, true, false), (Fate::Goes, 0));
}

#[test]
fn a_mark_of_deletion_is_told_its_time_once_and_goes_after_it() {
    let mark = batch(&[(Some("a"), None), (Some("b"), Some("x"))]);
    let mut case = Case::new(&[("a", 10)]);
    let (fate, gone) = case.judge(10, &mark, false, false);
    assert_eq!((left(&fate), gone), ((vec![0, 1], Some(10_500)), 0));
    let Fate::Becomes(stamped) = fate else { unreachable!() };
    assert_eq!(case.judge(10, &stamped, true, false), (Fate::Stays, 0), "not yet");
    case.mapped_to = 11;
    assert_eq!(case.judge(10, &mark, false, false), (Fate::Stays, 0), "not all of it is covered");
    // As if it had been written 500 ms earlier.
    let (header, records) = opened(&mark).unwrap();
    let over = rewrite_batch(&header, &mark, &records, Some(NOW.0));
    let (fate, gone) = case.judge(10, &over, true, false);
    assert_eq!((left(&fate), gone), ((vec![1], Some(NOW.0)), 1));
    // A producer's own is nobody's word.
    let (fate, gone) = case.judge(10, &over, false, false);
    assert_eq!((left(&fate), gone), ((vec![0, 1], None), 0));
}

#[test]
fn a_mark_stays_behind_what_cannot_be_opened() {
    let case = Case::new(&[]);
    let judge = Judge {
        keys: &case.keys,
        mapped_to: Offset(1_000),
        sessions: &case.sessions,
        now: NOW,
        delete_retention_ms: 0,
        unopened: Cell::new(false),
        planted: Planted::default(),
    };
    let mark = batch(&[(Some("a"), None)]);
    let mut closed = mark.to_vec();
    closed[22] |= 4;
    let closed = Bytes::from(closed);
    let parsed = BatchHeader::parse(&mark).unwrap();
    let id = PartitionId::new(1, 0);
    let frame = |batch: &Bytes| {
        Frame::append(id, Lsn(1), Epoch(1), Offset(5), None, &parsed, batch.clone()).header
    };
    let fate = |batch: &Bytes| {
        let header = frame(batch);
        let candidate = Candidate { header: &header, batch, is_rewritten: true, is_last: false };
        judge.judge(&candidate).0
    };
    assert_eq!(left(&fate(&mark)), (vec![0], Some(NOW.0)));
    assert_eq!(fate(&closed), Fate::Stays);
    assert_eq!(fate(&mark), Fate::Stays);
}

#[test]
fn records_that_contradict_each_other_are_left_alone() {
    let (header, mut records) = opened(&batch(&[(Some("a"), None); 3])).unwrap();
    assert!(placed(&header, records.clone()).is_some());
    records.remove(0);
    let sparse = BatchHeader { record_count: 2, ..header };
    assert!(placed(&sparse, records.clone()).is_some());
    records[1].offset_delta = 3;
    assert!(placed(&sparse, records.clone()).is_none(), "past its end");
    records[1].offset_delta = 1;
    assert!(placed(&sparse, records).is_none(), "twice the same");
}
