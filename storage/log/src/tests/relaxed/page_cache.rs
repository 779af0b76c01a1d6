//! Logs of `page-cache`: written before they are acknowledged, synced behind.

use super::*;
use pyralog_env::Disk;
use pyralog_model::{CleanupPolicy, Offset, UpkeepSettings};

#[test]
fn a_kill_loses_nothing_and_a_power_cut_a_tail() {
    let (mut lost, mut survived) = (0, 0);
    for seed in 0..60 {
        let mut rig = rig(LogOptions { segment_bytes: 8_000, ..small() });
        for time in 0..12 {
            rig.append(WRITTEN, &batch(2, 700, time)).unwrap();
        }
        rig.disk.kill_process();
        let Rig { disk, checkpoints, options, acknowledged, .. } = rig;
        let mut rig = Rig::open(disk, checkpoints, options).unwrap();
        rig.acknowledged = acknowledged;
        rig.check();
        // From here on it is on disk; what follows need not be.
        lead(&mut rig, WRITTEN);
        for time in 0..6 {
            rig.append(WRITTEN, &batch(1, 300, time)).unwrap();
        }
        let mut expect = rig.acknowledged.remove(&WRITTEN).unwrap();
        let mut rig = rig.reboot(seed);
        let Offset(end) = rig.logs[&WRITTEN].bounds().1;
        assert!((24..=30).contains(&end), "{end}");
        expect.retain(|(base, _)| *base < end);
        rig.acknowledged.insert(WRITTEN, expect);
        rig.check();
        lost += u64::from(end < 30);
        survived += u64::from(end > 24);
        // A reader of what is gone learns by the epoch where that began.
        let led = rig.epoch;
        lead(&mut rig, WRITTEN);
        assert!(rig.epoch > led);
        rig.append(WRITTEN, &batch(1, 300, 1)).unwrap();
        let (_, until) = rig.logs[&WRITTEN].epoch_end(Epoch(led)).unwrap().unwrap();
        assert_eq!(until, Offset(end));
        rig.check();
    }
    assert!(lost > 10 && survived > 10, "{lost} lost some, {survived} kept some");
}

#[test]
fn what_is_not_synced_is_bounded_over_all_logs() {
    let mut rig = rig(LogOptions { unsynced_bytes_max: 10_000, ..small() });
    let other = PartitionId::new(2, 1);
    rig.create_with(other, Durability::PageCache);
    for time in 0..9 {
        let id = if time % 2 == 0 { WRITTEN } else { other };
        rig.append(id, &batch(1, 1_000, time)).unwrap();
    }
    assert_eq!(rig.tasks.len(), 1, "{:?}", rig.tasks);
    let before = rig.disk.operations();
    rig.run_tasks();
    assert!(rig.disk.operations() > before);
    let mut rig = rig.reboot(1);
    assert_eq!(rig.report.torn_tails, 0);
    rig.check();
    lead(&mut rig, WRITTEN);
    for time in 0..3 {
        rig.append(WRITTEN, &batch(1, 1_000, time)).unwrap();
    }
    // A clean end syncs the rest.
    let tasks = rig.relaxed.finish();
    rig.tasks.extend(tasks);
    rig.run_tasks();
    rig.reboot(2).check();
}

#[test]
fn an_acknowledgement_waits_for_no_sync() {
    let mut rig = rig(small());
    for id in [WRITTEN, KEPT] {
        rig.append(id, &batch(1, 10, 1)).unwrap();
    }
    // The next sync of anything fails, and nobody meets it.
    rig.disk.fail_next_sync("/");
    for time in 0..20 {
        rig.append(WRITTEN, &batch(1, 1_000, time)).unwrap();
        rig.append(KEPT, &batch(1, 1_000, time)).unwrap();
    }
    rig.check();
    let strong = rig.append(P, &batch(1, 10, 1)).unwrap_err();
    assert!(matches!(strong, LogError::Failed { .. }), "{strong}");
}

#[test]
fn a_failed_sync_behind_is_final_and_the_next_does_not_hide_it() {
    let mut rig = rig(small());
    rig.append(WRITTEN, &batch(1, 1_000, 1)).unwrap();
    let log = rig.logs[&WRITTEN].clone();
    rig.disk.fail_next_sync(".segment");
    assert!(matches!(log.sync_behind(), Err(LogError::Failed { .. })));
    assert!(matches!(log.sync_behind(), Err(LogError::Failed { .. })));
    let refused = rig.append(WRITTEN, &batch(1, 1_000, 1)).unwrap_err();
    assert!(matches!(refused, LogError::Failed { .. }), "{refused}");
    assert!(rig.relaxed.failure().is_some());
}

#[test]
fn on_a_full_disk_what_is_stored_is_answered_and_the_rest_refused() {
    let mut rig = rig(LogOptions { segment_bytes: 1 << 20, ..small() });
    rig.append(WRITTEN, &batch(1, 10, 1)).unwrap();
    // Each is a write of its own: they are gathered up to a mebibyte.
    let large = batch(1, 600 << 10, 1);
    rig.disk.set_capacity(rig.disk.used_bytes() + (700 << 10));
    let appends = (0..3).map(|n| rig.submission(WRITTEN, 1 + n, std::slice::from_ref(&large)));
    let answers = rig.relaxed.step(appends.collect());
    assert!(matches!(answers[0], Completion::Accepted(_)), "{answers:?}");
    let full =
        |answer: &Completion| matches!(answer, Completion::Refused(LogError::DiskFull { .. }));
    assert!(answers[1..].iter().all(full), "{answers:?}");
    rig.acknowledged.get_mut(&WRITTEN).unwrap().push((1, large));
    rig.check();
    rig.disk.set_capacity(u64::MAX);
    rig.open_partition(WRITTEN);
    rig.append(WRITTEN, &batch(1, 10, 1)).unwrap();
    rig.check();
}

#[test]
fn old_records_are_looked_after_as_those_of_any_log() {
    let mut rig = rig(LogOptions { segment_bytes: 1_000, ..small() });
    let settings = UpkeepSettings { cleanup: CleanupPolicy::Compact, ..Default::default() };
    rig.logs[&WRITTEN].set_upkeep(settings);
    for time in 0..12 {
        let mut builder = pyralog_model::BatchBuilder::new();
        builder.push(time, Some(b"the key"), Some(&[7; 300]), &[]);
        rig.append(WRITTEN, &builder.finish().unwrap()).unwrap();
    }
    let log = rig.logs[&WRITTEN].clone();
    rig.writer.seal(&log).unwrap();
    assert_eq!(rig.compact(WRITTEN, 50_000).unwrap().unwrap().records_removed, 11);
    assert_eq!(log.sweep().unwrap(), 0);
    assert_eq!(rig.move_start(WRITTEN, 11).unwrap(), 11);
    rig.acknowledged.get_mut(&WRITTEN).unwrap().retain(|(base, _)| *base == 11);
    rig.append(WRITTEN, &batch(1, 10, 1)).unwrap();
    rig.check();
    let dir = paths::partition_dir(&pyramid(), WRITTEN);
    rig.writer.step(&rig.relaxed.finish()[0]);
    let rig = rig.reboot(1);
    rig.check();
    assert_eq!(rig.logs[&WRITTEN].bounds(), (Offset(11), Offset(13)));
    let segments = rig.disk.list(&dir).unwrap().into_iter();
    assert_eq!(segments.filter(|entry| entry.name.ends_with(".segment")).count(), 2);
}
