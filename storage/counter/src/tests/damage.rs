//! Damaged files: found, refused, and never counted on from the beginning.

use super::{C, STORE, open, path, raised, small, wish};
use crate::cells::BufferedSource;
use crate::{Arena, CounterError};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::{CounterNumber, StoreId};
use std::sync::Arc;

fn error(disk: &Arc<dyn Disk>, store: StoreId) -> CounterError {
    Arena::open(disk, path(), store, &BufferedSource, small()).unwrap_err()
}

/// A disk with an arena in which `C` is at 7 and its bound at 100.
fn kept() -> (SimDisk, Arc<dyn Disk>) {
    let disk = SimDisk::new(1);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let arena = raised(&world, small());
    arena.counter(C).unwrap().claim(7).unwrap();
    arena.close_clean().unwrap();
    (disk, world)
}

/// Where the durable pair of the first counters begins, as the header says.
fn durable_at(disk: &SimDisk) -> u64 {
    let bytes = disk.read_file(path()).unwrap();
    u64::from_le_bytes(bytes[48..56].try_into().unwrap())
}

#[test]
fn another_store_and_a_newer_version_are_refused() {
    let (disk, world) = kept();
    assert!(error(&world, StoreId(1)).to_string().contains("another store"));
    for copy in [0, 4096] {
        disk.flip_bit(path(), copy + 8, 1).unwrap();
    }
    assert!(matches!(error(&world, STORE), CounterError::NewerVersion { found: 3, .. }));
}

#[test]
fn one_copy_of_the_header_is_enough_and_none_is_not() {
    let (disk, world) = kept();
    disk.flip_bit(path(), 72, 0).unwrap();
    drop(open(&world, small()));
    for copy in [0, 4096] {
        disk.flip_bit(path(), copy + 80, 0).unwrap();
    }
    assert!(matches!(error(&world, STORE), CounterError::Damaged { .. }));
}

#[test]
fn a_file_cut_short_is_refused() {
    let (disk, world) = kept();
    world.open(path()).unwrap().set_len(70_000).unwrap();
    assert!(error(&world, STORE).to_string().contains("70000 bytes of"), "{disk:?}");
}

#[test]
fn a_counter_without_a_readable_bound_is_refused_and_its_neighbours_go_on() {
    let (disk, world) = kept();
    let at = durable_at(&disk) + C.0 * 32;
    for copy in [0, 4096] {
        disk.flip_bit(path(), at + copy, 3).unwrap();
        // The second copy may never have been written: all zeros do not count.
        disk.flip_bit(path(), at + copy + 1, 3).unwrap();
    }
    let (arena, _) = open(&world, small());
    for _ in 0..3 {
        assert!(matches!(arena.counter(C), Err(CounterError::CounterDamaged { .. })));
        assert!(matches!(arena.create(&[C]), Err(CounterError::CounterDamaged { .. })));
        assert!(matches!(arena.raise(&[wish(1)]), Err(CounterError::CounterDamaged { .. })));
        // Writing the block for another counter keeps the damage as it is.
        let other = CounterNumber(C.0 + 1);
        arena.create(&[other]).unwrap();
        arena.raise(&[crate::Wish { counter: other, count: 100 }]).unwrap();
        arena.counter(other).unwrap().claim(100).unwrap();
    }
}

#[test]
fn a_wish_that_cannot_be_takes_no_other_one_along() {
    let (disk, world) = kept();
    let at = durable_at(&disk) + C.0 * 32;
    [0, 1, 4096, 4097].iter().for_each(|byte| disk.flip_bit(path(), at + byte, 3).unwrap());
    let (arena, _) = open(&world, small());
    let (other, absent) = (CounterNumber(C.0 + 1), CounterNumber(300));
    arena.create(&[other]).unwrap();
    let wishes = [C, other, absent].map(|counter| crate::Wish { counter, count: 1 });
    assert!(matches!(arena.raise(&wishes), Err(CounterError::CounterDamaged { number: C })));
    let (raised, refused) = arena.raise_each(&wishes).unwrap();
    assert_eq!((raised.counters, raised.blocks), (1, 1));
    assert!(matches!(refused[0].error, CounterError::CounterDamaged { number: C }));
    assert!(matches!(refused[1].error, CounterError::NotCreated { .. }));
    assert_eq!(refused.iter().flat_map(|r| r.counters.clone()).collect::<Vec<_>>(), [C, absent]);
    assert_eq!(arena.counter(other).unwrap().claim(100), Ok(1));
    // Nothing that could be raised: nothing is synced, and nothing fails.
    let (raised, refused) = arena.raise_each(&wishes[..1]).unwrap();
    assert_eq!((raised.counters, refused.len()), (0, 1));
}

#[test]
fn a_mapped_value_above_its_bound_is_not_believed() {
    let (disk, world) = kept();
    disk.flip_bit(path(), (64 << 10) + C.0 * 64 + 6, 0).unwrap();
    let (arena, report) = open(&world, small());
    assert_eq!((report.clean, arena.value(C).unwrap()), (true, 100));
    assert_eq!(arena.counter(C).unwrap().value(), 100);
}

#[test]
fn no_bytes_make_it_panic() {
    let (disk, world) = kept();
    let len = disk.read_file(path()).unwrap().len() as u64;
    let places = [0, 8, 16, 32, 40, 48, 56, 64, 72, 88, 65_536 + 448];
    for (round, at) in places.into_iter().chain([durable_at(&disk), len - 1]).enumerate() {
        let (disk, world) = if round % 2 == 0 { (disk.clone(), world.clone()) } else { kept() };
        for bit in 0..8 {
            disk.flip_bit(path(), at, bit).unwrap();
            if let Ok((arena, _)) = Arena::open(&world, path(), STORE, &BufferedSource, small()) {
                let _ = arena.raise(&[wish(1)]).map(|_| arena.counter(C).map(|c| c.claim(1)));
            }
        }
    }
}
