//! Damage: a bit that turned over is an error, never wrong data and never "absent".

use super::{Chance, DIR, PLENTY, build, cache, disk, entries, model, open};
use crate::mutation::Planted;
use crate::{IndexError, Mutation, Pphm, Reducer, Version};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn path() -> PathBuf {
    Path::new(DIR).join("a.pphm")
}

type Model = BTreeMap<u64, Vec<Version>>;

/// A file with keys of one version and of many, and what it says.
fn kept(count: u64, keys: u64) -> (SimDisk, Arc<dyn Disk>, Model) {
    let (sim, disk) = disk();
    let entries = entries(count, 0..count, keys);
    build(&disk, &path(), 0..count, Reducer::All, &entries, PLENTY);
    (sim, disk, model(&entries, Reducer::All))
}

/// Reads every key as a lookup does. True if damage was named; wrong answers panic.
fn read_all(disk: &Arc<dyn Disk>, model: &Model, planted: Planted) -> bool {
    let damaged = |error: &IndexError| {
        matches!(error, IndexError::Damaged { .. } | IndexError::NewerVersion { .. })
    };
    let pphm = match Pphm::open_planted(disk, &path(), &cache(), planted) {
        Ok(pphm) => Arc::new(pphm),
        Err(error) => return damaged(&error),
    };
    let mut named = false;
    for (hash, expect) in model {
        let mut given = Vec::new();
        let mut failed = false;
        for version in pphm.versions(*hash) {
            match version {
                Ok(version) => given.push(version),
                Err(error) => failed = damaged(&error),
            }
        }
        // Up to the error everything is right; without one it is whole.
        assert_eq!(given, expect[..given.len().min(expect.len())], "wrong versions");
        assert!(failed || given.len() == expect.len(), "versions are absent");
        named |= failed;
    }
    named
}

#[test]
fn every_bit_of_a_small_file_is_guarded() {
    let (sim, disk, model) = kept(60, 25);
    let len = sim.read_file(&path()).unwrap().len() as u64;
    assert!(!read_all(&disk, &model, Planted::default()));
    for bit in 0..len * 8 {
        let flip = || sim.flip_bit(&path(), bit / 8, (bit % 8) as u32).unwrap();
        flip();
        assert!(read_all(&disk, &model, Planted::default()), "bit {bit} went unnoticed");
        flip();
    }
    assert!(!read_all(&disk, &model, Planted::default()));
}

#[test]
fn ten_thousand_places_of_a_large_file_are_guarded() {
    let (sim, disk, _) = kept(60_000, 20_000);
    let len = sim.read_file(&path()).unwrap().len() as u64;
    let mut chance = Chance::new(3);
    let whole = open(&disk, &path());
    whole.verify().unwrap();
    for _ in 0..10_000 {
        let bit = chance.below(len * 8);
        let flip = || sim.flip_bit(&path(), bit / 8, (bit % 8) as u32).unwrap();
        flip();
        // The part that was hit is enough: verifying all of it each time takes minutes.
        let found = Pphm::open(&disk, &path(), &cache()).and_then(|pphm| pphm.verify_at(bit / 8));
        assert!(
            matches!(found, Err(IndexError::Damaged { .. } | IndexError::NewerVersion { .. })),
            "bit {bit}"
        );
        flip();
    }
    whole.verify().unwrap();
}

#[test]
fn a_file_that_is_cut_or_longer_is_refused() {
    let (sim, disk, _) = kept(60, 25);
    let bytes = sim.read_file(&path()).unwrap();
    for len in (0..bytes.len()).chain([bytes.len() + 1]) {
        let file = disk.open(&path()).unwrap();
        file.set_len(len as u64).unwrap();
        assert!(Pphm::open(&disk, &path(), &cache()).unwrap_err().is_damage(), "{len} bytes");
        file.write_all_at(&bytes, 0).unwrap();
    }
}

#[test]
fn a_page_of_another_file_cannot_pose_as_ours() {
    let (_, disk, model) = kept(6_000, 2);
    let other = Path::new(DIR).join("other");
    // The same positions, other versions: each of its pages is whole in itself.
    build(&disk, &other, 0..6_001, Reducer::All, &entries(9, 0..6_000, 2), PLENTY);
    let mut page = vec![0; 4096];
    let place = open(&disk, &path()).facts().body_position();
    disk.open(&other).unwrap().read_exact_at(&mut page, place).unwrap();
    disk.open(&path()).unwrap().write_all_at(&page, place).unwrap();
    assert!(read_all(&disk, &model, Planted::default()));
}

/// Flips bits until a wrong answer is given.
fn is_caught(mutation: Mutation) -> bool {
    let (sim, disk, model) = kept(60, 25);
    let bits = sim.read_file(&path()).unwrap().len() as u64 * 8;
    let flip = |bit: u64| sim.flip_bit(&path(), bit / 8, (bit % 8) as u32).unwrap();
    (0..bits).any(|bit| {
        flip(bit);
        let read = || read_all(&disk, &model, Planted::new(Some(mutation)));
        let noticed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
        flip(bit);
        !noticed.unwrap_or(false)
    })
}

#[test]
fn files_that_do_not_compare_checksums_are_caught() {
    assert!(is_caught(Mutation::BlockNotVerified));
    assert!(is_caught(Mutation::PageNotVerified));
}
