//! The store as its callers see it: what goes in comes out, whatever happens in
//! between. The seeded power cuts of `tests/simulator` go on from here.

mod audit;
mod compaction;
mod damage;
mod epochs;
mod expiring;
mod full_disk;
mod inspection;
mod relaxed;
pub(crate) mod rig;
mod scrub;
pub(crate) mod sessions;
mod starts;

use crate::*;
use bytes::Bytes;
use pyralog_model::{BatchHeader, Epoch, Offset, PartitionId};
use rig::{P, Rig, batch, small};

#[test]
fn what_is_appended_is_read_back_before_and_after_a_restart() {
    let mut rig = Rig::new(small());
    for size in [10, 3_000, 700, 1] {
        rig.append(P, &batch(3, size, 5)).unwrap();
    }
    rig.check();
    let rig = rig.reboot(1);
    assert_eq!(rig.report.frames_replayed, 4);
    assert_eq!(rig.logs[&P].bounds(), (Offset(0), Offset(12)));
    assert_eq!(rig.reboot(2).report.rounds, 0, "the WAL was settled by the first start");
}

#[test]
fn the_very_first_append_of_a_store_survives() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 10, 5)).unwrap();
    assert_eq!(rig.reboot(3).logs[&P].bounds().1, Offset(1));
}

#[test]
fn a_clean_end_leaves_nothing_to_replay() {
    let mut rig = Rig::new(small());
    for _ in 0..5 {
        rig.append(P, &batch(2, 2_000, 5)).unwrap();
    }
    rig.finish();
    rig.check();
    let rig = rig.reboot(1);
    assert_eq!((rig.report.rounds, rig.report.frames_replayed), (0, 0));
}

#[test]
fn a_full_segment_is_sealed_and_the_next_one_goes_on() {
    let mut rig = Rig::new(small());
    for time in 0..40 {
        rig.append(P, &batch(2, 2_000, time)).unwrap();
        rig.run_tasks();
    }
    rig.finish();
    rig.check();
    assert!(rig.logs[&P].sizes().segments > 3, "{:?}", rig.logs[&P].sizes());
    let dir = paths::partition_dir(&rig::pyramid(), P);
    let names: Vec<_> = pyralog_env::Disk::list(&rig.disk, &dir).unwrap();
    assert!(names.iter().any(|entry| entry.name.ends_with(".times")));
    rig.reboot(1);
}

#[test]
fn bulk_goes_straight_into_its_segment() {
    let mut rig = Rig::new(LogOptions { direct_bytes_min: 4_000, ..small() });
    rig.append(P, &batch(1, 100, 1)).unwrap();
    rig.append(P, &batch(1, 5_000, 2)).unwrap();
    rig.append(P, &batch(1, 100, 3)).unwrap();
    assert_eq!(rig.committer.counts().direct_writes, 1);
    assert_eq!(rig.committer.counts().rounds, 2);
    rig.check();
    for seed in 0..20 {
        rig = rig.reboot(seed);
        rig.append(P, &batch(4, 3_000, 4)).unwrap();
    }
}

#[test]
fn the_wal_goes_round_and_round() {
    for wal_direct in [false, true] {
        let mut rig = Rig::new(LogOptions { wal_direct, ..small() });
        let other = PartitionId::new(2, 5);
        rig.create(other);
        for time in 0..200 {
            let id = if time % 3 == 0 { other } else { P };
            rig.append(id, &batch(2, 300 + time as usize * 20, time)).unwrap();
            if time % 50 == 49 {
                rig = rig.reboot(time as u64);
            }
        }
        rig.check();
    }
}

#[test]
fn a_round_holds_many_partitions_and_a_step_many_rounds() {
    let mut rig = Rig::new(small());
    let ids: Vec<_> = (0..8).map(|number| PartitionId::new(3, number)).collect();
    ids.iter().for_each(|&id| rig.create(id));
    let sent = batch(2, 2_500, 1);
    let submissions = ids.iter().map(|&id| rig.submission(id, 0, &[sent.clone(), sent.clone()]));
    let submissions: Vec<_> = submissions.collect();
    let answers = rig.committer.step(submissions);
    assert!(answers.iter().all(|answer| matches!(answer, Completion::Appended(_))), "{answers:?}");
    assert!((2..5).contains(&rig.committer.counts().rounds), "{:?}", rig.committer.counts());
    for id in ids {
        rig.acknowledged.insert(id, vec![(0, sent.clone()), (2, sent.clone())]);
    }
    rig.reboot(5);
}

#[test]
fn a_cut_back_is_final() {
    let mut rig = Rig::new(small());
    for time in 0..30 {
        rig.append(P, &batch(4, 700, time)).unwrap();
        if time % 7 == 0 {
            rig.run_tasks();
        }
    }
    // In the tail, in the middle of a batch, in segments, and to nothing.
    for (asked, end) in [(117, 116), (90, 88), (20, 20), (3, 0)] {
        assert_eq!(rig.truncate(P, asked).unwrap(), Offset(end));
        rig.check();
        rig = rig.reboot(asked);
        rig.append(P, &batch(4, 500, 99)).unwrap();
        rig.finish();
    }
    let beyond = rig.truncate(P, 1_000).unwrap_err();
    assert!(matches!(beyond, LogError::OutOfRange { .. }), "{beyond}");
}

#[test]
fn epochs_do_not_go_back_even_when_their_records_are_cut_off() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 100, 1)).unwrap();
    rig.epoch = 9;
    rig.append(P, &batch(1, 100, 1)).unwrap();
    rig.truncate(P, 1).unwrap();
    rig.finish();
    let mut rig = rig.reboot(4);
    assert_eq!(rig.open_partition(P).last_epoch, Epoch(9));
    rig.epoch = 8;
    let refused = rig.append(P, &batch(1, 100, 1)).unwrap_err();
    assert!(matches!(refused, LogError::Fenced { .. }), "{refused}");
}

#[test]
fn a_cut_back_does_not_make_the_older_tail_look_stored() {
    // The first segment is sealed when the tail is written; the power goes at each
    // step of that.
    for operation in 0..24 {
        let mut rig = Rig::new(LogOptions { segment_bytes: 8_000, ..small() });
        rig.append(P, &batch(1, 6_000, 1)).unwrap();
        rig.finish();
        rig.append(P, &batch(1, 6_000, 2)).unwrap();
        rig.append(P, &batch(1, 6_000, 3)).unwrap();
        rig.append(P, &batch(1, 10, 4)).unwrap();
        rig.truncate(P, 3).unwrap();
        let task = rig.committer.finish();
        rig.disk.arm_crash_at(operation);
        rig.writer.step(&task);
        rig.reboot(operation);
    }
}

#[test]
fn older_generations_wrong_offsets_and_lower_epochs_are_refused() {
    let mut rig = Rig::new(small());
    let sent = batch(1, 10, 1);
    let old = rig.submission(P, 0, std::slice::from_ref(&sent));
    rig.open_partition(P);
    let gap = rig.submission(P, 1, std::slice::from_ref(&sent));
    rig.epoch = 3;
    let first = rig.submission(P, 0, std::slice::from_ref(&sent));
    rig.epoch = 2;
    let lower = rig.submission(P, 1, std::slice::from_ref(&sent));
    let answers = rig.committer.step(vec![old, gap, first, lower]);
    let refused =
        |answer: &Completion| matches!(answer, Completion::Refused(LogError::Fenced { .. }));
    assert_eq!(answers.iter().map(refused).collect::<Vec<_>>(), [true, true, false, true]);
    rig.one(Submission::Close(P));
    let closed = rig.append(P, &sent).unwrap_err();
    assert!(matches!(closed, LogError::NotOpen(_)), "{closed}");
}

#[test]
fn an_append_that_no_wal_file_holds_is_refused() {
    let mut rig = Rig::new(small());
    let refused = rig.append(P, &batch(1, 60_000, 1)).unwrap_err();
    assert!(matches!(refused, LogError::TooLarge { .. }), "{refused}");
    rig.append(P, &batch(1, 50_000, 1)).unwrap();
    rig.reboot(1);
}

#[test]
fn every_offset_and_every_time_is_found() {
    let mut rig = Rig::new(LogOptions { segment_bytes: 100_000, ..small() });
    let sent: Vec<Bytes> = (0..60).map(|n| batch(3, 1_500, n * 10)).collect();
    for (index, batch) in sent.iter().enumerate() {
        rig.append(P, batch).unwrap();
        if index == 40 {
            rig.run_tasks();
        }
    }
    for rig in [rig] {
        let log = &rig.logs[&P];
        for offset in 0..180 {
            let slice = log.read(Offset(offset), 1).unwrap();
            let bytes = Bytes::from(slice.pieces.concat());
            let header = BatchHeader::verify(&bytes).unwrap();
            assert_eq!(header.base_offset as u64, offset / 3 * 3);
        }
        for time in 0..600 {
            let found = log.batch_at_time(time, Offset::ZERO).unwrap();
            // Batch n has the times 10n, 10n + 1 and 10n + 2.
            let expect = (0..60).find(|n| n * 10 + 2 >= time).map(|n| n * 3);
            let base = found.map(|bytes| BatchHeader::verify(&bytes).unwrap().base_offset);
            assert_eq!(base, expect, "time {time}");
        }
        assert!(log.read(Offset(180), 1).unwrap().pieces.is_empty());
        let outside = log.read(Offset(181), 1).unwrap_err();
        assert!(matches!(outside, LogError::OutOfRange { .. }), "{outside}");
    }
}

#[test]
fn a_deleted_log_does_not_come_back_and_holds_nobody_up() {
    let mut rig = Rig::new(small());
    let doomed = PartitionId::new(9, 0);
    rig.create(doomed);
    for time in 0..12 {
        rig.append(doomed, &batch(2, 2_000, time)).unwrap();
        rig.append(P, &batch(2, 2_000, time)).unwrap();
    }
    rig.one(Submission::Close(doomed));
    rig.acknowledged.remove(&doomed);
    for time in 0..60 {
        rig.append(P, &batch(2, 2_000, time)).unwrap();
    }
    // A crash before the files are gone: the log is there once more, and whole.
    let mut rig = rig.reboot(8);
    assert_eq!(rig.logs[&doomed].bounds().1, Offset(24));
    rig.append(doomed, &batch(2, 2_000, 0)).unwrap();
    rig.one(Submission::Close(doomed));
    rig.acknowledged.remove(&doomed);
    delete_log(&rig.disk, &rig::pyramid(), doomed.log).unwrap();
    rig.writer.step(&WriterTask::Forget(doomed.log));
    for time in 0..60 {
        rig.append(P, &batch(2, 2_000, time)).unwrap();
    }
    let rig = rig.reboot(9);
    assert!(!rig.logs.contains_key(&doomed));
}
