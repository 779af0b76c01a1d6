//! The kept files, looked into whole and with every byte that counts damaged in turn.

use crate::cells::BufferedSource;
use crate::fixtures::{STORE, fixture};
use crate::inspection::*;
use crate::{Arena, ArenaOptions, Wish};
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, DiskFile};
use pyralog_model::{CounterNumber, Finding, Severity, StoreId};
use std::path::Path;
use std::sync::Arc;

const PATH: &str = "/file";
const FIRST: CounterNumber = CounterNumber(7);
const SECOND: CounterNumber = CounterNumber(300);

/// The fixture keeps the pages that are not zeros, each after its number.
fn kept_arena() -> (SimDisk, Arc<dyn DiskFile>) {
    let disk = SimDisk::new(1);
    let file = disk.create(Path::new(PATH)).unwrap();
    file.set_len(1 << 20).unwrap();
    for page in std::fs::read(fixture("v1.arena")).unwrap().chunks(8 + 4096) {
        let number = u64::from_le_bytes(page[..8].try_into().unwrap());
        file.write_all_at(&page[8..], number * 4096).unwrap();
    }
    (disk, file)
}

fn kept_bound() -> SimDisk {
    let disk = SimDisk::new(1);
    let file = disk.create(Path::new(PATH)).unwrap();
    file.write_all_at(&std::fs::read(fixture("v1.bound")).unwrap(), 0).unwrap();
    disk
}

fn counters(file: &dyn DiskFile) -> Vec<ArenaCounter> {
    let mut walk = ArenaWalk::new(file, Path::new(PATH)).unwrap();
    std::iter::from_fn(|| walk.step().unwrap()).collect()
}

fn arena_findings(disk: &SimDisk) -> Vec<Finding> {
    audit_arena(disk, Path::new(PATH), STORE, &mut |_| {})
}

#[test]
fn a_kept_arena_is_shown_and_goes_on_where_it_says() {
    let (disk, file) = kept_arena();
    let walk = ArenaWalk::new(&*file, Path::new(PATH)).unwrap();
    let header = walk.header().unwrap();
    assert_eq!((header.store, header.incarnation, header.closed), (STORE, 2, true));
    let shown = counters(&*file);
    let numbers: Vec<_> = shown.iter().map(|counter| counter.number).collect();
    assert_eq!(numbers, [FIRST, SECOND]);
    assert_eq!(shown[0].resumes_after, Some(17));
    assert_eq!((shown[1].resumes_after, shown[1].bound), (Some(34), Some(1_010)));
    assert_eq!(arena_findings(&disk), []);
    // A start agrees.
    let world: Arc<dyn Disk> = Arc::new(disk);
    let options = ArenaOptions { file_bytes: 1 << 20, ..ArenaOptions::default() };
    let (arena, _) =
        Arena::open(&world, Path::new(PATH), STORE, &BufferedSource, options.clone()).unwrap();
    assert_eq!(arena.value(SECOND).unwrap(), 34);
    arena.raise(&[Wish { counter: SECOND, count: 1 }]).unwrap();
    drop(arena);
    // It did not end cleanly: the next one goes on at the bound, and so it is shown.
    let shown = counters(&*world.open(Path::new(PATH)).unwrap());
    let (arena, _) = Arena::open(&world, Path::new(PATH), STORE, &BufferedSource, options).unwrap();
    assert_eq!(Some(arena.value(SECOND).unwrap()), shown[1].resumes_after);
    assert_eq!(shown[1].resumes_after, shown[1].bound);
}

#[test]
fn every_byte_of_headers_and_entries_is_watched() {
    let (disk, file) = kept_arena();
    let entries: Vec<u64> = counters(&*file).iter().map(|counter| counter.position).collect();
    let headers = [0, 4096].into_iter().flat_map(|at| (at..at + 10).chain(at + 12..at + 96));
    let entries = entries.iter().flat_map(|at| [*at, at + 4096]).flat_map(|at| at..at + 32);
    for position in headers.chain(entries) {
        disk.flip_bit(Path::new(PATH), position, 6).unwrap();
        let found = arena_findings(&disk);
        assert_eq!(found.len(), 1, "byte {position}: {found:?}");
        assert!(found[0].severity > Severity::Note && !found[0].advice.is_empty());
        disk.flip_bit(Path::new(PATH), position, 6).unwrap();
    }
    assert_eq!(arena_findings(&disk), []);
}

#[test]
fn the_later_copy_of_a_bound_is_worse_to_lose_than_the_earlier() {
    let (disk, file) = kept_arena();
    let counter = &counters(&*file)[0];
    let seq = |copy: usize| match counter.copies[copy] {
        EntryCopy::Whole { seq, .. } => seq,
        _ => 0,
    };
    let later = usize::from(seq(1) > seq(0));
    for (copy, severity) in [(later, Severity::Damage), (1 - later, Severity::Repairable)] {
        let at = counter.position + copy as u64 * 4096;
        disk.flip_bit(Path::new(PATH), at, 0).unwrap();
        let found = arena_findings(&disk);
        assert_eq!((found.len(), found[0].severity), (1, severity), "{found:?}");
        assert_eq!(found[0].position, Some(at));
        disk.flip_bit(Path::new(PATH), at, 0).unwrap();
    }
}

#[test]
fn an_arena_of_another_store_or_too_short_is_told() {
    let (disk, file) = kept_arena();
    let other = StoreId(STORE.0 + 1);
    let found = audit_arena(&disk, Path::new(PATH), other, &mut |_| {});
    assert!(found.len() == 1 && found[0].what.contains("belongs to store"), "{found:?}");
    file.set_len(1 << 19).unwrap();
    let found = arena_findings(&disk);
    assert!(found[0].what.contains("has 524288 bytes of 1048576"), "{found:?}");
}

#[test]
fn every_byte_of_a_bound_is_watched() {
    let disk = kept_bound();
    let file = disk.open(Path::new(PATH)).unwrap();
    let view = BoundView::read(&*file, Path::new(PATH), STORE).unwrap();
    assert_eq!(view.bound, Some(0x3_0000));
    assert_eq!(audit_bound(&disk, Path::new(PATH), STORE), []);
    for copy in [0u64, 4096] {
        for position in (copy..copy + 10).chain(copy + 16..copy + 48) {
            disk.flip_bit(Path::new(PATH), position, 1).unwrap();
            let found = audit_bound(&disk, Path::new(PATH), STORE);
            assert_eq!(found.len(), 1, "byte {position}");
            disk.flip_bit(Path::new(PATH), position, 1).unwrap();
        }
    }
    for position in [16, 4096 + 16] {
        disk.flip_bit(Path::new(PATH), position, 1).unwrap();
    }
    let found = audit_bound(&disk, Path::new(PATH), STORE);
    assert_eq!(found[0].severity, Severity::Damage, "{found:?}");
}
