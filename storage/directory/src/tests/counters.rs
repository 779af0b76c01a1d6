//! Counters: numbers and names, and that a directory stays cheap with many.

use super::*;
use pyralog_model::CounterNumber;

fn created(directory: &mut Directory, name: &str, mode: CounterMode) -> u64 {
    match apply(directory, &counter(name, mode)).unwrap() {
        Outcome::CounterCreated(number) => number.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counters_are_found_by_name_and_number() {
    let mut directory = cluster(0);
    let (exact, leased) = (CounterMode::Exact, CounterMode::Leased);
    assert_eq!(created(&mut directory, "a", exact), 16);
    assert_eq!(created(&mut directory, "b", leased), 17);
    assert_eq!(created(&mut directory, "a", exact), 16, "it is there");
    let other = refused(&directory, counter("b", exact));
    let name = "b".parse().unwrap();
    assert_eq!(other, DirectoryError::CounterExists { name, mode: leased });
    assert_eq!(directory.counter_count(), 2);
    let b = directory.counter(&"b".parse().unwrap()).unwrap();
    assert_eq!((b.number, b.mode), (CounterNumber(17), leased));
    assert_eq!(directory.counter_by_number(CounterNumber(17)), Some(b));
    assert_eq!(directory.counter_mode(CounterNumber(16)), Some(exact));
    for unknown in [0, 7, 15, 18, u64::MAX] {
        assert_eq!(directory.counter_mode(CounterNumber(unknown)), None);
    }
    assert_eq!(directory.counter(&"c".parse().unwrap()), None);
}

#[test]
fn the_clusters_own_are_read_and_not_made() {
    let directory = cluster(0);
    for (name, number) in [("epochs", 3), ("scarab", 5), ("sessions", 7)] {
        let own = directory.counter(&name.parse().unwrap()).unwrap();
        assert_eq!((own.number, own.mode), (CounterNumber(number), CounterMode::Exact));
        let reserved = refused(&directory, counter(name, CounterMode::Exact));
        assert_eq!(reserved, DirectoryError::CounterReserved(name.parse().unwrap()));
    }
    assert_eq!(directory.counters().count(), 0);
    let nothing = refused(&Directory::default(), counter("a", CounterMode::Exact));
    assert_eq!(nothing, DirectoryError::NotFounded);
}

#[test]
fn thousands_are_found_and_survive_a_snapshot() {
    let mut directory = cluster(0);
    let mode = |n: u64| if n.is_multiple_of(3) { CounterMode::Leased } else { CounterMode::Exact };
    for n in 0..3_000 {
        // As a publisher does: someone else still reads the one before.
        let published = directory.clone();
        let name = "x".repeat((n % 200) as usize) + &n.to_string();
        assert_eq!(created(&mut directory, &name, mode(n)), 16 + n);
        assert_eq!(published.counter_count() as u64, n);
    }
    let restored = Directory::restore(&directory.snapshot()).unwrap();
    assert_eq!(restored, directory);
    assert!(restored.counters().zip(0..).all(|(entry, n)| {
        entry.mode == mode(n)
            && entry.number.0 == 16 + n
            && restored.counter(&entry.name).as_ref() == Some(&entry)
    }));
}
