//! The arena on simulated and real disks: what is issued, refused and resumed.

use crate::cells::{BufferedSource, CellSource, MappedSource};
use crate::{Arena, ArenaOptions, ClaimRefusal, CounterError, StartReport, VALUE_MAX, Wish};
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, RealDisk};
use pyralog_model::{CounterNumber, StoreId};
use std::path::Path;
use std::sync::Arc;

mod damage;
mod ends;
mod inspection;
mod sizes;

const STORE: StoreId = StoreId(0x77);
const C: CounterNumber = CounterNumber(7);

fn small() -> ArenaOptions {
    ArenaOptions { file_bytes: 1 << 20, block: 100, ..ArenaOptions::default() }
}

fn sim() -> Arc<dyn Disk> {
    Arc::new(SimDisk::new(1))
}

fn path() -> &'static Path {
    Path::new("/arena")
}

fn open(disk: &Arc<dyn Disk>, options: ArenaOptions) -> (Arena, StartReport) {
    Arena::open(disk, path(), STORE, &BufferedSource, options).unwrap()
}

/// An arena with counter `C`, raised once.
fn raised(disk: &Arc<dyn Disk>, options: ArenaOptions) -> Arena {
    let (arena, _) = open(disk, options);
    arena.create(&[C]).unwrap();
    arena.raise(&[wish(1)]).unwrap();
    arena
}

fn wish(count: u64) -> Wish {
    Wish { counter: C, count }
}

#[test]
fn values_are_dense_from_one_and_end_at_the_synced_bound() {
    let disk = sim();
    let (arena, report) = open(&disk, small());
    assert!(report.created && report.warning().is_none(), "{report:?}");
    assert!(matches!(arena.counter(C), Err(CounterError::NotCreated { .. })));
    arena.create(&[C, CounterNumber(8)]).unwrap();
    let counter = arena.counter(C).unwrap();
    assert_eq!(counter.claim(1), Err(ClaimRefusal::NeedsRaise));
    assert!(counter.wants_raise());
    assert_eq!(arena.raise(&[wish(1)]).unwrap().counters, 1);
    assert_eq!((counter.claim(1), counter.claim(2), counter.claim(1)), (Ok(1), Ok(2), Ok(4)));
    assert_eq!(counter.claim(97), Err(ClaimRefusal::NeedsRaise), "101 is past the bound");
    assert_eq!((counter.value(), counter.wants_raise()), (4, false));
    assert_eq!((counter.claim(96), arena.bound(C).unwrap()), (Ok(5), 100));
    assert!(counter.wants_raise());
    arena.raise(&[wish(0), wish(150), wish(30)]).unwrap();
    assert_eq!((arena.bound(C).unwrap(), counter.claim(180)), (280, Ok(101)));
    // Creating again changes nothing.
    arena.create(&[C]).unwrap();
    assert_eq!((counter.value(), arena.counter(CounterNumber(8)).unwrap().value()), (280, 0));
}

#[test]
fn what_is_written_and_not_synced_is_not_issued() {
    let disk = sim();
    let (arena, _) = open(&disk, small());
    arena.create(&[C]).unwrap();
    let counter = arena.counter(C).unwrap();
    let raise = arena.begin_raise(&[wish(1)]).unwrap();
    assert_eq!(counter.claim(1), Err(ClaimRefusal::NeedsRaise));
    drop(raise);
    // Not by a handle that reads the unsynced block either.
    drop(counter);
    let counter = arena.counter(C).unwrap();
    assert_eq!(counter.claim(1), Err(ClaimRefusal::NeedsRaise));
    arena.begin_raise(&[wish(1)]).unwrap().finish().unwrap();
    assert_eq!(counter.claim(1), Ok(1));
}

#[test]
fn a_counter_that_nobody_holds_goes_on_where_it_was() {
    let disk = sim();
    let arena = raised(&disk, small());
    assert_eq!(arena.counter(C).unwrap().claim(5), Ok(1));
    assert_eq!((arena.count(), arena.value(C).unwrap()), (0, 5));
    let counter = arena.counter(C).unwrap();
    assert_eq!((counter.claim(95), arena.count()), (Ok(6), 1));
    assert_eq!(arena.active_counter(C).unwrap().claim(1), Err(ClaimRefusal::NeedsRaise));
}

#[test]
fn a_bound_synced_per_increment_is_exactly_what_was_asked_for() {
    let disk = sim();
    let options = ArenaOptions { fsync_on_increment: true, ..small() };
    let (arena, _) = open(&disk, options);
    arena.create(&[C]).unwrap();
    let counter = arena.counter(C).unwrap();
    assert_eq!((counter.wants_raise(), arena.raise(&[wish(0)]).unwrap().counters), (false, 0));
    arena.raise(&[wish(1), wish(1), wish(3)]).unwrap();
    assert_eq!((arena.bound(C).unwrap(), counter.claim(5)), (5, Ok(1)));
    assert_eq!(counter.claim(1), Err(ClaimRefusal::NeedsRaise));
}

#[test]
fn a_counter_ends_at_its_greatest_value() {
    let disk = sim();
    let arena = raised(&disk, small());
    let counter = arena.counter(C).unwrap();
    arena.raise(&[wish(VALUE_MAX - 1)]).unwrap();
    assert_eq!(counter.claim(VALUE_MAX - 1), Ok(1));
    arena.raise(&[wish(5)]).unwrap();
    assert_eq!((counter.claim(1), counter.wants_raise()), (Ok(VALUE_MAX), false));
    for count in [1, u64::MAX] {
        assert_eq!(counter.claim(count), Err(ClaimRefusal::Exhausted { value: VALUE_MAX }));
    }
}

#[test]
fn threads_share_a_counter_without_a_value_twice() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let path = dir.path().join("arena");
    let options = ArenaOptions { block: 1_000, ..small() };
    let (arena, report) =
        Arena::open(&disk, &path, STORE, &MappedSource as &dyn CellSource, options).unwrap();
    assert_eq!(report.file_bytes, 1 << 20);
    arena.create(&[C]).unwrap();
    let claims = |count: u64| {
        let (arena, counter) = (&arena, arena.counter(C).unwrap());
        move || {
            let mut firsts = Vec::new();
            while firsts.len() < 5_000 {
                match counter.claim(count) {
                    Ok(first) => firsts.extend(first..first + count),
                    Err(_) => drop(arena.raise(&[Wish { counter: C, count }]).unwrap()),
                }
            }
            firsts
        }
    };
    let mut all = std::thread::scope(|scope| {
        let threads = [1, 7, 64].map(|count| scope.spawn(claims(count)));
        threads.map(|thread| thread.join().unwrap()).concat()
    });
    all.sort_unstable();
    assert!(all.iter().copied().eq(1..=all.len() as u64), "each value once, none left out");
}
