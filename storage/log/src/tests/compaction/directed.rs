//! One case after the other.

use super::super::sessions::in_session;
use super::*;
use crate::tests::rig::pyramid;
use pyralog_env::Disk;

/// Six rounds of values for a few keys, and a mark of deletion, all sealed. A few of
/// the segments together are as large as one may be.
pub(super) fn written(mutation: Option<Mutation>) -> World {
    let mut world = World::new(mutation);
    for round in 0..6 {
        for key in 0..20 {
            let value = format!("{round}-{}", "v".repeat(80));
            world.put(&format!("k{key}"), Some(&value));
        }
        world.now += 10;
    }
    world.put("k3", None);
    world.seal();
    world.log().set_segment_bytes(8 << 10);
    world
}

fn names(world: &World, ending: &str) -> Vec<String> {
    let entries = world.rig.disk.list(&paths::partition_dir(&pyramid(), P)).unwrap();
    entries.into_iter().map(|entry| entry.name).filter(|name| name.ends_with(ending)).collect()
}

#[test]
fn of_every_key_the_last_record_stays_at_its_offset() {
    let mut world = written(None);
    let before = world.log().sizes();
    let report = world.round().unwrap().unwrap();
    assert_eq!((report.cleaned.0, report.records_removed), (121, 101));
    assert!(report.segments_written > 0 && report.bytes_read > report.bytes_written);
    let visible = world.visible().unwrap();
    let expect: Vec<u64> = (100..121).filter(|offset| *offset != 103).collect();
    assert_eq!(visible.keys().copied().collect::<Vec<_>>(), expect);
    world.check().unwrap();
    let after = world.log().sizes();
    assert!(after.segment_bytes < before.segment_bytes / 2 && world.log().has_gaps());
    assert!(after.segments > 1 && after.segments < before.segments / 2, "{after:?}");
    assert_eq!(world.round().unwrap(), None, "nothing is dirty");
    assert_eq!(world.log().sweep().unwrap(), 0);
    assert_eq!(names(&world, ".segment").len(), world.log().sizes().segments);
    let world = world.reboot(1).unwrap();
    assert_eq!(world.visible().unwrap(), visible);
    assert_eq!(world.log().cleaned().0, 121);
}

#[test]
fn a_mark_of_deletion_stays_for_its_time_and_what_it_deleted_does_not_come_back() {
    let mut world = written(None);
    world.round().unwrap().unwrap();
    for (wait, is_there) in
        [(0, true), (DELETE_RETENTION_MS as i64 - 2, true), (1, true), (1, false)]
    {
        world.now += wait;
        world.put("other", Some("x"));
        world.seal();
        world.round().unwrap().unwrap();
        world.check().unwrap();
        assert_eq!(world.visible().unwrap().contains_key(&120), is_there, "after {wait}");
        world = world.reboot(wait as u64).unwrap();
    }
}

#[test]
fn several_rounds_do_what_one_would() {
    let mut world = World::new(None);
    world.key_bytes_max = 0;
    for n in 0..3_000 {
        let sent = Sent::new(&format!("k{}", n * 7 % 1_100), Some("value"), n);
        world.append(&[sent], Compression::None).unwrap();
        world.rig.run_tasks();
    }
    world.seal();
    let mut rounds = 0;
    while world.round().unwrap().is_some() {
        rounds += 1;
        world.check().unwrap();
    }
    assert!(rounds >= 3, "{rounds} rounds with room for 768 keys");
    assert_eq!(world.log().cleaned().0, 3_000);
    assert_eq!(world.visible().unwrap().len(), 1_100);
}

#[test]
fn batches_keep_their_ends_and_their_compression() {
    for compression in [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        let mut world = World::new(None);
        let batch = |world: &World, keys: [&str; 4]| {
            keys.map(|key| Sent::new(key, Some(&format!("{key} {}", world.now)), world.now))
                .to_vec()
        };
        for keys in [["a", "b", "c", "d"], ["b", "x", "c", "y"]] {
            let sent = batch(&world, keys);
            world.append(&sent, compression).unwrap();
            world.now += 5;
        }
        let last = batch(&world, ["x", "y", "b", "z"]);
        world.append(&last, compression).unwrap();
        world.seal();
        world.round().unwrap().unwrap();
        world.check().unwrap();
        let slice = world.log().read(Offset(1), 10_000).unwrap();
        let batches = stored_batches(slice.pieces.concat().into()).unwrap();
        let shape = batches.iter().map(|(h, _)| (h.base_offset, h.offsets(), h.records()));
        assert_eq!(shape.collect::<Vec<_>>(), [(0, 4, 2), (4, 4, 1), (8, 4, 4)]);
        assert!(batches.iter().all(|(header, _)| header.compression() == Ok(compression)));
        world.reboot(1).unwrap();
    }
}

#[test]
fn what_has_no_key_and_what_cannot_be_opened_stays() {
    let mut world = World::new(None);
    let keyless = Sent { key: None, ..Sent::new("", Some("keyless"), 5) };
    let keyed = |value| Sent::new("k", Some(value), 6);
    world.append(&[keyless.clone(), keyed("old")], Compression::None).unwrap();
    // It says that it is compressed, and is not.
    let mut broken = batch_of(&[keyed("cannot be read")], Compression::None).to_vec();
    broken[22] |= 4;
    let crc = pyralog_model::batch_crc(&broken);
    broken[17..21].copy_from_slice(&crc.to_be_bytes());
    world.rig.append(P, &broken.clone().into()).unwrap();
    world.append(&[keyed("new")], Compression::None).unwrap();
    world.put("gone", Some("x"));
    let mark = world.put("gone", None);
    world.seal();
    for _ in 0..3 {
        world.round().unwrap();
        world.now += 2 * DELETE_RETENTION_MS as i64;
        world.put("other", Some("x"));
        world.seal();
    }
    let slice = world.log().read(Offset(0), 10_000).unwrap();
    let batches = stored_batches(slice.pieces.concat().into()).unwrap();
    let shape = batches.iter().map(|(h, _)| (h.base_offset, h.records())).take(3);
    assert_eq!(shape.collect::<Vec<_>>(), [(0, 1), (2, 1), (3, 1)]);
    assert_eq!(batches[1].1[61..], broken[61..]);
    // It may hold what the mark deletes.
    assert!(batches.iter().any(|(header, _)| header.base_offset == mark as i64));
}

#[test]
fn a_producer_does_not_say_when_its_marks_may_go() {
    let mut world = World::new(None);
    world.put("k", Some("x"));
    let mut forged = batch_of(&[Sent::new("k", None, 7)], Compression::None).to_vec();
    forged[22] |= 0x40;
    let crc = pyralog_model::batch_crc(&forged);
    forged[17..21].copy_from_slice(&crc.to_be_bytes());
    world.append_batch(forged.into(), &[Sent::new("k", None, 7)]).unwrap();
    world.seal();
    for _ in 0..2 {
        world.round().unwrap().unwrap();
        world.check().unwrap();
        world.put("other", Some("x"));
        world.seal();
    }
    assert!(world.visible().unwrap().contains_key(&1));
}

#[test]
fn the_last_batch_of_a_session_stays_so_that_a_retry_is_known() {
    let mut world = World::new(None);
    for (session, sequence) in [(5, 0), (5, 1), (9, 0), (5, 2), (9, 1)] {
        let sent = [Sent::new("k", Some(&format!("{session} {sequence}")), world.now)];
        let batch = in_session(batch_of(&sent, Compression::None), session, 0, sequence);
        world.append_batch(batch, &sent).unwrap();
    }
    for n in 0..60 {
        world.put("k", Some(&format!("{n} {}", "v".repeat(60))));
    }
    world.seal();
    world.round().unwrap().unwrap();
    let slice = world.log().read(Offset(0), 100_000).unwrap();
    let batches = stored_batches(slice.pieces.concat().into()).unwrap();
    let of_sessions = batches.iter().filter(|(header, _)| header.producer_id >= 0);
    let shape =
        of_sessions.map(|(h, _)| (h.base_offset, h.producer_id, h.base_sequence, h.records()));
    assert_eq!(shape.collect::<Vec<_>>(), [(3, 5, 2, 0), (4, 9, 1, 0)]);
    // What is derived is lost, and the next start walks what is left.
    let dir = paths::partition_dir(&pyramid(), P);
    for name in names(&world, ".sessions") {
        world.rig.disk.remove_file(&dir.join(name)).unwrap();
    }
    world.rig.disk.sync_dir(&dir).unwrap();
    let next =
        SessionBatch { session: 5, epoch: 0, base_sequence: 3, records: 1, base_offset: Offset(0) };
    let rig = world.rig;
    rig.disk.crash(3);
    let rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    assert_eq!(rig.logs[&P].session(5).0.judge(&next), Verdict::Next);
}

#[test]
fn nothing_above_the_watermark_is_touched() {
    let mut world = World::new(None);
    world.put("k", Some("committed"));
    world.seal();
    world.put("k", Some("not yet"));
    world.seal();
    world.round_for(u64::MAX, Offset(1)).unwrap();
    assert_eq!(world.rig.truncate(P, 1).unwrap(), Offset(1));
    world.ledger.cut(1);
    world.check().unwrap();
    world.reboot(2).unwrap();
}

#[test]
fn what_is_compacted_is_not_cut_back_and_does_not_grow() {
    let mut world = written(None);
    world.put("tail", Some("x"));
    world.round().unwrap().unwrap();
    let refused = world.rig.truncate(P, 120).unwrap_err();
    assert!(matches!(refused, LogError::OutOfRange { start: Offset(121), .. }), "{refused}");
    assert_eq!(world.rig.truncate(P, 121).unwrap(), Offset(121));
    world.ledger.cut(121);
    world.put("k1", Some("more"));
    world.seal();
    world.check().unwrap();
    let mut world = world.reboot(4).unwrap();
    world.round().unwrap().unwrap();
    world.check().unwrap();
}

#[test]
fn the_start_moves_over_what_is_compacted() {
    for start in [3, 60, 110, 119, 121, 123] {
        let mut world = written(None);
        world.round().unwrap().unwrap();
        world.put("k0", Some("x"));
        world.put("k1", Some("x"));
        let sessions = world.sessions.clone();
        world.rig.move_start(P, start).unwrap();
        world.check().unwrap();
        world.seal();
        let mut world = world.reboot(start).unwrap();
        assert_eq!(world.log().bounds().0.0, start);
        assert!(world.log().view(|view| view.sessions == sessions));
        world.round().unwrap();
        world.check().unwrap();
        world.reboot(start + 1).unwrap();
    }
}

#[test]
fn a_full_disk_ends_a_round_and_nothing_else() {
    let mut world = written(None);
    for room in 0..60 {
        world.rig.disk.set_capacity(world.rig.disk.used_bytes() + room * 4_096);
        match world.round() {
            Err(LogError::DiskFull { .. }) => world.check().unwrap(),
            Ok(Some(_)) => return world.check().unwrap(),
            other => panic!("{other:?}"),
        }
        world.log().sweep().unwrap();
        let segments = world.log().sizes().segments;
        assert_eq!(names(&world, ".segment").len(), segments, "nothing is left of it");
        world.rig.disk.set_capacity(u64::MAX);
        world = world.reboot(room).unwrap();
    }
    panic!("a few pages are enough");
}

#[test]
fn damage_ends_a_round_and_is_not_copied() {
    let mut world = written(None);
    let before = names(&world, ".segment");
    let path = world.rig.file(".segment", 1);
    world.rig.disk.flip_bit(&path, 600, 2).unwrap();
    let refused = world.round().unwrap_err();
    assert!(matches!(refused, LogError::Corrupt { .. }), "{refused}");
    assert_eq!(names(&world, ".segment"), before);
    assert_eq!(world.rig.writer.failure(), None);
    world.rig.disk.flip_bit(&path, 600, 2).unwrap();
    world.round().unwrap().unwrap();
    world.check().unwrap();
}

#[test]
fn a_failed_sync_of_a_new_file_is_final() {
    for part in [".1.segment", ".1.offsets", ".1.times", "/logs/1/0"] {
        let mut world = written(None);
        world.rig.disk.fail_next_sync(part);
        let failed = world.round().unwrap_err();
        assert!(matches!(failed, LogError::Failed { .. }), "{part}: {failed}");
        world.reboot(5).unwrap();
    }
}

#[test]
fn a_damaged_rewritten_segment_is_refused_and_its_indexes_are_made_again() {
    let compacted = || {
        let mut world = written(None);
        world.round().unwrap().unwrap();
        world.log().sweep().unwrap();
        world
    };
    for ending in [".offsets", ".times"] {
        let world = compacted();
        world.rig.disk.flip_bit(&world.rig.file(ending, 0), 20, 1).unwrap();
        let world = world.reboot(1).unwrap();
        world.check().unwrap();
    }
    for position in [33, 60, 70, 128 + 20] {
        let world = compacted();
        let dir = paths::partition_dir(&pyramid(), P);
        let segment = dir.join(&names(&world, ".segment")[0]);
        world.rig.disk.flip_bit(&segment, position, 3).unwrap();
        world.rig.disk.remove_file(&world.rig.file(".offsets", 0)).unwrap();
        world.rig.disk.sync_dir(&dir).unwrap();
        let refused = world.reboot(2).err().expect("damage is seen");
        assert!(refused.contains("corrupt"), "byte {position}: {refused}");
    }
    let world = compacted();
    let dir = paths::partition_dir(&pyramid(), P);
    world.rig.disk.remove_file(&dir.join(&names(&world, ".segment")[0])).unwrap();
    world.rig.disk.sync_dir(&dir).unwrap();
    assert!(world.reboot(3).err().expect("it is missed").contains("is missing"));
}
