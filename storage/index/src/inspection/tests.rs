//! Every damaged place is shown where it is, and what is whole is called so.

mod audit;

use super::{ManifestFile, PphmWalk};
use crate::tests::{DIR, PLENTY, build, disk, entries, open};
use crate::{Entry, Reducer};
use pyralog_env::Disk;
use pyralog_model::Damage;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn path() -> PathBuf {
    Path::new(DIR).join("a.pphm")
}

/// Everything that a walk says: the damage, keys, versions, and the versions themselves.
fn walked(disk: &Arc<dyn Disk>) -> (Vec<Damage>, u64, u64, Vec<Entry>) {
    let mut walk = PphmWalk::new(&**disk, &path()).unwrap();
    let mut damages: Vec<Damage> = walk.header().damage.iter().cloned().collect();
    damages.extend(walk.directory_damage().cloned());
    let (mut keys, mut versions, mut all) = (0, 0, Vec::new());
    while let Some(part) = walk.step(&mut |entry| all.push(entry)).unwrap() {
        keys += part.keys;
        versions += part.versions;
        damages.extend(part.damages);
    }
    damages.extend(walk.finish());
    (damages, keys, versions, all)
}

#[test]
fn a_whole_file_is_shown_whole() {
    for reducer in [Reducer::All, Reducer::Max] {
        let (_, disk) = disk();
        // Two partitions, keys of one version and of hundreds.
        let mut all = entries(1, 0..3_000, 1 << 40);
        all.extend(entries(2, 3_000..3_600, 3));
        build(&disk, &path(), 0..3_600, reducer, &all, PLENTY);
        let pphm = open(&disk, &path());
        let (damages, keys, versions, entries) = walked(&disk);
        assert_eq!((damages, keys), (vec![], pphm.facts().keys));
        assert_eq!((versions, entries.len() as u64), (pphm.facts().versions, versions));
        let expect: Vec<Entry> = pphm.entries().unwrap().map(Result::unwrap).collect();
        assert!(entries == expect, "other entries than readers have");
    }
}

#[test]
fn every_bit_of_a_file_is_found_where_it_turned_over() {
    let (sim, disk) = disk();
    build(&disk, &path(), 0..60, Reducer::All, &entries(60, 0..60, 25), PLENTY);
    let len = sim.read_file(&path()).unwrap().len() as u64;
    for bit in 0..len * 8 {
        let (byte, flip) = (bit / 8, || sim.flip_bit(&path(), bit / 8, (bit % 8) as u32).unwrap());
        flip();
        let (damages, ..) = walked(&disk);
        let there = |damage: &Damage| (damage.position..damage.end).contains(&byte);
        assert!(damages.iter().any(there), "bit {bit}: {damages:?}");
        flip();
    }
}

#[test]
fn partitions_around_a_damaged_one_are_shown() {
    let (sim, disk) = disk();
    build(&disk, &path(), 0..6_000, Reducer::All, &entries(7, 0..6_000, 1 << 40), PLENTY);
    let (_, keys, ..) = walked(&disk);
    let len = sim.read_file(&path()).unwrap().len() as u64;
    // The block of the last of four partitions, then the entry of the second's length.
    for (byte, damages_max) in [(len - 100, 1), (128 + 16 + 9, 3)] {
        sim.flip_bit(&path(), byte, 1).unwrap();
        let (damages, left, ..) = walked(&disk);
        assert!((1..=damages_max).contains(&damages.len()), "{damages:?}");
        assert!(left > keys / 3 && left < keys, "{left} of {keys} keys are shown");
        sim.flip_bit(&path(), byte, 1).unwrap();
    }
}

#[test]
fn a_file_that_is_cut_or_longer_is_damaged() {
    let (sim, disk) = disk();
    build(&disk, &path(), 0..60, Reducer::All, &entries(60, 0..60, 25), PLENTY);
    let bytes = sim.read_file(&path()).unwrap();
    let file = disk.open(&path()).unwrap();
    for len in (0..bytes.len()).chain([bytes.len() + 1]) {
        file.set_len(len as u64).unwrap();
        assert!(!walked(&disk).0.is_empty(), "{len} bytes");
        file.write_all_at(&bytes, 0).unwrap();
    }
}

#[test]
fn every_bit_of_a_manifest_is_found() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1.manifest");
    let bytes = std::fs::read(fixture).unwrap();
    let whole = ManifestFile::read(&bytes);
    assert_eq!((whole.damage, whole.files.len(), whole.hash_seed), (None, 2, 11));
    for bit in 0..bytes.len() * 8 {
        let mut other = bytes.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        let damage = ManifestFile::read(&other).damage.unwrap_or_else(|| panic!("bit {bit}"));
        assert!((damage.position..damage.end).contains(&(bit as u64 / 8)), "bit {bit}: {damage}");
    }
    for len in 0..bytes.len() {
        assert!(ManifestFile::read(&bytes[..len]).damage.is_some(), "{len} bytes");
    }
}
