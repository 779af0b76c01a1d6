//! Merging: the bytes are those of building from everything.

use super::{DIR, PLENTY, build, disk, entries, model, open, spec, versions};
use crate::{Entry, IndexError, Pphm, Reducer, Spec, merge};
use pyralog_model::Offset;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn at(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

fn whole(pphm: &Arc<Pphm>) -> (Arc<Pphm>, Range<Offset>) {
    (Arc::clone(pphm), pphm.facts().spec.range.clone())
}

#[test]
fn merged_files_are_what_building_from_everything_gives() {
    let cuts = [0u64, 700, 701, 4_000, 4_000, 9_000];
    for reducer in [Reducer::All, Reducer::Last, Reducer::First, Reducer::Priority] {
        for keys in [1, 50, 100_000] {
            let (sim, disk) = disk();
            let all = entries(keys, 0..9_000, keys);
            build(&disk, &at("union"), 0..9_000, reducer, &all, PLENTY);
            let part = |pair: &[u64]| {
                let path = at(&format!("{}-{}", pair[0], pair[1]));
                let part = &all[pair[0] as usize..pair[1] as usize];
                build(&disk, &path, pair[0]..pair[1], reducer, part, PLENTY);
                open(&disk, &path)
            };
            let parts: Vec<Arc<Pphm>> = cuts.windows(2).map(part).collect();
            let inputs: Vec<_> = parts.iter().map(whole).collect();
            let bytes = |name: &str| sim.read_file(&at(name)).unwrap();
            merge(&disk, &at("merged"), &spec(0..9_000), &reducer, &inputs).unwrap();
            assert!(bytes("merged") == bytes("union"), "{reducer:?}, {keys} keys");
            // Level by level, and in another order.
            merge(&disk, &at("low"), &spec(0..4_000), &reducer, &inputs[..3]).unwrap();
            let low = open(&disk, &at("low"));
            let two = [inputs[4].clone(), whole(&low)];
            merge(&disk, &at("levels"), &spec(0..9_000), &reducer, &two).unwrap();
            assert!(bytes("levels") == bytes("union"), "{reducer:?}, {keys} keys, by levels");
        }
    }
}

#[test]
fn of_each_file_only_its_range_counts() {
    let (sim, disk) = disk();
    let old = entries(1, 0..3_000, 200);
    let new = entries(2, 0..3_000, 200);
    build(&disk, &at("old"), 0..3_000, Reducer::All, &old, PLENTY);
    build(&disk, &at("new"), 0..3_000, Reducer::All, &new, PLENTY);
    let clip = |name: &str, range: Range<u64>| {
        (open(&disk, &at(name)), Offset(range.start)..Offset(range.end))
    };
    let inputs = [clip("old", 500..1_200), clip("new", 1_200..2_900)];
    let facts = merge(&disk, &at("merged"), &spec(500..2_900), &Reducer::All, &inputs).unwrap();
    let kept: Vec<Entry> = old[500..1_200].iter().chain(&new[1_200..2_900]).copied().collect();
    assert_eq!(facts.versions, kept.len() as u64);
    let merged = open(&disk, &at("merged"));
    for (hash, expect) in model(&kept, Reducer::All) {
        assert_eq!(versions(&merged, hash), expect);
    }
    build(&disk, &at("union"), 500..2_900, Reducer::All, &kept, PLENTY);
    assert!(sim.read_file(&at("merged")).unwrap() == sim.read_file(&at("union")).unwrap());
}

#[test]
fn files_of_different_indexes_are_not_merged() {
    let (_, disk) = disk();
    build(&disk, &at("a"), 0..9, Reducer::Last, &entries(1, 0..9, 3), PLENTY);
    let inputs = [whole(&open(&disk, &at("a")))];
    let other_seed = Spec { hash_seed: 12, ..spec(0..9) };
    let mut other_store = spec(0..9);
    other_store.of.store.0 += 1;
    let refused = [
        merge(&disk, &at("b"), &other_seed, &Reducer::Last, &inputs),
        merge(&disk, &at("b"), &other_store, &Reducer::Last, &inputs),
        merge(&disk, &at("b"), &spec(0..9), &Reducer::All, &inputs),
    ];
    for error in refused {
        assert!(matches!(error, Err(IndexError::Unfit { .. })), "{error:?}");
    }
}
