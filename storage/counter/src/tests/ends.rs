//! How a life ends, and where the next one begins.

use super::{C, STORE, open, path, raised, sim, small, wish};
use crate::cells::MappedSource;
use crate::{Arena, ArenaOptions, BoundFile, ClaimRefusal, CounterError, Wish};
use pyralog_env::sim::SimDisk;
use pyralog_env::{Disk, RealDisk};
use pyralog_model::CounterNumber;
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_clean_end_is_exact_and_any_other_resumes_at_the_bound() {
    let disk = sim();
    let arena = raised(&disk, small());
    arena.counter(C).unwrap().claim(7).unwrap();
    arena.close_clean().unwrap();
    assert_eq!(arena.counter(C).unwrap_err().to_string(), CounterError::Closed.to_string());
    drop(arena);
    for _ in 0..3 {
        // Starts that touch nothing and end cleanly keep it exact.
        let (arena, report) = open(&disk, small());
        assert!(report.clean);
        assert_eq!(arena.value(C).unwrap(), 7);
        arena.close_clean().unwrap();
    }
    let (arena, _) = open(&disk, small());
    arena.raise(&[wish(1)]).unwrap();
    assert_eq!(arena.counter(C).unwrap().claim(1), Ok(8));
    drop(arena);
    let (arena, report) = open(&disk, small());
    assert_eq!((report.clean, arena.value(C).unwrap()), (false, 107));
    arena.raise(&[wish(1)]).unwrap();
    assert_eq!(arena.counter(C).unwrap().claim(1), Ok(108));
}

#[test]
fn an_unclean_end_long_ago_is_not_forgotten() {
    let disk = sim();
    let arena = raised(&disk, small());
    arena.counter(C).unwrap().claim(7).unwrap();
    drop(arena);
    // The counter is not touched in the clean life between.
    let (arena, _) = open(&disk, small());
    arena.close_clean().unwrap();
    let (arena, report) = open(&disk, small());
    assert_eq!((report.clean, arena.value(C).unwrap()), (true, 100));
}

#[test]
fn handles_that_outlive_the_end_issue_nothing() {
    let disk = sim();
    let arena = raised(&disk, small());
    let counter = arena.counter(C).unwrap();
    arena.close_clean().unwrap();
    assert_eq!(counter.claim(1), Err(ClaimRefusal::Closed));
    assert!(matches!(arena.raise(&[wish(1)]), Err(CounterError::Closed)));
    assert!(matches!(arena.close_clean(), Err(CounterError::Closed)));
}

#[test]
fn a_failed_sync_is_final() {
    let disk = SimDisk::new(3);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let arena = raised(&world, small());
    let counter = arena.counter(C).unwrap();
    assert_eq!(counter.claim(1), Ok(1));
    disk.fail_next_sync("arena");
    assert!(matches!(arena.raise(&[wish(500)]), Err(CounterError::Failed { .. })));
    assert!(matches!(counter.claim(1), Err(ClaimRefusal::Failed { .. })));
    assert!(matches!(arena.raise(&[wish(1)]), Err(CounterError::Failed { .. })));
    assert!(matches!(arena.close_clean(), Err(CounterError::Failed { .. })));
    assert!(arena.failure().unwrap().contains("/arena: sync"));
    // The old bound is what a power cut leaves.
    disk.crash(5);
    let (arena, _) = open(&world, small());
    assert_eq!(arena.value(C).unwrap(), 100);
}

#[test]
fn what_is_stopped_issues_and_raises_nothing_and_does_not_end_clean() {
    let disk = sim();
    let arena = raised(&disk, small());
    let counter = arena.counter(C).unwrap();
    assert_eq!(counter.claim(1), Ok(1));
    arena.stop("the WAL failed");
    assert!(matches!(counter.claim(1), Err(ClaimRefusal::Failed { .. })));
    assert!(matches!(arena.raise_each(&[wish(1)]), Err(CounterError::Failed { .. })));
    assert!(matches!(arena.create(&[CounterNumber(9)]), Err(CounterError::Failed { .. })));
    assert!(matches!(arena.close_clean(), Err(CounterError::Failed { .. })));
}

#[test]
fn a_full_disk_refuses_new_counters_and_raises_old_ones() {
    let disk = SimDisk::new(3);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let arena = raised(&world, small());
    disk.set_capacity(disk.used_bytes());
    let far = CounterNumber(5_000);
    assert!(matches!(arena.create(&[far]), Err(CounterError::DiskFull { .. })));
    assert!(matches!(arena.counter(far), Err(CounterError::NotCreated { .. })));
    for _ in 0..4 {
        arena.raise(&[wish(100)]).unwrap();
        arena.counter(C).unwrap().claim(100).unwrap();
    }
    arena.create(&[CounterNumber(8)]).unwrap();
    disk.set_capacity(u64::MAX);
    arena.create(&[far]).unwrap();
    assert_eq!(arena.value(far).unwrap(), 0);
}

#[test]
fn a_slot_whose_space_a_power_cut_took_gets_some_or_the_counter_is_refused() {
    let kept = SimDisk::new(3);
    drop(raised(&(Arc::new(kept.clone()) as Arc<dyn Disk>), small()));
    let bytes = kept.read_file(path()).unwrap();
    // The same file, but for the slots: the kernel had not come to them.
    let disk = SimDisk::new(4);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let file = world.create(path()).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    for (page, bytes) in bytes.chunks(4096).enumerate().filter(|(page, _)| *page < 2 || *page > 32)
    {
        if bytes.iter().any(|&byte| byte != 0) {
            file.write_all_at(bytes, page as u64 * 4096).unwrap();
        }
    }
    let (arena, _) = open(&world, small());
    disk.set_capacity(disk.used_bytes());
    assert!(matches!(arena.counter(C), Err(CounterError::DiskFull { .. })));
    disk.set_capacity(u64::MAX);
    let counter = arena.counter(C).unwrap();
    // The other copy of the durable block finds space as well.
    arena.raise(&[wish(1)]).unwrap();
    disk.set_capacity(disk.used_bytes());
    assert_eq!((counter.claim(1), arena.raise(&[wish(200)]).is_ok()), (Ok(101), true));
    arena.close_clean().unwrap();
}

#[test]
fn a_slot_that_cannot_be_read_is_an_error() {
    let disk = SimDisk::new(3);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let (arena, _) = open(&world, small());
    arena.create(&[C]).unwrap();
    disk.fail_reads("arena");
    assert!(matches!(arena.counter(C), Err(CounterError::Io { .. })));
    disk.clear_faults();
    assert_eq!(arena.counter(C).unwrap().value(), 0);
}

#[test]
fn a_clean_end_on_the_kernel_s_files_is_exact() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let path = dir.path().join("arena");
    // Over more windows than are kept, with a file as long as the file system takes.
    let counters: Vec<CounterNumber> = (0..100).map(|at| CounterNumber(at * 4_099 + 16)).collect();
    let wishes: Vec<Wish> = counters.iter().map(|&counter| Wish { counter, count: 1 }).collect();
    for life in 1..=3 {
        let (arena, _) =
            Arena::open(&disk, &path, STORE, &MappedSource, ArenaOptions::default()).unwrap();
        arena.create(&counters).unwrap();
        arena.raise(&wishes).unwrap();
        for (at, &number) in counters.iter().enumerate() {
            let counter = arena.counter(number).unwrap();
            assert_eq!(counter.claim(at as u64 + 1), Ok((life - 1) * (at as u64 + 1) + 1));
        }
        arena.close_clean().unwrap();
    }
}

#[test]
fn a_bound_file_keeps_the_greatest_bound() {
    let disk = SimDisk::new(9);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let path = Path::new("/lane");
    for life in 1..=20 {
        let mut file = BoundFile::open(&world, path, STORE).unwrap();
        assert_eq!((file.bound(), file.incarnation()), ((life - 1) * 30, life));
        for step in 1..=3 {
            file.raise((life - 1) * 30 + step * 10).unwrap();
        }
        file.raise(5).unwrap();
        disk.arm_crash_at(life % 2);
        let _ = file.raise(life * 30 + 7);
        disk.crash(life * 7);
        let now = BoundFile::open(&world, path, STORE).unwrap().bound();
        assert!(now == life * 30 || now == life * 30 + 7);
        if now != life * 30 {
            return;
        }
    }
}

#[test]
fn a_bound_file_s_failed_sync_is_final() {
    let disk = SimDisk::new(9);
    let world: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut file = BoundFile::open(&world, Path::new("/lane"), STORE).unwrap();
    file.raise(10).unwrap();
    disk.fail_next_sync("lane");
    assert!(matches!(file.raise(20), Err(CounterError::Failed { .. })));
    assert!(matches!(file.raise(30), Err(CounterError::Failed { .. })));
    assert_eq!(file.bound(), 10);
    disk.crash(1);
    let other = pyralog_model::StoreId(1);
    assert!(BoundFile::open(&world, Path::new("/lane"), other).is_err());
    assert!(BoundFile::open(&world, path(), STORE).is_ok());
    assert_eq!(BoundFile::open(&world, Path::new("/lane"), STORE).unwrap().bound(), 10);
}
