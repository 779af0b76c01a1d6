//! The formats on disk must not move: small files written by version 1 lie in
//! `fixtures/`, are made again byte for byte, and are read back. A change of a
//! format is a new version with fixtures of its own; these stay.
//!
//! `PYRALOG_WRITE_FIXTURES=1` writes the missing ones.

use crate::cells::BufferedSource;
use crate::{Arena, ArenaOptions, BoundFile, Wish};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::{CounterNumber, StoreId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const STORE: StoreId = StoreId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
const ARENA: &str = "/arena";
const LANE: &str = "/lane";
const FIRST: CounterNumber = CounterNumber(7);
const SECOND: CounterNumber = CounterNumber(300);

fn options() -> ArenaOptions {
    ArenaOptions { file_bytes: 1 << 20, block: 1_000, ..ArenaOptions::default() }
}

fn open(disk: &Arc<dyn Disk>) -> Arena {
    Arena::open(disk, Path::new(ARENA), STORE, &BufferedSource, options()).unwrap().0
}

/// Two lives of two counters, ended cleanly, and a bound that was raised thrice.
fn written() -> (SimDisk, Arc<dyn Disk>) {
    let disk = SimDisk::new(1);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    for claimed in [5, 12] {
        let arena = open(&world);
        arena.create(&[FIRST, SECOND]).unwrap();
        let wishes = [FIRST, SECOND].map(|counter| Wish { counter, count: 1 });
        arena.raise(&wishes[..1]).unwrap();
        arena.raise(&wishes).unwrap();
        arena.counter(FIRST).unwrap().claim(claimed).unwrap();
        arena.counter(SECOND).unwrap().claim(2 * claimed).unwrap();
        arena.close_clean().unwrap();
    }
    let mut bound = BoundFile::open(&world, Path::new(LANE), STORE).unwrap();
    (1..=3).for_each(|step| bound.raise(step * 0x1_0000).unwrap());
    (disk, world)
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A fixture of the arena keeps what is not zeros: number of a page, 8 bytes, and
/// its 4,096 bytes, one after the other.
fn pages(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for (number, page) in bytes.chunks(4096).enumerate() {
        if page.iter().any(|&byte| byte != 0) {
            kept.extend_from_slice(&(number as u64).to_le_bytes());
            kept.extend_from_slice(page);
        }
    }
    kept
}

#[test]
fn every_file_has_the_bytes_it_always_had() {
    let (disk, _) = written();
    let arena = pages(&disk.read_file(Path::new(ARENA)).unwrap());
    let bound = disk.read_file(Path::new(LANE)).unwrap();
    for (name, bytes) in [("v1.arena", arena), ("v1.bound", bound)] {
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
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(2));
    let arena = disk.create(Path::new(ARENA)).unwrap();
    arena.set_len(1 << 20).unwrap();
    for page in std::fs::read(fixture("v1.arena")).unwrap().chunks(8 + 4096) {
        let number = u64::from_le_bytes(page[..8].try_into().unwrap());
        arena.write_all_at(&page[8..], number * 4096).unwrap();
    }
    let bound = disk.create(Path::new(LANE)).unwrap();
    bound.write_all_at(&std::fs::read(fixture("v1.bound")).unwrap(), 0).unwrap();

    let arena = open(&disk);
    assert_eq!((arena.incarnation(), arena.value(FIRST).unwrap()), (3, 17));
    assert_eq!((arena.value(SECOND).unwrap(), arena.bound(SECOND).unwrap()), (34, 1_010));
    let bound = BoundFile::open(&disk, Path::new(LANE), STORE).unwrap();
    assert_eq!((bound.bound(), bound.incarnation()), (0x3_0000, 2));
}
