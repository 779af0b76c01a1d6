//! Lengths that a file system refuses, and numbers past the end.

use super::{STORE, open, path, sim, small};
use crate::cells::MappedSource;
use crate::{Arena, ArenaOptions, CounterError};
use pyralog_env::{Disk, RealDisk};
use pyralog_model::CounterNumber;
use std::sync::Arc;

#[test]
fn a_number_past_the_end_has_no_slot() {
    let disk = sim();
    let (arena, report) = open(&disk, small());
    let (last, past) = (report.counters_max - 1, CounterNumber(report.counters_max));
    arena.create(&[CounterNumber(last)]).unwrap();
    assert_eq!(arena.value(CounterNumber(last)).unwrap(), 0);
    assert!(matches!(arena.create(&[past]), Err(CounterError::NoSlot { .. })));
    for number in [past, CounterNumber(u64::MAX)] {
        assert!(matches!(arena.counter(number), Err(CounterError::NotCreated { .. })));
    }
}

#[test]
fn a_length_that_is_refused_is_halved_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let options = ArenaOptions { file_bytes: u64::MAX / 4, ..ArenaOptions::default() };
    let path = dir.path().join("arena");
    let (arena, report) = Arena::open(&disk, &path, STORE, &MappedSource, options).unwrap();
    // The last slot of whatever length it became can be used.
    arena.create(&[CounterNumber(report.counters_max - 1)]).unwrap();
    arena.counter(CounterNumber(report.counters_max - 1)).unwrap();
    if report.file_bytes < u64::MAX / 4 {
        assert!(report.warning().unwrap().contains("the file system takes no more"));
    }
}

#[test]
fn a_file_keeps_the_length_it_was_made_with() {
    let disk = sim();
    drop(open(&disk, small()));
    let (_, report) = open(&disk, ArenaOptions { file_bytes: 1 << 30, ..small() });
    assert_eq!((report.file_bytes, report.created), (1 << 20, false));
    assert!(report.warning().unwrap().contains("it was made so"));
    assert!(disk.exists(path()).unwrap());
}
