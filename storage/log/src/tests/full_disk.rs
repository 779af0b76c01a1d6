//! A disk without room, and a disk that fails.

use super::rig::{P, Rig, batch, small};
use crate::*;

#[test]
fn a_full_disk_is_said_and_writing_goes_on_when_there_is_room() {
    for direct_bytes_min in [1, usize::MAX] {
        let mut rig = Rig::new(LogOptions { direct_bytes_min, ..small() });
        rig.append(P, &batch(1, 3_000, 1)).unwrap();
        rig.disk.set_capacity(rig.disk.used_bytes() + 12_288);
        let refused = (0..200).find_map(|time| rig.append(P, &batch(1, 3_000, time)).err());
        let refused = refused.expect("the disk is full long before");
        let typed = matches!(refused, LogError::DiskFull { .. } | LogError::WalFull);
        assert!(typed, "{refused}");
        assert_eq!(rig.committer.failure(), None);
        rig.check();
        rig.disk.set_capacity(u64::MAX);
        rig.open_partition(P);
        for time in 0..30 {
            rig.append(P, &batch(1, 3_000, time)).unwrap();
        }
        rig.check();
        rig.reboot(3);
    }
}

#[test]
fn after_a_failed_sync_everything_is_refused_for_ever() {
    for (part, direct_bytes_min) in [("/wal/", usize::MAX), (".segment", 1)] {
        let mut rig = Rig::new(LogOptions { direct_bytes_min, ..small() });
        rig.append(P, &batch(1, 3_000, 1)).unwrap();
        rig.disk.fail_next_sync(part);
        for time in 0..5 {
            let refused = rig.append(P, &batch(1, 3_000, time)).unwrap_err();
            assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
        }
        assert!(rig.committer.failure().is_some());
        rig.check();
        // The batch of the failed sync may or may not have got there.
        rig.disk.crash(5);
        let sent = rig.acknowledged.clone();
        let mut rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
        rig.acknowledged = sent;
        let end = rig.logs[&P].bounds().1;
        assert!((1..=2).contains(&end.0), "{end}");
        rig.truncate(P, 1).unwrap();
        rig.check();
    }
}

#[test]
fn a_failed_sync_of_a_segment_loses_nothing_even_without_a_power_cut_between() {
    let mut rig = Rig::new(small());
    for time in 0..10 {
        rig.append(P, &batch(1, 3_000, time)).unwrap();
        if time == 4 {
            rig.finish();
        }
    }
    rig.disk.fail_next_sync(".segment");
    let task = rig.committer.finish();
    for _ in 0..2 {
        let report = rig.writer.step(&task);
        assert!(matches!(report, WriterReport::Failed(_)), "{report:?}");
    }
    // The process ends, and the page cache still shows what is lost.
    rig.disk.kill_process();
    let sent = rig.acknowledged.clone();
    let mut rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    rig.acknowledged = sent;
    rig.check();
    rig.reboot(11);
}

#[test]
fn the_segment_writer_does_not_vouch_for_what_the_committer_lost() {
    let mut rig = Rig::new(LogOptions { direct_bytes_min: 2_000, ..small() });
    rig.append(P, &batch(1, 100, 1)).unwrap();
    rig.append(P, &batch(1, 3_000, 2)).unwrap();
    for time in 3..6 {
        rig.append(P, &batch(1, 100, time)).unwrap();
    }
    // The tail is written with the bulk, and the sync of both fails.
    rig.disk.fail_next_sync(".segment");
    rig.append(P, &batch(1, 3_000, 6)).unwrap_err();
    let task = rig.committer.finish();
    let report = rig.writer.step(&task);
    assert!(matches!(report, WriterReport::Failed(_)), "{report:?}");
    rig.disk.crash(3);
    let sent = rig.acknowledged.clone();
    let mut rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    rig.acknowledged = sent;
    rig.truncate(P, 5).unwrap();
    rig.check();
}
