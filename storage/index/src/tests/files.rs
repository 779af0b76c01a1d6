//! One file: what was put in is found, what was not is not, and bytes follow from both.

use super::{DIR, PLENTY, build, disk, entries, hash_of, model, open, spec, versions};
use crate::{BlockCache, Builder, Entry, Newest, Pphm, Reduce, Reducer, Version};
use pyralog_model::Offset;
use std::path::Path;
use std::sync::Arc;

const EVERY: [Reducer; 6] = [
    Reducer::All,
    Reducer::Last,
    Reducer::First,
    Reducer::Max,
    Reducer::Priority,
    Reducer::Timestamp,
];

fn path() -> std::path::PathBuf {
    Path::new(DIR).join("a.pphm")
}

#[test]
fn every_version_is_found_under_every_reducer() {
    for reducer in EVERY {
        for (count, keys) in [(0, 1), (1, 1), (2, 1), (300, 9), (5_000, 5_000), (9_000, 40)] {
            let (_, disk) = disk();
            let entries = entries(count, 100..100 + count, keys);
            let facts = build(&disk, &path(), 0..1 << 40, reducer, &entries, PLENTY);
            let pphm = open(&disk, &path());
            assert_eq!(pphm.facts(), &facts);
            pphm.verify().unwrap();
            let model = model(&entries, reducer);
            assert_eq!(facts.keys, model.len() as u64);
            assert_eq!(facts.versions, model.values().map(|found| found.len() as u64).sum::<u64>());
            for (hash, expect) in &model {
                assert_eq!(&versions(&pphm, *hash), expect, "{reducer:?}, {count} of {keys}");
                let newest = pphm.newest(*hash).unwrap().unwrap();
                let absent = hash_of(1 << 51);
                assert_eq!(pphm.newest_all(&[*hash, absent]).unwrap(), [Some(newest), None]);
                assert_eq!(
                    (newest.offset, newest.tombstone),
                    (expect[0].offset, expect[0].tombstone)
                );
            }
            assert_eq!(versions(&pphm, hash_of(1 << 50)), []);
        }
    }
}

/// The hard part of a perfect hash: a million keys that are there, and a million that
/// are not, of which the function alone would answer for each.
#[test]
fn a_million_present_are_found_and_a_million_absent_are_absent() {
    const COUNT: u64 = 1_000_000;
    let (_, disk) = disk();
    let mut builder = Builder::new(&disk, &path(), spec(0..COUNT), Arc::new(Reducer::All), PLENTY);
    for offset in 0..COUNT {
        builder.push(Entry::at(hash_of(offset), Offset(offset), offset % 7 == 0)).unwrap();
    }
    builder.finish().unwrap();
    let pphm = open(&disk, &path());
    let all: Vec<u64> = (0..COUNT).map(hash_of).collect();
    // Twice: with blocks that are not there, and with those that are.
    for _ in 0..2 {
        let newest = pphm.newest_all(&all).unwrap();
        let right = |(offset, newest): (u64, &Option<Newest>)| {
            newest.is_some_and(|newest| newest.offset == Offset(offset))
        };
        assert!(newest.len() == all.len() && (0..).zip(&newest).all(right));
    }
    let mut fingerprints = 0;
    for offset in 0..COUNT {
        let newest = pphm.newest(hash_of(offset)).unwrap().expect("present");
        assert_eq!((newest.offset, newest.tombstone), (Offset(offset), offset % 7 == 0));
        let absent = hash_of(COUNT + offset);
        assert_eq!(pphm.newest(absent).unwrap(), None);
        fingerprints += u64::from(pphm.shares_fingerprint(absent));
    }
    // 16 bits alone would have let through one in 65,536: 15 of a million.
    assert!((4..40).contains(&fingerprints), "{fingerprints} false fingerprints");
}

#[test]
fn two_keys_with_one_hash_stay_findable() {
    let (_, disk) = disk();
    let version = |offset, check| Version { check, ..Version::at(Offset(offset), false) };
    let entries = [(1, 10), (2, 20), (3, 10), (4, 20)]
        .map(|(offset, check)| Entry { hash: 77, version: version(offset, check) });
    for (reducer, expect) in [
        (Reducer::All, vec![4, 3, 2, 1]),
        (Reducer::Last, vec![4, 3]),
        (Reducer::First, vec![2, 1]),
    ] {
        build(&disk, &path(), 0..9, reducer, &entries, PLENTY);
        let found = versions(&open(&disk, &path()), 77);
        assert_eq!(found.iter().map(|found| found.offset.0).collect::<Vec<_>>(), expect);
    }
}

#[test]
fn order_budget_and_repetition_do_not_change_a_byte() {
    for reducer in [Reducer::All, Reducer::Max] {
        let (sim, disk) = disk();
        let mut entries = entries(5, 0..20_000, 3_000);
        build(&disk, &path(), 0..20_000, reducer, &entries, PLENTY);
        let expect = sim.read_file(&path()).unwrap();
        entries.reverse();
        // Small enough for dozens of runs, which are joined on the way.
        for budget_bytes in [0, 40_000, 300_000] {
            let names = || disk.list(Path::new(DIR)).unwrap().len();
            build(&disk, &path(), 0..20_000, reducer, &entries, budget_bytes);
            assert!(sim.read_file(&path()).unwrap() == expect, "{reducer:?}, {budget_bytes}");
            assert_eq!(names(), 1, "runs are removed");
        }
        entries.extend_from_within(..500);
        build(&disk, &path(), 0..20_000, reducer, &entries, PLENTY);
        assert!(sim.read_file(&path()).unwrap() == expect, "repeated entries, {reducer:?}");
    }
}

#[test]
fn one_key_with_very_many_versions_is_read_a_page_at_a_time() {
    const COUNT: u64 = 300_000;
    let (sim, disk) = disk();
    let hot: Vec<Entry> = (0..COUNT)
        .map(|offset| Entry::at(hash_of(offset % 3 / 2), Offset(offset), false))
        .collect();
    build(&disk, &path(), 0..COUNT, Reducer::All, &hot, PLENTY);
    let pphm = open(&disk, &path());
    assert_eq!(pphm.newest(hash_of(0)).unwrap().unwrap().offset, Offset(COUNT - 2));
    // The newest needs no page, the next few need one; the rest are never touched.
    pphm.newest(hash_of(1)).unwrap();
    let mut newest = pphm.versions(hash_of(0));
    assert_eq!(newest.by_ref().take(100).flatten().count(), 100);
    sim.fail_reads("a.pphm");
    assert!(newest.any(|version| version.is_err()), "the list goes on in other pages");
    sim.clear_faults();
    assert_eq!(versions(&pphm, hash_of(0)).len(), 200_000);
    assert!(pphm.cached_bytes() < 200, "blocks do not grow with versions");
}

#[test]
fn blocks_stay_in_memory_while_there_is_room_and_leave_with_their_file() {
    let (_, disk) = disk();
    let entries = entries(3, 0..50_000, 50_000);
    build(&disk, &path(), 0..50_000, Reducer::All, &entries, PLENTY);
    let cache = Arc::new(BlockCache::new(150_000));
    let pphm = Pphm::open(&disk, &path(), &cache).unwrap();
    for entry in &entries {
        assert!(pphm.newest(entry.hash).unwrap().is_some());
    }
    assert!((120_000..=150_000).contains(&cache.used_bytes()), "{}", cache.used_bytes());
    assert_eq!(cache.used_bytes(), pphm.cached_bytes());
    let cold = pphm.cold();
    assert_eq!((cold.cached_bytes(), pphm.is_held()), (0, true));
    drop((pphm, cold));
    assert_eq!(cache.used_bytes(), 0);
}

#[test]
fn the_function_and_its_overhead_stay_within_their_bits() {
    for keys in [100_000, 1_000_000] {
        let (_, disk) = disk();
        let entries: Vec<Entry> =
            (0..keys).map(|offset| Entry::at(hash_of(offset), Offset(offset), false)).collect();
        let facts = build(&disk, &path(), 0..keys, Reducer::All, &entries, PLENTY);
        let hash_bits = 64.0 - f64::from(facts.prefix_bits);
        let entry_bits = f64::from(64 - (2 * keys).leading_zeros()) + 1.0;
        let bits = facts.file_bytes as f64 * 8.0 / keys as f64 - hash_bits - entry_bits;
        assert!((2.5..3.5).contains(&bits), "{bits} bits a key at {keys} keys");
    }
}

/// A rule of the caller's own: the two newest.
struct NewestTwo;

impl Reduce for NewestTwo {
    fn id(&self) -> u16 {
        300
    }

    fn reduce(&self, versions: &mut Vec<Version>) {
        versions.truncate(2);
    }
}

/// A rule that breaks the rule.
struct Nothing;

impl Reduce for Nothing {
    fn id(&self) -> u16 {
        301
    }

    fn reduce(&self, versions: &mut Vec<Version>) {
        versions.clear();
    }
}

#[test]
fn callers_may_have_rules_of_their_own() {
    let (_, disk) = disk();
    let entry = |offset| Entry::at(5, Offset(offset), false);
    let mut builder = Builder::new(&disk, &path(), spec(0..9), Arc::new(NewestTwo), PLENTY);
    (0..9).for_each(|offset| builder.push(entry(offset)).unwrap());
    assert_eq!(builder.finish().unwrap().reducer, 300);
    let found = versions(&open(&disk, &path()), 5);
    assert_eq!(found.iter().map(|found| found.offset.0).collect::<Vec<_>>(), [8, 7]);
    let mut builder = Builder::new(&disk, &path(), spec(0..9), Arc::new(Nothing), PLENTY);
    builder.push(entry(1)).unwrap();
    let error = builder.finish().unwrap_err();
    assert!(error.to_string().contains("without versions"), "{error}");
}

#[test]
fn a_full_disk_leaves_nothing_behind_and_may_be_tried_again() {
    let (sim, disk) = disk();
    let entries = entries(5, 0..20_000, 3_000);
    for budget_bytes in [PLENTY, 40_000] {
        sim.set_capacity(sim.used_bytes() + 60_000);
        let mut builder =
            Builder::new(&disk, &path(), spec(0..20_000), Arc::new(Reducer::All), budget_bytes);
        let pushed: Result<(), _> = entries.iter().try_for_each(|entry| builder.push(*entry));
        let error = pushed.and_then(|()| builder.finish().map(drop)).unwrap_err();
        assert!(matches!(error, crate::IndexError::DiskFull { .. }), "{error}");
        assert_eq!(disk.list(Path::new(DIR)).unwrap(), []);
        sim.set_capacity(u64::MAX);
    }
    build(&disk, &path(), 0..20_000, Reducer::All, &entries, PLENTY);
    open(&disk, &path()).verify().unwrap();
}
