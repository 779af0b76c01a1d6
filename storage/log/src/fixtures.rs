//! The formats on disk must not move: small files written by version 1 lie in
//! `fixtures/`, are made again byte for byte, and are read back. A change of a
//! format is a new version with fixtures of its own; these stay.
//!
//! `PYRALOG_WRITE_FIXTURES=1` writes the missing ones.

use crate::tests::rig::{MemoryCheckpoints, P, Rig, batch, pyramid, small};
use crate::tests::sessions::in_session;
use crate::{LogOptions, SessionState, paths};
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, Monotonic};
use pyralog_model::{
    BatchBuilder, CleanupPolicy, Durability, Epoch, Offset, PartitionId, UpkeepSettings,
    stored_batches,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Two sealed batches, one in the next segment, one in the WAL only, and a
/// cut-back of what followed it.
fn written() -> Rig {
    let options = LogOptions { wal_file_bytes: 32 << 10, segment_bytes: 600, ..small() };
    let mut rig = Rig::new(options);
    for time in [1_000, 3_000, 2_000] {
        rig.append(P, &batch(2, 40, time)).unwrap();
    }
    rig.finish();
    rig.append(P, &batch(1, 30, 4_000)).unwrap();
    rig.append(P, &batch(1, 20, 5_000)).unwrap();
    rig.truncate(P, 7).unwrap();
    rig
}

/// A sealed segment with two sessions, one of them in its second epoch, and a third
/// one that was forgotten in its third.
fn written_in_sessions() -> Rig {
    let mut rig = Rig::new(LogOptions { segment_bytes: 1_000, ..small() });
    let append = |rig: &mut Rig, session, epoch, sequence| {
        rig.append(P, &in_session(batch(2, 10, 1_000), session, epoch, sequence)).unwrap();
    };
    append(&mut rig, 7, 2, 0);
    rig.finish();
    let hour = Duration::from_secs(3_600);
    let forgotten =
        [Monotonic(0), Monotonic(0) + hour].map(|at| rig.logs[&P].forget_idle(at, hour));
    assert_eq!(forgotten, [0, 1]);
    for (session, epoch, sequence) in [(5, 0, 0), (9, 0, 0), (9, 1, 0), (5, 0, 2)] {
        append(&mut rig, session, epoch, sequence);
    }
    rig.finish();
    rig
}

#[test]
fn a_snapshot_of_sessions_has_the_bytes_it_always_had_and_is_read() {
    let rig = written_in_sessions();
    let path = rig.file(".sessions", 0);
    let bytes = rig.disk.read_file(&path).unwrap();
    let fixture = fixture("v1.sessions");
    if std::env::var_os("PYRALOG_WRITE_FIXTURES").is_some() && !fixture.exists() {
        std::fs::write(&fixture, &bytes).unwrap();
    }
    let expect = std::fs::read(&fixture).unwrap();
    assert!(bytes == expect, "v1.sessions differs: give it a new version");
    replace(&rig.disk, &path, &expect);
    let log = rig.reboot(1).logs[&P].clone();
    assert_eq!(log.sessions(), 2);
    assert_eq!(log.session(7).0, SessionState::Forgotten { epoch: 2 });
}

/// A partition of which of three batches one is left, one in part and one not at all.
fn written_and_compacted() -> Rig {
    let mut rig = Rig::new(LogOptions { segment_bytes: 1_000, ..small() });
    let settings = UpkeepSettings { cleanup: CleanupPolicy::Compact, ..Default::default() };
    rig.logs[&P].set_upkeep(settings);
    let records = [("a", Some("1")), ("b", Some("2")), ("a", Some("3")), ("c", None)];
    for (time, (key, value)) in (1_000..).zip(records) {
        let mut builder = BatchBuilder::new();
        builder.push(time, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
        builder.push(time, Some(b"every"), Some(b"time"), &[]);
        rig.append(P, &builder.finish().unwrap()).unwrap();
    }
    rig.finish();
    let log = rig.logs[&P].clone();
    rig.writer.seal(&log).unwrap();
    assert_eq!(rig.compact(P, 50_000).unwrap().unwrap().records_removed, 4);
    log.sweep().unwrap();
    rig
}

#[test]
fn a_compacted_segment_has_the_bytes_it_always_had_and_is_read() {
    let rig = written_and_compacted();
    let path = rig.file(".1.segment", 0);
    let bytes = rig.disk.read_file(&path).unwrap();
    let fixture = fixture("v2.segment");
    if std::env::var_os("PYRALOG_WRITE_FIXTURES").is_some() && !fixture.exists() {
        std::fs::write(&fixture, &bytes).unwrap();
    }
    let expect = std::fs::read(&fixture).unwrap();
    assert!(bytes == expect, "v2.segment differs: give it a new version");
    replace(&rig.disk, &path, &expect);
    rig.disk.remove_file(&rig.file(".1.offsets", 0)).unwrap();
    rig.disk.crash(1);
    let rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    let slice = rig.logs[&P].read(Offset(0), 1 << 20).unwrap();
    let batches = stored_batches(slice.pieces.concat().into()).unwrap();
    let shape = batches.iter().map(|(h, _)| (h.base_offset, h.offsets(), h.records()));
    assert_eq!(shape.collect::<Vec<_>>(), [(2, 2, 1), (4, 2, 1), (6, 2, 2)]);
    assert_eq!(batches[2].0.delete_horizon(), Some(50_000 + 86_400_000));
}

/// The floor of a log in memory that has given out eight offsets and reserved ten more,
/// in its second epoch.
fn written_in_memory() -> Rig {
    let mut rig = Rig::new(LogOptions { offset_block: 10, ..small() });
    rig.create_with(IN_MEMORY, Durability::Memory);
    rig.append(IN_MEMORY, &batch(7, 10, 1_000)).unwrap();
    rig.epoch = 2;
    rig.append(IN_MEMORY, &batch(1, 10, 1_000)).unwrap();
    rig
}

const IN_MEMORY: PartitionId =
    PartitionId { log: pyralog_model::LogNumber(3), partition: pyralog_model::PartitionNumber(1) };

#[test]
fn a_floor_has_the_bytes_it_always_had_and_is_read() {
    let rig = written_in_memory();
    let path = paths::floor_file(&paths::partition_dir(&pyramid(), IN_MEMORY));
    let bytes = rig.disk.read_file(&path).unwrap();
    let fixture = fixture("v1.floor");
    if std::env::var_os("PYRALOG_WRITE_FIXTURES").is_some() && !fixture.exists() {
        std::fs::write(&fixture, &bytes).unwrap();
    }
    let expect = std::fs::read(&fixture).unwrap();
    assert!(bytes == expect, "v1.floor differs: give it a new version");
    replace(&rig.disk, &path, &expect);
    rig.disk.crash(1);
    let rig = Rig::open(rig.disk, rig.checkpoints, rig.options).unwrap();
    let log = &rig.logs[&IN_MEMORY];
    assert_eq!(log.durability(), Durability::Memory);
    assert_eq!((log.bounds(), log.last_epoch()), ((Offset(18), Offset(18)), Epoch(2)));
}

/// The files of a store that are held, by fixture.
fn files(rig: &Rig) -> [(&'static str, PathBuf); 4] {
    [
        ("v1.wal", paths::wal_file(&pyramid(), 0)),
        ("v1.segment", rig.file(".segment", 0)),
        ("v1.offsets", rig.file(".offsets", 0)),
        ("v1.times", rig.file(".times", 0)),
    ]
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

#[test]
fn every_file_has_the_bytes_it_always_had() {
    let rig = written();
    for (name, path) in files(&rig) {
        let mut bytes = rig.disk.read_file(&path).unwrap();
        // A WAL file ends in zeros that nobody needs to keep.
        if name == "v1.wal" {
            let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(used);
        }
        let fixture = fixture(name);
        if std::env::var_os("PYRALOG_WRITE_FIXTURES").is_some() && !fixture.exists() {
            std::fs::write(&fixture, &bytes).unwrap();
        }
        let expect = std::fs::read(&fixture).unwrap();
        let differs = bytes.iter().zip(&expect).position(|(a, b)| a != b);
        assert!(bytes == expect, "{name} differs at byte {differs:?}: give it a new version");
    }
}

#[test]
fn files_of_version_1_are_read() {
    let mut rig = written();
    // The store's own files are replaced by the kept ones.
    for (name, path) in files(&rig) {
        let len = rig.disk.open(&path).unwrap().len().unwrap() as usize;
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        bytes.resize(len, 0);
        replace(&rig.disk, &path, &bytes);
    }
    let last = rig.acknowledged.get_mut(&P).unwrap();
    assert_eq!(last.len(), 4);
    let rig = rig.reboot(1);
    assert_eq!((rig.report.rounds, rig.report.frames_replayed), (3, 3));
    assert_eq!(rig.logs[&P].bounds(), (Offset(0), Offset(7)));
}

#[test]
fn a_wal_of_version_1_is_read_without_anything_else() {
    let fresh = Rig::new(LogOptions { wal_file_bytes: 32 << 10, ..small() });
    let mut bytes = std::fs::read(fixture("v1.wal")).unwrap();
    bytes.resize(32 << 10, 0);
    replace(&fresh.disk, &paths::wal_file(&pyramid(), 0), &bytes);
    // No checkpoint: every round counts.
    let rig = Rig::open(fresh.disk, MemoryCheckpoints::default(), fresh.options).unwrap();
    assert_eq!((rig.report.rounds, rig.logs[&P].bounds().1), (6, Offset(7)));
}

fn replace(disk: &SimDisk, path: &Path, bytes: &[u8]) {
    disk.remove_file(path).unwrap();
    let file = disk.create(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.sync_all().unwrap();
    disk.sync_dir(path.parent().unwrap()).unwrap();
}
