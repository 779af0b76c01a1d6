//! A start that moves: it never goes back, nothing after it is lost, and what was
//! known of producers stays known.

use super::rig::{P, Rig, batch, pyramid, small};
use super::sessions::{append_some, in_session};
use crate::*;
use pyralog_env::Disk;
use pyralog_model::Offset;

fn options() -> LogOptions {
    LogOptions { segment_bytes: 4 << 10, ..small() }
}

/// Many segments, the tail of the last of them in the WAL.
fn rig(mutation: Option<Mutation>) -> Rig {
    let mut rig = Rig::new(LogOptions { mutation, ..options() });
    append_some(&mut rig, 0, 120);
    rig.run_tasks();
    rig.finish();
    append_some(&mut rig, 120, 5);
    assert!(rig.logs[&P].sizes().segments > 6);
    rig
}

fn sessions(rig: &Rig) -> SessionTable {
    rig.logs[&P].view(|view| view.sessions.clone())
}

/// Names in the partition's directory with this ending.
fn names(rig: &Rig, ending: &str) -> Vec<String> {
    let entries = rig.disk.list(&paths::partition_dir(&pyramid(), P)).unwrap();
    entries.into_iter().map(|entry| entry.name).filter(|name| name.ends_with(ending)).collect()
}

/// Where segments begin.
fn bases(rig: &Rig) -> Vec<u64> {
    rig.logs[&P].view(|view| view.segments.iter().map(|segment| segment.base().0).collect())
}

#[test]
fn what_lies_before_the_start_is_not_read_and_its_segments_go() {
    let mut rig = rig(None);
    let (known, before) = (sessions(&rig), bases(&rig));
    let end = rig.logs[&P].bounds().1.0;
    let start = before[3] + 1;
    assert_eq!(rig.move_start(P, start).unwrap(), start);
    assert_eq!(rig.logs[&P].bounds(), (Offset(start), Offset(end)));
    let below = rig.logs[&P].read(Offset(start - 1), 1).unwrap_err();
    assert!(matches!(below, LogError::OutOfRange { start: Offset(s), .. } if s == start));
    assert_eq!(bases(&rig), before[3..]);
    assert_eq!(names(&rig, ".segment").len(), before.len() - 3);
    // What was derived from the last one that is gone, and from those that are left.
    assert_eq!(names(&rig, ".offsets").len(), before.len() - 3);
    rig.check();
    for lower in [0, start - 1, start] {
        assert_eq!(rig.move_start(P, lower).unwrap(), start, "it never goes back");
    }
    let past = rig.move_start(P, end + 1).unwrap_err();
    assert!(matches!(past, LogError::OutOfRange { .. }), "{past}");
    let mut rig = rig.reboot(3);
    assert_eq!(rig.logs[&P].bounds(), (Offset(start), Offset(end)));
    assert_eq!(sessions(&rig), known);
    append_some(&mut rig, 125, 60);
    let known = sessions(&rig);
    let rig = rig.reboot(4);
    assert_eq!((sessions(&rig), rig.logs[&P].bounds().0), (known, Offset(start)));
}

#[test]
fn everything_up_to_the_end_may_go_and_the_log_goes_on() {
    let mut rig = rig(None);
    let (known, end) = (sessions(&rig), rig.logs[&P].bounds().1.0);
    assert_eq!(rig.move_start(P, end).unwrap(), end);
    assert_eq!(bases(&rig).len(), 1, "the active one stays");
    let mut rig = rig.reboot(5);
    assert_eq!(rig.logs[&P].bounds(), (Offset(end), Offset(end)));
    assert_eq!(sessions(&rig), known, "no sealed segment tells it any more");
    rig.append(P, &batch(1, 10, 1)).unwrap();
    rig.reboot(6);
}

#[test]
fn a_time_is_looked_for_after_the_start_only() {
    let mut rig = Rig::new(options());
    for n in 0..60 {
        rig.append(P, &batch(3, 100, 1_000 - n * 10)).unwrap();
    }
    rig.move_start(P, 31).unwrap();
    let base_at = |rig: &Rig, time, from| {
        let found = rig.logs[&P].batch_at_time(time, Offset(from)).unwrap();
        found.map(|batch| pyralog_model::BatchHeader::parse(&batch).unwrap().base_offset)
    };
    assert_eq!(base_at(&rig, 0, 0), Some(30), "the batch that holds the start");
    assert_eq!(base_at(&rig, 0, 33), Some(33));
    assert_eq!(base_at(&rig, 903, 0), None, "only earlier ones were as late");
    rig.finish();
    assert_eq!(base_at(&rig, 0, 0), Some(30), "and so in segments");
    assert_eq!(base_at(&rig, 0, 100), Some(99));
    assert_eq!(base_at(&rig, 903, 0), None);
}

#[test]
fn a_reader_that_has_a_segment_in_hand_reads_on() {
    let mut rig = rig(None);
    let first = rig.logs[&P].view(|view| view.segments[0].clone());
    rig.move_start(P, bases(&rig)[4]).unwrap();
    let mut slice = Slice::default();
    first.read(Offset(0), 1 << 20, &mut slice).unwrap();
    assert!(slice.bytes > 1_000);
}

#[test]
fn a_damaged_snapshot_is_made_again_before_its_segment_goes() {
    for ending in [".sessions", ".offsets"] {
        let mut rig = rig(None);
        let known = sessions(&rig);
        for index in 0..3 {
            rig.disk.flip_bit(&rig.file(ending, index), 20, 3).unwrap();
        }
        rig.move_start(P, bases(&rig)[3]).unwrap();
        assert_eq!(sessions(&rig.reboot(7)), known);
    }
}

#[test]
fn without_what_was_known_of_producers_nothing_is_started() {
    for ending in [".sessions", ".offsets"] {
        let mut rig = rig(None);
        let end = rig.logs[&P].bounds().1.0;
        rig.move_start(P, end).unwrap();
        let file = rig.file(ending, 0);
        rig.disk.remove_file(&file).unwrap();
        rig.disk.sync_dir(file.parent().unwrap()).unwrap();
        let refused = rig.try_reboot(8).map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("known of producers"), "{refused}");
    }
}

#[test]
fn a_full_disk_gives_room_back() {
    let mut rig = rig(None);
    append_some(&mut rig, 125, 40);
    rig.disk.set_capacity(rig.disk.used_bytes());
    let (used, to) = (rig.disk.used_bytes(), bases(&rig)[4]);
    assert_eq!(rig.move_start(P, to).unwrap(), to);
    assert!(rig.disk.used_bytes() < used - 8_192);
    rig.reboot(9);
}

/// The power goes in the middle of a move; afterwards the start is where it was
/// said to be, or, if nothing was said, where it was or where it should have been.
fn cut(mutation: Option<Mutation>, operations: u64, seed: u64) -> Result<bool, String> {
    let mut rig = rig(mutation);
    let before = bases(&rig);
    let known = sessions(&rig);
    rig.move_start(P, before[1] + 1).unwrap();
    let (low, high) = (before[1] + 1, before[5] + 1);
    rig.disk.arm_crash_at(operations);
    let said = rig.move_start(P, high);
    let finished = said.is_ok() && !rig.disk.is_off();
    let rig = rig.try_reboot(seed).map_err(|error| error.to_string())?;
    let start = rig.logs[&P].bounds().0.0;
    let may = if said.is_ok() { vec![high] } else { vec![low, high] };
    if !may.contains(&start) {
        return Err(format!("it begins at {start}, not at {may:?}"));
    }
    assert_eq!(sessions(&rig), known);
    let gone = before.iter().filter(|base| **base <= start).count() - 1;
    assert_eq!(bases(&rig), before[gone..]);
    assert_eq!(names(&rig, ".segment").len(), before.len() - gone, "leftovers are removed");
    Ok(finished)
}

/// Cuts in every operation of the move, each with some luck.
fn cuts(mutation: Option<Mutation>) -> Result<u64, String> {
    for operations in 0.. {
        let mut finished = true;
        for seed in 0..6 {
            finished &= cut(mutation, operations, seed * 1_000 + operations)?;
        }
        if finished {
            return Ok(operations);
        }
    }
    unreachable!("a move ends")
}

#[test]
fn power_cuts_leave_the_start_where_it_was_said_to_be() {
    let operations = cuts(None).unwrap();
    assert!(operations > 10, "only {operations} operations were cut");
}

#[test]
fn planted_bugs_of_a_moving_start_are_found() {
    for (mutation, expect) in
        [(Mutation::RemoveBeforeStartSaved, "are missing"), (Mutation::StartNotSaved, "")]
    {
        let found = cuts(Some(mutation)).unwrap_err();
        assert!(found.contains(expect), "{mutation:?}: {found}");
    }
}

#[test]
fn a_retry_from_before_the_start_is_still_known() {
    let mut rig = Rig::new(options());
    let sent = in_session(batch(1, 50, 1), 7, 0, 0);
    rig.append(P, &sent).unwrap();
    for n in 0..80 {
        rig.append(P, &batch(1, 400, n)).unwrap();
    }
    rig.finish();
    rig.move_start(P, 70).unwrap();
    let rig = rig.reboot(10);
    let judged = match rig.logs[&P].session(7).0 {
        SessionState::Known(session) => session.judge(&SessionBatch {
            session: 7,
            epoch: 0,
            base_sequence: 0,
            records: 1,
            base_offset: Offset(0),
        }),
        other => panic!("{other:?}"),
    };
    assert_eq!(judged, Verdict::Duplicate { base_offset: Offset(0) });
}
