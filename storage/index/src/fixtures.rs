//! The formats on disk must not move: small files written by version 1 lie in
//! `fixtures/`, are made again byte for byte, and are read back. A change of a format
//! is a new version with fixtures of its own; these stay.
//!
//! `PYRALOG_WRITE_FIXTURES=1` writes the missing ones.

use crate::tests::{DIR, PLENTY, build, disk, entries, hash_of, model, of, open, versions};
use crate::{BlockCache, KeyIndex, KeyIndexOptions, Reducer};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::Offset;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// The kept bytes, which `bytes` must be.
#[track_caller]
fn check(name: &str, bytes: &[u8]) -> Vec<u8> {
    let fixture = fixture(name);
    if std::env::var_os("PYRALOG_WRITE_FIXTURES").is_some() && !fixture.exists() {
        std::fs::write(&fixture, bytes).unwrap();
    }
    let expect = std::fs::read(&fixture).unwrap();
    let differs = bytes.iter().zip(&expect).position(|(a, b)| a != b);
    assert!(bytes == expect, "{name} differs at byte {differs:?}: give it a new version");
    expect
}

fn replace(disk: &SimDisk, path: &Path, bytes: &[u8]) {
    disk.remove_file(path).unwrap();
    disk.create(path).unwrap().write_all_at(bytes, 0).unwrap();
}

#[test]
fn files_of_version_1_are_made_and_read() {
    for (name, reducer) in [("v1.pphm", Reducer::All), ("v1-max.pphm", Reducer::Max)] {
        let (sim, disk) = disk();
        let path = Path::new(DIR).join("a");
        // Two partitions, keys of one version and of hundreds.
        let mut all = entries(1, 1_000..3_100, 1 << 40);
        all.extend(entries(2, 3_100..3_400, 3));
        build(&disk, &path, 1_000..3_400, reducer, &all, PLENTY);
        let kept = check(name, &sim.read_file(&path).unwrap());
        replace(&sim, &path, &kept);
        let pphm = open(&disk, &path);
        assert_eq!((pphm.facts().prefix_bits, pphm.facts().versions > 2_100), (1, true));
        for (hash, expect) in model(&all, reducer) {
            assert_eq!(versions(&pphm, hash), expect);
        }
    }
}

#[test]
fn manifests_of_version_1_are_made_and_read() {
    let (sim, disk) = disk();
    let cache = Arc::new(BlockCache::new(0));
    let open = || {
        let (options, sealed) = (KeyIndexOptions::new(of(), 11), Offset(0)..Offset(40));
        KeyIndex::open(&disk, Path::new(DIR), options, sealed, &cache).unwrap()
    };
    let index = open().index;
    let drain = || {
        while let Some(work) = index.plan() {
            index.install(work.run(PLENTY, [])).unwrap();
        }
    };
    drain();
    index.insert(hash_of(1), Offset(41), true);
    index.seal(Offset(50));
    drain();
    index.truncate(Offset(45)).unwrap();
    let path = Path::new(DIR).join("keys.manifest");
    let kept = check("v1.manifest", &sim.read_file(&path).unwrap());
    replace(&sim, &path, &kept);
    let sealed = Offset(0)..Offset(45);
    let options = KeyIndexOptions::new(of(), 12);
    let opened = KeyIndex::open(&disk, Path::new(DIR), options, sealed, &cache).unwrap();
    assert!(opened.gaps.is_empty());
    assert_eq!(
        (opened.index.files().len(), opened.index.hash(b"a")),
        (2, crate::hash_key(11, b"a"))
    );
    assert_eq!(opened.index.candidates_of(hash_of(1), Offset(99)).flatten().count(), 1);
}
