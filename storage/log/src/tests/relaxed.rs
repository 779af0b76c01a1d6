//! Logs that promise less than a sync: what is kept of them, and what they must not do
//! to those that promise all. Their kills and power cuts are `tests/simulator`'s.

mod memory;
mod page_cache;

use super::rig::{P, Rig, batch, pyramid, small};
use crate::*;
use pyralog_model::{Durability, Epoch, PartitionId};

/// A log of `page-cache`.
const WRITTEN: PartitionId =
    PartitionId { log: pyralog_model::LogNumber(2), partition: pyralog_model::PartitionNumber(0) };
/// A log in memory.
const KEPT: PartitionId =
    PartitionId { log: pyralog_model::LogNumber(3), partition: pyralog_model::PartitionNumber(0) };

fn rig(options: LogOptions) -> Rig {
    let mut rig = Rig::new(options);
    rig.create_with(WRITTEN, Durability::PageCache);
    rig.create_with(KEPT, Durability::Memory);
    rig
}

/// Leads the partition in an epoch that no start has led.
fn lead(rig: &mut Rig, id: PartitionId) {
    rig.epoch = rig.open_partition(id).last_epoch.0 + 1;
}

#[test]
fn each_committer_takes_its_own_logs_only() {
    let mut rig = rig(small());
    let stray = rig.committer.step(vec![Submission::Open(rig.logs[&WRITTEN].clone())]).remove(0);
    assert!(matches!(stray, Completion::Refused(LogError::Durability { .. })), "{stray:?}");
    let stray = rig.relaxed.step(vec![Submission::Open(rig.logs[&P].clone())]).remove(0);
    assert!(matches!(stray, Completion::Refused(LogError::Durability { .. })), "{stray:?}");
    for id in [WRITTEN, KEPT] {
        rig.append(id, &batch(1, 10, 1)).unwrap();
        let cut = rig.truncate(id, 0).unwrap_err();
        assert!(matches!(cut, LogError::Durability { .. }), "{cut}");
    }
    rig.check();
    assert_eq!(rig.committer.counts().rounds, 0, "nothing of them is in the WAL");
}

#[test]
fn an_older_generation_and_a_gap_are_refused() {
    let mut rig = rig(small());
    for id in [WRITTEN, KEPT] {
        let sent = batch(1, 10, 1);
        let old = rig.submission(id, 0, std::slice::from_ref(&sent));
        rig.open_partition(id);
        let gap = rig.submission(id, 1, std::slice::from_ref(&sent));
        let first = rig.submission(id, 0, std::slice::from_ref(&sent));
        let answers = rig.relaxed.step(vec![old, gap, first, Submission::Barrier]);
        assert!(matches!(answers[0], Completion::Refused(LogError::Fenced { .. })), "{answers:?}");
        assert!(matches!(answers[1], Completion::Refused(LogError::Fenced { .. })), "{answers:?}");
        assert!(matches!(answers[2], Completion::Accepted(_)), "{answers:?}");
        assert!(matches!(answers[3], Completion::Passed), "{answers:?}");
        rig.one(Submission::Close(id));
        assert!(matches!(rig.append(id, &sent), Err(LogError::NotOpen(_))));
    }
}

#[test]
fn a_hole_that_weaker_frames_leave_in_the_wal_is_found() {
    let options = LogOptions { mutation: Some(Mutation::HoleInWal), ..small() };
    let mut rig = rig(options);
    rig.append(P, &batch(1, 10, 1)).unwrap();
    // The planted bug: it gets a round of the WAL, which is not written.
    let log = rig.logs[&WRITTEN].clone();
    rig.committer.step(vec![Submission::Open(log)]);
    let stray = rig.submission(WRITTEN, 0, &[batch(1, 10, 1)]);
    let taken = rig.committer.step(vec![stray]).remove(0);
    assert!(matches!(taken, Completion::Appended(_)), "{taken:?}");
    rig.append(P, &batch(1, 10, 1)).unwrap();
    let refused = rig.try_reboot(1).err().expect("the second append cannot be told from damage");
    assert!(refused.to_string().contains("is missing before it"), "{refused}");
}

#[test]
fn a_log_is_what_it_was_made_as_after_a_restart() {
    let mut rig = rig(small());
    for id in [P, WRITTEN, KEPT] {
        rig.append(id, &batch(2, 10, 1)).unwrap();
    }
    rig.acknowledged.remove(&KEPT);
    rig.acknowledged.remove(&WRITTEN);
    let rig = rig.reboot(5);
    let durability = |id| rig.logs[&id].durability();
    let all = [P, WRITTEN, KEPT].map(durability);
    assert_eq!(all, [Durability::Fsync, Durability::PageCache, Durability::Memory]);
}

#[test]
fn an_audit_knows_the_floor() {
    let mut rig = rig(small());
    for id in [WRITTEN, KEPT] {
        rig.append(id, &batch(2, 10, 1)).unwrap();
    }
    rig.finish();
    let tasks = rig.relaxed.finish();
    rig.tasks.extend(tasks);
    rig.run_tasks();
    let look = |rig: &Rig| {
        let checkpoints = rig.checkpoints.load().unwrap();
        let request = AuditRequest {
            disk: &rig.disk,
            pyramid: &pyramid(),
            store: super::rig::STORE,
            checkpoints: Some(&checkpoints),
            placed: None,
        };
        audit(&request, &mut |_| {}).findings
    };
    assert_eq!(look(&rig), []);
    let path = paths::floor_file(&paths::partition_dir(&pyramid(), KEPT));
    for (copy, severity) in [(0, "Repairable"), (4096, "Damage")] {
        rig.disk.flip_bit(&path, copy + 20, 0).unwrap();
        let findings = look(&rig);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(format!("{:?}", findings[0].severity), severity);
    }
    let refused = rig.try_reboot(1).err().expect("it is not known where the log goes on");
    assert!(refused.to_string().contains("floor"), "{refused}");
}

/// Whoever leads after a restart has another epoch than all before.
#[test]
fn no_epoch_is_led_twice_even_if_no_record_is_left_of_it() {
    let mut rig = rig(small());
    let mut led = [Epoch(0); 2];
    for seed in 0..20 {
        for (id, led) in [WRITTEN, KEPT].into_iter().zip(&mut led) {
            lead(&mut rig, id);
            assert!(Epoch(rig.epoch) > *led, "{id}: {} after {led}", rig.epoch);
            if seed % 3 > 0 {
                *led = Epoch(rig.epoch);
                rig.append(id, &batch(1, 10, 1)).unwrap();
            }
        }
        rig.acknowledged.clear();
        rig = rig.reboot(seed);
    }
}
