//! Retention over the disk: what is to go goes, durably, and what has come meanwhile
//! stays.

use super::rig::{P, Rig, batch, small};
use super::sessions::append_some;
use crate::*;
use pyralog_env::WallMillis;
use pyralog_model::{Offset, UpkeepSettings};

fn rig(settings: UpkeepSettings) -> Rig {
    let mut rig = Rig::new(LogOptions { segment_bytes: 4 << 10, ..small() });
    append_some(&mut rig, 0, 120);
    rig.finish();
    append_some(&mut rig, 120, 5);
    rig.logs[&P].set_upkeep(settings);
    rig
}

fn by_age(ms: u64) -> UpkeepSettings {
    UpkeepSettings { retention_ms: Some(ms), ..UpkeepSettings::default() }
}

fn expiry_at(rig: &Rig, now: i64) -> Option<Expiry> {
    expiry(&rig.logs[&P], WallMillis(now), rig.logs[&P].bounds().1)
}

#[test]
fn nothing_goes_before_anybody_has_said_so() {
    let mut rig = Rig::new(small());
    rig.append(P, &batch(1, 10, 1)).unwrap();
    rig.finish();
    assert_eq!(expiry_at(&rig, i64::MAX), None);
    rig.logs[&P].set_upkeep(UpkeepSettings::default());
    assert_eq!(expiry_at(&rig, i64::MAX), None, "by default everything is kept");
}

#[test]
fn old_segments_go_and_the_others_stay() {
    let mut rig = rig(by_age(50));
    let segments = rig.logs[&P].sizes().segments;
    let expiry = expiry_at(&rig, 100).unwrap();
    assert!(!expiry.seal && expiry.start.0 > 0);
    let log = rig.logs[&P].clone();
    assert_eq!(rig.writer.expire(&log, expiry).unwrap(), expiry.start);
    assert!(log.sizes().segments < segments && log.bounds().0 == expiry.start);
    assert_eq!(expiry_at(&rig, 100), None, "the next one has a record that is young enough");
    rig.check();
    drop(log);
    assert_eq!(rig.reboot(1).logs[&P].bounds().0, expiry.start);
}

#[test]
fn everything_goes_and_what_has_come_meanwhile_stays() {
    for late in [false, true] {
        let mut rig = rig(by_age(50));
        let known = rig.logs[&P].view(|view| view.sessions.clone());
        let end = rig.logs[&P].bounds().1;
        let expiry = expiry_at(&rig, 1_000).unwrap();
        assert_eq!(expiry, Expiry { start: end, seal: true });
        if late {
            rig.append(P, &batch(1, 10, 1_000)).unwrap();
        }
        let log = rig.logs[&P].clone();
        rig.writer.expire(&log, expiry).unwrap();
        let end = Offset(end.0 + u64::from(late));
        assert_eq!(log.bounds(), (expiry.start, end));
        assert_eq!(log.sizes().segments, 1 + usize::from(late));
        rig.check();
        drop(log);
        let mut rig = rig.reboot(2);
        assert_eq!(rig.logs[&P].bounds(), (expiry.start, end));
        assert!(rig.logs[&P].view(|view| view.sessions == known), "producers are known still");
        rig.append(P, &batch(1, 10, 1)).unwrap();
        rig.reboot(3);
    }
}

/// The power goes after so many operations of letting go of everything.
fn cut(operations: u64, seed: u64) -> bool {
    let mut rig = rig(by_age(50));
    let end = rig.logs[&P].bounds().1;
    let expiry = expiry_at(&rig, 1_000).unwrap();
    let log = rig.logs[&P].clone();
    rig.disk.arm_crash_at(operations);
    let said = rig.writer.expire(&log, expiry);
    let finished = said.is_ok() && !rig.disk.is_off();
    drop(log);
    let mut rig = rig.reboot(seed);
    let start = rig.logs[&P].bounds().0;
    assert!(start == end || said.is_err() && start == Offset(0), "{start} after {said:?}");
    rig.append(P, &batch(1, 10, 1)).unwrap();
    rig.reboot(seed + 1);
    finished
}

#[test]
fn power_cuts_leave_everything_or_nothing() {
    for operations in 0.. {
        if (0..4).all(|seed| cut(operations, seed * 1_000 + operations)) {
            assert!(operations > 15, "only {operations} operations were cut");
            return;
        }
    }
}

#[test]
fn a_full_disk_seals_nothing_and_goes_on() {
    let mut rig = rig(by_age(50));
    rig.disk.set_capacity(rig.disk.used_bytes());
    let log = rig.logs[&P].clone();
    let full = rig.writer.seal(&log).unwrap_err();
    assert!(matches!(full, LogError::DiskFull { .. }), "{full}");
    assert_eq!(rig.writer.failure(), None);
    rig.check();
    rig.disk.set_capacity(u64::MAX);
    for n in 0..30 {
        rig.append(P, &batch(2, 100, n)).unwrap();
    }
    rig.writer.seal(&log).unwrap();
    drop(log);
    rig.check();
    rig.reboot(4);
}

#[test]
fn a_seal_without_room_leaves_no_name_for_later() {
    let mut refused = 0;
    for room in 0..6 {
        for seed in 0..40 {
            let mut rig = rig(by_age(50));
            rig.finish();
            rig.disk.set_capacity(rig.disk.used_bytes() + room * 4_096);
            let log = rig.logs[&P].clone();
            // The segment that was not sealed grows past where its successor would begin.
            for n in 0..3 {
                refused += u32::from(rig.writer.seal(&log).is_err());
                rig.append(P, &batch(1, 10, n)).unwrap();
            }
            drop(log);
            rig.reboot(seed);
        }
    }
    assert!(refused >= 300, "{refused} of 720 found no room");
}

#[test]
fn a_size_is_kept_to() {
    let mut rig = rig(UpkeepSettings { retention_bytes: Some(9_000), ..Default::default() });
    let log = rig.logs[&P].clone();
    let expiry = expiry_at(&rig, 0).unwrap();
    rig.writer.expire(&log, expiry).unwrap();
    let sizes = log.sizes();
    let bytes = sizes.segment_bytes + sizes.tail_bytes as u64;
    assert!((9_000..14_000).contains(&bytes), "{bytes}");
    rig.check();
}
