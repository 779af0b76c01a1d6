//! The stores on a real disk, on one that loses power, and over damage.

use crate::{CommandLog, MetaError, MetaStore, PartitionCheckpoint, WalCheckpoint};
use pyralog_env::sim::{CutKind, CutReport, SimDisk, SimEntropy};
use pyralog_env::{Disk, Entropy, RealDisk};
use pyralog_model::{LogNumber, PartitionId};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

mod cuts;
mod manifests;

const FILE: &str = "/d/store";

fn sim(seed: u64) -> Arc<SimDisk> {
    let disk = SimDisk::new(seed);
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    Arc::new(disk)
}

fn checkpoint(number: u64) -> PartitionCheckpoint {
    PartitionCheckpoint {
        segment_base: number,
        segment_position: number * 4096,
        next_offset: number + 1,
        lsn: number * 3,
        log_start: number / 2,
        epoch: 1,
    }
}

#[test]
fn checkpoints_come_back_from_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("meta.redb");
    let (a, b, c) = (PartitionId::new(1, 0), PartitionId::new(2, 0), PartitionId::new(2, 9));
    let wal = WalCheckpoint { first_needed_round: 5, next_lsn: 600 };
    {
        let store = MetaStore::open(Arc::new(RealDisk), &path).unwrap();
        assert_eq!(store.load_checkpoints().unwrap(), Default::default());
        store
            .save_checkpoints(
                &[(a, checkpoint(1)), (b, checkpoint(2)), (c, checkpoint(3))],
                Some(wal),
            )
            .unwrap();
        store.save_checkpoints(&[(a, checkpoint(7))], None).unwrap();
        store.remove_log(LogNumber(2)).unwrap();
        store.remove_log(LogNumber(3)).unwrap();
    }
    let store = MetaStore::open(Arc::new(RealDisk), &path).unwrap();
    let found = store.load_checkpoints().unwrap();
    assert_eq!(found.partitions.into_iter().collect::<Vec<_>>(), [(a, checkpoint(7))]);
    assert_eq!(found.wal, Some(wal));
    assert_eq!(RealDisk.list(dir.path()).unwrap().len(), 1, "nothing is left of the building");
}

#[test]
fn looking_at_a_file_changes_nothing_of_it() {
    let disk = sim(1);
    let path = Path::new(FILE);
    let store = MetaStore::open(disk.clone(), path).unwrap();
    let saved = [(PartitionId::new(1, 0), checkpoint(1))];
    store.save_checkpoints(&saved, None).unwrap();
    // Open still, as after a kill: redb would repair it.
    let before = disk.read_file(path).unwrap();
    let seen = MetaStore::look(&*disk, path).unwrap();
    assert_eq!(seen.load_checkpoints().unwrap().partitions.into_iter().collect::<Vec<_>>(), saved);
    drop(seen);
    assert!(disk.read_file(path).unwrap() == before);
    assert_eq!(disk.list(Path::new("/d")).unwrap().len(), 1);
    let other = CommandLog::look(&*disk, path).unwrap_err();
    assert!(other.to_string().contains("no commands"), "{other}");
    assert!(MetaStore::look(&*disk, Path::new("/d/none")).is_err());
}

#[test]
fn commands_come_back_and_keep_their_order() {
    let disk = sim(1);
    let log = CommandLog::open(disk.clone(), Path::new(FILE)).unwrap();
    assert_eq!(log.load().unwrap(), (None, vec![]));
    log.append(1, &[b"a".to_vec(), b"b".to_vec(), vec![]]).unwrap();
    assert!(matches!(log.append(3, &[]), Err(MetaError::Order { expect: 4, found: 3 })));
    assert!(matches!(log.append(5, &[]), Err(MetaError::Order { expect: 4, found: 5 })));
    log.save_snapshot(2, b"a+b").unwrap();
    assert!(matches!(log.save_snapshot(1, b""), Err(MetaError::Order { expect: 2, found: 1 })));
    drop(log);
    let log = CommandLog::open(disk, Path::new(FILE)).unwrap();
    assert_eq!(log.load().unwrap(), (Some((2, b"a+b".to_vec())), vec![(3, vec![])]));
    log.save_snapshot(10, b"sent by a leader").unwrap();
    assert_eq!(log.last_index().unwrap(), 10);
    log.append(11, &[b"k".to_vec()]).unwrap();
    assert_eq!(log.load().unwrap().1, [(11, b"k".to_vec())]);
}

#[test]
fn one_kind_is_not_opened_as_another() {
    let disk = sim(1);
    drop(CommandLog::open(disk.clone(), Path::new(FILE)).unwrap());
    let refused = MetaStore::open(disk, Path::new(FILE)).unwrap_err();
    assert!(matches!(&refused, MetaError::Corrupt { .. }), "{refused}");
    assert!(refused.to_string().contains("no checkpoints"), "{refused}");
}

#[test]
fn damage_is_an_error_and_never_a_new_store() {
    for (bytes, what) in [(&b""[..], "empty"), (&[7; 8192][..], "foreign")] {
        let disk = sim(1);
        disk.create(Path::new(FILE)).unwrap().write_all_at(bytes, 0).unwrap();
        let refused = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap_err();
        assert!(matches!(&refused, MetaError::Corrupt { .. }), "{what}: {refused:?}");
        assert_eq!(disk.read_file(Path::new(FILE)).unwrap(), bytes, "{what} is left as it was");
    }
}

#[test]
fn flipped_bits_never_change_an_answer_in_silence() {
    let partition = PartitionId::new(1, 0);
    let (mut refused, mut harmless) = (0, 0);
    for seed in 0..200 {
        let disk = sim(seed);
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        store.save_checkpoints(&[(partition, checkpoint(5))], None).unwrap();
        drop(store);
        let len = disk.open(Path::new(FILE)).unwrap().len().unwrap();
        let chance = SimEntropy::new(seed);
        // The first pages hold all there is; the rest of the file is free.
        let position = chance.next_u64() % len.min(64 * 1024);
        disk.flip_bit(Path::new(FILE), position, (chance.next_u64() % 8) as u32).unwrap();
        let found =
            MetaStore::open(disk, Path::new(FILE)).and_then(|store| store.load_checkpoints());
        match found {
            Ok(found) => {
                assert_eq!(found.partitions[&partition], checkpoint(5), "byte {position}");
                harmless += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0 && harmless > 0, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_full_disk_is_an_error_that_passes_and_loses_nothing() {
    let disk = sim(1);
    let partition = PartitionId::new(1, 0);
    let mut store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
    store.save_checkpoints(&[(partition, checkpoint(1))], None).unwrap();
    disk.set_capacity(disk.used_bytes());
    let many: Vec<_> = (0..20_000).map(|n| (PartitionId::new(2, n), checkpoint(2))).collect();
    for _ in 0..3 {
        let full = store.save_checkpoints(&many, None).unwrap_err();
        assert!(full.is_disk_full(), "{full:?}");
        assert_eq!(full.io_error().map(|error| error.kind()), Some(ErrorKind::StorageFull));
        assert!(store.save_checkpoints(&[], None).is_err(), "it must be reopened first");
        store = store.reopen().unwrap();
        assert_eq!(store.load_checkpoints().unwrap().partitions.len(), 1);
    }
    disk.set_capacity(u64::MAX);
    store.save_checkpoints(&many, None).unwrap();
    drop(store);
    disk.crash(1);
    let store = MetaStore::open(disk, Path::new(FILE)).unwrap();
    assert_eq!(store.load_checkpoints().unwrap().partitions.len(), 20_001);
}

#[test]
fn a_failed_sync_is_no_full_disk_and_cannot_be_reopened() {
    let disk = sim(1);
    let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
    disk.fail_next_sync(FILE);
    let failed = store.save_checkpoints(&[], Some(WalCheckpoint::default())).unwrap_err();
    assert!(!failed.is_disk_full(), "{failed:?}");
    assert!(matches!(store.reopen(), Err(MetaError::NotSound { .. })));
}

#[test]
fn what_a_failed_sync_lost_is_written_again_or_not_believed() {
    let saved = (PartitionId::new(1, 0), checkpoint(1));
    let mut seen = 0;
    for seed in 0..100 {
        let disk = sim(seed);
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        disk.fail_next_sync(FILE);
        store.save_checkpoints(&[saved], None).unwrap_err();
        drop(store);
        disk.kill_process();
        // The same kernel: its cache shows what the disk never got.
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        let believed = store.load_checkpoints().unwrap();
        seen += believed.partitions.len();
        drop(store);
        disk.crash(seed);
        let store = MetaStore::open(disk, Path::new(FILE)).unwrap();
        assert_eq!(store.load_checkpoints().unwrap(), believed, "seed {seed}");
    }
    assert!(seen > 0, "the cache never showed it");
}

#[test]
fn no_room_for_the_copy_leaves_the_file_and_no_leftover() {
    let disk = sim(1);
    drop(MetaStore::open(disk.clone(), Path::new(FILE)).unwrap());
    let (before, used) = (disk.read_file(Path::new(FILE)).unwrap(), disk.used_bytes());
    disk.set_capacity(used);
    assert!(MetaStore::open(disk.clone(), Path::new(FILE)).unwrap_err().is_disk_full());
    assert_eq!(disk.read_file(Path::new(FILE)).unwrap(), before);
    assert_eq!(disk.used_bytes(), used);
    disk.set_capacity(u64::MAX);
    MetaStore::open(disk, Path::new(FILE)).unwrap();
}

#[test]
fn a_file_far_too_large_is_refused_unread() {
    let disk = sim(1);
    disk.create(Path::new(FILE)).unwrap().set_len((4 << 30) + 1).unwrap();
    let refused = MetaStore::open(disk, Path::new(FILE)).unwrap_err();
    assert!(matches!(refused, MetaError::TooLarge { .. }), "{refused}");
}
