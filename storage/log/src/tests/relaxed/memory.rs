//! Logs in memory: budgets, offsets, what goes and when.

use super::*;
use bytes::Bytes;
use pyralog_env::WallMillis;
use pyralog_model::{Offset, UpkeepSettings};

const OTHER: PartitionId =
    PartitionId { log: pyralog_model::LogNumber(4), partition: pyralog_model::PartitionNumber(1) };

fn start(rig: &Rig, id: PartitionId) -> u64 {
    rig.logs[&id].bounds().0.0
}

fn set(rig: &Rig, change: impl FnOnce(&mut UpkeepSettings)) {
    let mut settings = UpkeepSettings::default();
    change(&mut settings);
    rig.logs[&KEPT].set_upkeep(settings);
}

#[test]
fn a_log_keeps_the_newest_records_within_its_budget() {
    let mut rig = rig(LogOptions { memory_log_bytes: 20_000, ..small() });
    for time in 0..100 {
        rig.append(KEPT, &batch(2, 1_000, time)).unwrap();
        let bytes = rig.logs[&KEPT].memory_bytes();
        assert!(bytes <= 20_000 && (time < 20 || bytes > 15_000), "{bytes} at {time}");
    }
    rig.check();
    let begin = start(&rig, KEPT);
    assert!((170..196).contains(&begin), "{begin}");
    let before = rig.logs[&KEPT].read(Offset(begin - 1), 100).unwrap_err();
    assert!(matches!(before, LogError::OutOfRange { .. }), "{before}");
    let found = rig.logs[&KEPT].batch_at_time(0, Offset(0)).unwrap().unwrap();
    assert_eq!(pyralog_model::BatchHeader::verify(&found).unwrap().base_offset as u64, begin);
    // The log's own setting says more, or less.
    set(&rig, |settings| settings.retention_bytes = Some(5_000));
    rig.append(KEPT, &batch(2, 1_000, 1)).unwrap();
    assert!(rig.logs[&KEPT].memory_bytes() <= 5_000);
    set(&rig, |settings| settings.retention_bytes = Some(1));
    rig.append(KEPT, &batch(2, 1_000, 1)).unwrap();
    assert_eq!(start(&rig, KEPT), 202, "what was just acknowledged stays");
    rig.check();
}

#[test]
fn all_logs_together_let_go_of_the_oldest() {
    let options = LogOptions { memory_bytes_max: 40_000, ..small() };
    let mut rig = rig(options);
    rig.create_with(OTHER, Durability::Memory);
    for time in 0..10 {
        rig.append(OTHER, &batch(1, 1_000, time)).unwrap();
    }
    for time in 0..15 {
        rig.append(KEPT, &batch(1, 1_000, time)).unwrap();
    }
    assert_eq!((start(&rig, OTHER), start(&rig, KEPT)), (0, 0));
    for time in 0..8 {
        rig.append(KEPT, &batch(1, 1_000, time)).unwrap();
        assert!(rig.relaxed.counts().memory_bytes <= 40_000);
    }
    assert!(start(&rig, OTHER) > 0 && start(&rig, KEPT) == 0, "those of the other are older");
    for time in 0..12 {
        rig.append(KEPT, &batch(1, 1_000, time)).unwrap();
    }
    assert_eq!(start(&rig, OTHER), 10, "all of it is older");
    assert!(start(&rig, KEPT) > 0);
    rig.check();
    // What was deleted does not count.
    rig.move_start(KEPT, 35).unwrap();
    for time in 0..20 {
        rig.append(OTHER, &batch(1, 1_000, time)).unwrap();
    }
    assert_eq!((start(&rig, OTHER), start(&rig, KEPT)), (10, 35));
    rig.one(Submission::Close(OTHER));
    rig.append(KEPT, &batch(1, 10, 1)).unwrap();
    assert!(rig.relaxed.counts().memory_bytes < 1_000);
}

#[test]
fn records_go_by_age_and_by_request() {
    let mut rig = rig(small());
    for time in [1_000, 2_000, 9_000, 3_000, 9_500] {
        rig.append(KEPT, &batch(2, 100, time)).unwrap();
    }
    let log = rig.logs[&KEPT].clone();
    set(&rig, |settings| settings.retention_ms = Some(1_000));
    let expired = expiry(&log, WallMillis(9_900), log.bounds().1).unwrap();
    assert_eq!(expired, Expiry { start: Offset(4), seal: false });
    assert_eq!(rig.writer.expire(&log, expired).unwrap(), Offset(4));
    assert_eq!(expiry(&log, WallMillis(9_900), log.bounds().1), None);
    set(&rig, |settings| settings.retention_bytes = Some(700));
    let expired = expiry(&log, WallMillis(0), log.bounds().1).unwrap();
    assert_eq!(expired.start, Offset(8), "one batch of 300 bytes and its frame");
    assert_eq!(expiry(&log, WallMillis(0), Offset(6)).unwrap().start, Offset(6));
    rig.check();
    // In the middle of a batch, which is kept whole; to the end; past it.
    assert_eq!(rig.move_start(KEPT, 7).unwrap(), 7);
    rig.check();
    assert_eq!(rig.logs[&KEPT].read(Offset(7), 1_000).unwrap().pieces.len(), 2);
    assert_eq!(rig.move_start(KEPT, 3).unwrap(), 7);
    assert_eq!(rig.move_start(KEPT, 10).unwrap(), 10);
    assert!(matches!(rig.move_start(KEPT, 11), Err(LogError::OutOfRange { .. })));
    assert_eq!(log.memory_bytes(), 0);
    rig.append(KEPT, &batch(2, 100, 1)).unwrap();
    rig.check();
    assert!(!is_to_be_sealed(&log, WallMillis(i64::MAX), pyralog_env::Monotonic(u64::MAX)));
    rig.writer.seal(&log).unwrap();
}

#[test]
fn offsets_go_on_above_what_was_given_out() {
    let options = LogOptions { offset_block: 10, ..small() };
    let mut rig = rig(options);
    for _ in 0..2 {
        rig.append(KEPT, &batch(3, 10, 1)).unwrap();
        assert_eq!(rig.logs[&KEPT].offsets_reserved(), Offset(13), "ten more than the first");
        assert!(rig.tasks.is_empty(), "enough are reserved");
    }
    rig.append(KEPT, &batch(3, 10, 1)).unwrap();
    assert!(matches!(rig.tasks.front(), Some(WriterTask::Reserve(_))), "{:?}", rig.tasks);
    rig.append(KEPT, &batch(1, 10, 1)).unwrap();
    assert_eq!(rig.tasks.len(), 1, "asked for once");
    rig.run_tasks();
    assert_eq!(rig.logs[&KEPT].offsets_reserved(), Offset(20));
    rig.append(KEPT, &batch(50, 10, 1)).unwrap();
    assert_eq!(rig.logs[&KEPT].offsets_reserved(), Offset(70), "more than was reserved");
    rig.acknowledged.remove(&KEPT);
    let mut rig = rig.reboot(3);
    assert_eq!(rig.logs[&KEPT].bounds(), (Offset(70), Offset(70)));
    // After a clean end, at the very offset.
    lead(&mut rig, KEPT);
    rig.append(KEPT, &batch(4, 10, 1)).unwrap();
    let tasks = rig.relaxed.finish();
    rig.tasks.extend(tasks);
    rig.run_tasks();
    let late = rig.append(KEPT, &batch(1, 10, 1)).unwrap_err();
    assert!(matches!(late, LogError::Failed { .. }), "{late}");
    rig.acknowledged.remove(&KEPT);
    assert_eq!(rig.reboot(4).logs[&KEPT].bounds(), (Offset(74), Offset(74)));
}

#[test]
fn nothing_is_written_for_records() {
    let mut rig = rig(small());
    rig.append(KEPT, &batch(1, 10, 1)).unwrap();
    let before = rig.disk.operations();
    for time in 0..1_000 {
        rig.append(KEPT, &batch(3, 200, time)).unwrap();
    }
    assert_eq!(rig.disk.operations(), before);
}

#[test]
fn sessions_outlive_the_records_that_made_them() {
    let mut rig = rig(LogOptions { memory_log_bytes: 3_000, ..small() });
    for n in 0..40 {
        let sent: Bytes =
            crate::tests::sessions::in_session(batch(1, 300, 1), n % 2, 0, n as i32 / 2);
        rig.append(KEPT, &sent).unwrap();
    }
    let log = &rig.logs[&KEPT];
    assert!(log.bounds().0 > Offset(20));
    assert_eq!(log.sessions(), 2);
    let epoch = log.last_epoch();
    assert_eq!(log.epoch_end(epoch).unwrap(), Some((epoch, Offset(40))));
}
