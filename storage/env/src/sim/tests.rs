//! What a cut may do and what it may not, and that each fault does what it says.

use super::*;
use crate::{Disk, DiskFile, Entropy};
use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

const DIR: &str = "/d";
const FILE: &str = "/d/f";

/// A disk with an empty durable directory.
fn disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

/// The same with a durable file of `bytes` in it.
fn disk_with_file(seed: u64, bytes: &[u8]) -> (SimDisk, Arc<dyn DiskFile>) {
    let disk = disk(seed);
    let file = disk.create(Path::new(FILE)).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(Path::new(DIR)).unwrap();
    (disk, file)
}

/// Every outcome of `seeds` cuts of the same history.
fn outcomes<T: Eq + std::hash::Hash>(outcome: impl Fn(u64) -> T) -> HashSet<T> {
    (0..200).map(outcome).collect()
}

fn exists(disk: &SimDisk, path: &str) -> bool {
    disk.exists(Path::new(path)).unwrap()
}

#[test]
fn what_was_synced_survives_every_cut() {
    for seed in 0..200 {
        let (disk, file) = disk_with_file(seed, b"kept");
        disk.crash(seed);
        assert_eq!(disk.read_file(Path::new(FILE)).unwrap(), b"kept");
        assert!(is_power_cut(&file.len().unwrap_err()), "handles are dead after a cut");
    }
}

#[test]
fn a_created_name_needs_a_directory_sync_however_well_its_bytes_are_synced() {
    let found = outcomes(|seed| {
        let disk = disk(seed);
        let file = disk.create(Path::new(FILE)).unwrap();
        file.write_all_at(b"x", 0).unwrap();
        file.sync_all().unwrap();
        let report = disk.crash(seed);
        let count = report.count(CutKind::Create);
        let found = exists(&disk, FILE);
        assert_eq!((count.pending, count.lost), (1, u64::from(!found)));
        found
    });
    assert_eq!(found.len(), 2, "it survives in some cuts and not in others");
}

#[test]
fn sectors_tear_apart() {
    let torn = outcomes(|seed| {
        let (disk, file) = disk_with_file(seed, &[1; 4096]);
        file.write_all_at(&[2; 4096], 0).unwrap();
        disk.crash(seed);
        let bytes = disk.read_file(Path::new(FILE)).unwrap();
        let sectors: Vec<u8> = bytes.chunks(512).map(|sector| sector[0]).collect();
        assert!(bytes.chunks(512).all(|sector| sector.iter().all(|&byte| byte == sector[0])));
        sectors
    });
    assert!(torn.len() > 50, "{} different tears", torn.len());
    assert!(torn.contains(&vec![1; 8]) && torn.contains(&vec![2; 8]));
}

#[test]
fn an_extension_may_survive_without_its_bytes() {
    let found = outcomes(|seed| {
        let (disk, file) = disk_with_file(seed, &[1; 512]);
        file.write_all_at(&[2; 512], 512).unwrap();
        disk.crash(seed);
        let bytes = disk.read_file(Path::new(FILE)).unwrap();
        assert!(bytes[..512].iter().all(|&byte| byte == 1));
        match &bytes[512..] {
            [] => "short",
            rest if rest.iter().all(|&byte| byte == 2) => "whole",
            rest if rest.iter().all(|&byte| byte == 0) => "zeros",
            _ => "garbage",
        }
    });
    assert_eq!(found, HashSet::from(["short", "whole", "zeros", "garbage"]));
}

#[test]
fn a_truncation_may_survive_or_bring_the_old_end_back() {
    let found = outcomes(|seed| {
        let (disk, file) = disk_with_file(seed, &[1; 2048]);
        file.set_len(700).unwrap();
        file.write_all_at(&[2; 1348], 700).unwrap();
        disk.crash(seed);
        let bytes = disk.read_file(Path::new(FILE)).unwrap();
        assert!(bytes[..700].iter().all(|&byte| matches!(byte, 1 | 2)));
        match bytes.len() {
            700 => "cut",
            2048 if bytes.iter().all(|&byte| byte == 1) => "old",
            2048 => {
                assert!(!bytes[1024..].contains(&1), "a cut that survived took the end");
                "new"
            }
            len => panic!("never had {len} bytes"),
        }
    });
    assert_eq!(found, HashSet::from(["cut", "old", "new"]));
}

#[test]
fn a_rename_is_old_or_new_and_never_both_or_neither() {
    let found = outcomes(|seed| {
        let (disk, _) = disk_with_file(seed, b"old");
        let next = disk.create(Path::new("/d/f.new")).unwrap();
        next.write_all_at(b"new", 0).unwrap();
        next.sync_all().unwrap();
        disk.rename(Path::new("/d/f.new"), Path::new(FILE)).unwrap();
        disk.crash(seed);
        let bytes = disk.read_file(Path::new(FILE)).unwrap();
        assert!(bytes == b"old" || !exists(&disk, "/d/f.new"), "one name for one file");
        bytes
    });
    assert_eq!(found, HashSet::from([b"old".to_vec(), b"new".to_vec()]));
}

#[test]
fn changes_of_one_name_survive_in_order() {
    let found = outcomes(|seed| {
        let disk = disk(seed);
        for round in 0..3u8 {
            disk.create(Path::new(FILE)).unwrap().set_len(u64::from(round) + 1).unwrap();
            disk.open(Path::new(FILE)).unwrap().sync_all().unwrap();
            if round < 2 {
                disk.remove_file(Path::new(FILE)).unwrap();
            }
        }
        disk.crash(seed);
        disk.open(Path::new(FILE)).map_or(0, |file| file.len().unwrap())
    });
    assert_eq!(found, HashSet::from([0, 1, 2, 3]));
}

#[test]
fn a_directory_sync_of_either_side_settles_a_move() {
    for dir in ["/a", "/b"] {
        for seed in 0..50 {
            let disk = SimDisk::new(seed);
            disk.create_dir_all(Path::new("/a")).unwrap();
            disk.create_dir_all(Path::new("/b")).unwrap();
            disk.sync_dir(Path::new("/")).unwrap();
            disk.create(Path::new("/a/f")).unwrap();
            disk.rename(Path::new("/a/f"), Path::new("/b/f")).unwrap();
            disk.sync_dir(Path::new(dir)).unwrap();
            disk.crash(seed);
            assert!(exists(&disk, "/b/f") && !exists(&disk, "/a/f"));
        }
    }
}

#[test]
fn after_a_failed_sync_the_next_one_lies() {
    let mut lost = 0;
    for seed in 0..50 {
        let (disk, file) = disk_with_file(seed, &[1; 4096]);
        file.write_all_at(&[2; 4096], 0).unwrap();
        disk.fail_next_sync("/f");
        assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
        assert_eq!(disk.read_file(Path::new(FILE)).unwrap(), [2; 4096], "still seen");
        file.sync_data().unwrap();
        disk.crash(seed);
        lost += usize::from(disk.read_file(Path::new(FILE)).unwrap().contains(&1));
    }
    assert!(lost > 45, "{lost} of 50 lost bytes that a sync had said Ok to");
}

#[test]
fn after_a_failed_directory_sync_the_next_one_lies() {
    let disk = disk(1);
    disk.create(Path::new(FILE)).unwrap();
    disk.fail_next_sync(DIR);
    disk.sync_dir(Path::new(DIR)).unwrap_err();
    disk.sync_dir(Path::new(DIR)).unwrap();
    assert!(exists(&disk, FILE));
    disk.crash(1);
    assert!(!exists(&disk, FILE));
}

#[test]
fn the_armed_operation_is_cut_and_all_after_it_fail() {
    let (disk, file) = disk_with_file(3, b"a");
    disk.arm_crash_at(1);
    file.write_all_at(b"b", 0).unwrap();
    let cut = file.sync_data().unwrap_err();
    assert!(is_power_cut(&cut) && disk.is_off());
    assert!(is_power_cut(&disk.create(Path::new("/d/g")).unwrap_err()));
    assert!(is_power_cut(&disk.list(Path::new(DIR)).unwrap_err()));
    assert!(!is_power_cut(&io::Error::from(ErrorKind::NotFound)));
    let report = disk.crash(3);
    assert_eq!(report.count(CutKind::Sync).pending, 1);
    assert_eq!(report.count(CutKind::DataWrite).pending, 1);
    assert!(!disk.is_off() && exists(&disk, FILE));
}

#[test]
fn reports_add_up() {
    let mut sum = CutReport::default();
    for seed in 0..10 {
        let disk = disk(seed);
        disk.create(Path::new(FILE)).unwrap();
        disk.arm_crash_at(0);
        disk.sync_dir(Path::new(DIR)).unwrap_err();
        sum += disk.crash(seed);
    }
    assert_eq!(sum.cuts, 10);
    assert_eq!(sum.count(CutKind::DirectorySync).cuts, 10);
    assert_eq!(sum.count(CutKind::Create).cuts, 10);
    assert!(sum.to_string().contains("directory sync"), "{sum}");
}

#[test]
fn durable_writes_are_durable_and_tear_when_they_are_cut() {
    let page = |fill: u8| {
        let room = vec![fill; 8192];
        let start = room.as_ptr().align_offset(4096);
        (room, start)
    };
    let torn = outcomes(|seed| {
        let (disk, _) = disk_with_file(seed, &[1; 8192]);
        let file = disk.open_durable(Path::new(FILE)).unwrap().unwrap();
        let ((two, at), (three, other)) = (page(2), page(3));
        file.write_all_at(&two[at..at + 4096], 0).unwrap();
        disk.arm_crash_at(0);
        file.write_all_at(&three[other..other + 4096], 4096).unwrap_err();
        disk.crash(seed);
        let bytes = disk.read_file(Path::new(FILE)).unwrap();
        assert!(bytes[..4096].iter().all(|&byte| byte == 2));
        bytes[4096..].chunks(512).map(|sector| sector[0]).collect::<Vec<_>>()
    });
    assert!(torn.len() > 50, "{} different tears", torn.len());
}

#[test]
fn a_full_disk_says_so_and_takes_more_when_there_is_room() {
    let (disk, file) = disk_with_file(1, &[1; 4096]);
    disk.set_capacity(disk.used_bytes() + 8192);
    let full = file.write_all_at(&[2; 16_384], 4096).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 12_288, "the part that fitted is there");
    assert_eq!(disk.free_bytes(Path::new(DIR)).unwrap(), 0);
    file.write_all_at(&[3; 4096], 0).expect("overwriting needs no room");
    file.set_len(4096).unwrap();
    file.write_all_at(&[4; 8192], 4096).unwrap();
    disk.remove_file(Path::new(FILE)).unwrap();
    assert_eq!(disk.used_bytes(), 0);
}

#[test]
fn reads_fail_bits_flip_and_writes_go_astray() {
    let (disk, file) = disk_with_file(1, &[0; 4096]);
    disk.fail_next_read("/f");
    file.read_at(&mut [0; 1], 0).unwrap_err();
    disk.flip_bit(Path::new(FILE), 100, 3).unwrap();
    assert_eq!(disk.read_file(Path::new(FILE)).unwrap()[100], 8);
    disk.misdirect_next_write("/f", 512);
    file.write_all_at(&[7; 512], 1024).unwrap();
    let bytes = disk.read_file(Path::new(FILE)).unwrap();
    assert_eq!((bytes[1024], bytes[1536]), (0, 7));
    disk.fail_reads("/f");
    file.read_at(&mut [0; 1], 0).unwrap_err();
    file.read_at(&mut [0; 1], 0).unwrap_err();
    disk.clear_faults();
    file.read_at(&mut [0; 1], 0).unwrap();
}

#[test]
fn a_kill_loses_no_bytes() {
    let (disk, file) = disk_with_file(1, b"a");
    file.write_all_at(b"b", 0).unwrap();
    disk.kill_process();
    assert!(is_power_cut(&file.len().unwrap_err()));
    assert_eq!(disk.read_file(Path::new(FILE)).unwrap(), b"b");
}

/// One random history: every sector found after the cut is one that was
/// written to it since its last sync, or the synced one.
fn sectors_are_never_invented(seed: u64) -> (Vec<u8>, u64) {
    const SECTORS: u64 = 64;
    let chance = SimEntropy::new(seed);
    let below = |bound: u64| chance.next_u64() % bound;
    let (disk, file) = disk_with_file(seed, &[0; SECTORS as usize * 512]);
    let mut allowed: Vec<HashSet<u8>> = vec![HashSet::from([0]); SECTORS as usize];
    disk.arm_crash_at(below(300));
    let mut latest = vec![0; SECTORS as usize];
    loop {
        if below(10) == 0 {
            if file.sync_data().is_err() {
                break;
            }
            for (set, &value) in allowed.iter_mut().zip(&latest) {
                *set = HashSet::from([value]);
            }
            continue;
        }
        let (first, value) = (below(SECTORS), below(256) as u8);
        let count = 1 + below(SECTORS - first);
        for sector in first..first + count {
            allowed[sector as usize].insert(value);
            latest[sector as usize] = value;
        }
        if file.write_all_at(&vec![value; count as usize * 512], first * 512).is_err() {
            break;
        }
    }
    let operations = disk.operations();
    disk.crash(seed);
    let bytes = disk.read_file(Path::new(FILE)).unwrap();
    for (sector, (found, allowed)) in bytes.chunks(512).zip(&allowed).enumerate() {
        let same = found.iter().all(|&byte| byte == found[0]);
        assert!(same && allowed.contains(&found[0]), "seed {seed}, sector {sector}: {found:?}");
    }
    (bytes, operations)
}

#[test]
fn a_thousand_histories_invent_nothing_and_repeat_from_their_seed() {
    for seed in 0..1_000 {
        sectors_are_never_invented(seed);
    }
    assert_eq!(sectors_are_never_invented(42), sectors_are_never_invented(42));
}
