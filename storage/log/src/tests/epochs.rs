//! Where epochs end, against a walk over everything that can be read.

use super::rig::{P, Rig, batch, small};
use crate::*;
use pyralog_model::{Epoch, Offset, split_batches};

/// The same by reading all of it.
fn by_walking(log: &PartitionLog, asked: u32) -> Option<(Epoch, Offset)> {
    let (start, end) = log.bounds();
    let (mut from, mut found) = (start, None);
    while from < end {
        let slice = log.read(from, 8 << 10).unwrap();
        for (header, _) in split_batches(slice.pieces.concat().into()).unwrap() {
            let (base, epoch) = (Offset(header.base_offset as u64), header.leader_epoch as u32);
            if epoch > asked {
                return found.map(|epoch| (Epoch(epoch), base));
            }
            found = Some(epoch);
            from = base.plus(header.records());
        }
    }
    found.map(|epoch| (Epoch(epoch), end))
}

#[track_caller]
fn check(rig: &Rig) {
    let log = &rig.logs[&P];
    for asked in 0..rig.epoch + 3 {
        let found = log.epoch_end(Epoch(asked)).unwrap();
        assert_eq!(found, by_walking(log, asked), "epoch {asked} of {}", rig.epoch);
    }
}

#[test]
fn the_end_of_every_epoch_is_found_before_and_after_restarts() {
    let mut rig = Rig::new(LogOptions { segment_bytes: 100 << 10, ..small() });
    check(&rig);
    for n in 0..900_u64 {
        // Some epochs have no record, some one, some more than a segment.
        rig.epoch += [0, 0, 0, 1, 0, 3][(n % 6) as usize] * u32::from(n % 300 < 60);
        rig.append(P, &batch(1 + n % 3, 300, n as i64)).unwrap();
        if n % 150 == 149 {
            check(&rig);
            rig.run_tasks();
            check(&rig);
            rig = rig.reboot(n);
            check(&rig);
        }
    }
    assert!(rig.logs[&P].sizes().segments > 4 && rig.epoch > 60);
    for start in [5, 100, 700, 1_400] {
        rig.move_start(P, start).unwrap();
        check(&rig);
    }
    check(&rig.reboot(1));
}

#[test]
fn a_cut_back_takes_its_epochs_along() {
    let mut rig = Rig::new(LogOptions { segment_bytes: 4 << 10, ..small() });
    for epoch in 1..30 {
        rig.epoch = epoch;
        rig.append(P, &batch(2, 200, i64::from(epoch))).unwrap();
    }
    rig.finish();
    for end in [41, 20, 3] {
        rig.truncate(P, end).unwrap();
        check(&rig);
        rig.epoch += 1;
        rig.append(P, &batch(2, 200, 1)).unwrap();
        check(&rig);
        rig = rig.reboot(end);
        check(&rig);
    }
}
