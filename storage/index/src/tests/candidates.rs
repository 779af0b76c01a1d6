//! The index of a partition, behaviour by behaviour; `world` does all of it at once.

use super::{DIR, PLENTY, cache, disk, hash_of, of};
use crate::{Candidate, Entry, IndexError, KeyIndex, KeyIndexOptions, Opened, Why, WorkKind};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::Offset;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

fn options() -> KeyIndexOptions {
    KeyIndexOptions { fan_out: 3, ..KeyIndexOptions::new(of(), 11) }
}

fn open(disk: &Arc<dyn Disk>, sealed: Range<u64>) -> Opened {
    let sealed = Offset(sealed.start)..Offset(sealed.end);
    KeyIndex::open(disk, Path::new(DIR), options(), sealed, &cache()).unwrap()
}

fn fresh() -> (SimDisk, Arc<dyn Disk>, KeyIndex) {
    let (sim, disk) = disk();
    let index = open(&disk, 0..0).index;
    (sim, disk, index)
}

/// The record at an offset: one of five keys.
fn entry(offset: u64) -> Entry {
    Entry::at(hash_of(offset % 5), Offset(offset), offset.is_multiple_of(11))
}

fn insert(index: &KeyIndex, range: Range<u64>) {
    index.insert_all(range.map(|offset| {
        let Entry { hash, version } = entry(offset);
        (hash, version.offset, version.tombstone)
    }));
}

/// Does one piece of work, reading the log if it is needed.
fn step(index: &KeyIndex) -> Option<(WorkKind, Result<(), IndexError>)> {
    let work = index.plan()?;
    let kind = work.kind();
    let reads = work.reads().map_or(0..0, |range| range.start.0..range.end.0);
    let built = work.run(PLENTY, reads.map(|offset| Ok(entry(offset))));
    Some((kind, index.install(built)))
}

fn drain(index: &KeyIndex) -> Vec<WorkKind> {
    let steps = std::iter::from_fn(|| step(index));
    steps.map(|(kind, done)| (kind, done.unwrap()).0).collect()
}

/// What is named for a key, as text: offsets, and gaps as ranges.
fn named(index: &KeyIndex, key: u64, below: u64) -> String {
    let text = |candidate: Result<Candidate, IndexError>| match candidate.unwrap() {
        Candidate::At { offset, tombstone: false } => format!("{offset}"),
        Candidate::At { offset, tombstone: true } => format!("-{offset}"),
        Candidate::Unindexed { range, why: Why::NotBuilt } => {
            format!("{}..{}", range.start, range.end)
        }
        Candidate::Unindexed { range, why: Why::Damaged(_) } => {
            format!("{}!!{}", range.start, range.end)
        }
    };
    let all: Vec<String> = index.candidates_of(hash_of(key), Offset(below)).map(text).collect();
    all.join(" ")
}

#[test]
fn a_key_is_named_newest_first_through_map_and_files() {
    let (_, _, index) = fresh();
    insert(&index, 0..10);
    index.seal(Offset(8));
    assert_eq!(drain(&index), [WorkKind::Build, WorkKind::Save]);
    insert(&index, 10..17);
    index.seal(Offset(15));
    insert(&index, 17..24);
    assert_eq!(named(&index, 1, 99), "21 16 -11 6 1");
    assert_eq!(named(&index, 1, 21), "16 -11 6 1");
    assert_eq!(named(&index, 1, 11), "6 1");
    assert_eq!(named(&index, 1, 1), "");
    assert_eq!(named(&index, 77, 99), "");
    drain(&index);
    assert_eq!((named(&index, 1, 99), index.files().len()), ("21 16 -11 6 1".into(), 2));
}

#[test]
fn keys_are_found_by_their_bytes() {
    let (_, _, index) = fresh();
    index.insert(index.hash(b"osiris"), Offset(3), false);
    let found: Vec<Candidate> = index.candidates(b"osiris", Offset(9)).flatten().collect();
    assert!(matches!(found[..], [Candidate::At { offset: Offset(3), tombstone: false }]));
    assert_eq!(index.candidates(b"isis", Offset(9)).count(), 0);
}

#[test]
fn files_of_one_size_are_merged_and_removed_when_nobody_reads_them() {
    let (_, disk, index) = fresh();
    for segment in 0..2 {
        insert(&index, segment * 10..segment * 10 + 10);
        index.seal(Offset(segment * 10 + 10));
        drain(&index);
    }
    let mut reader = index.candidates_of(hash_of(2), Offset(99));
    assert!(matches!(reader.next(), Some(Ok(Candidate::At { offset: Offset(17), .. }))));
    insert(&index, 20..30);
    index.seal(Offset(30));
    use WorkKind::{Build, Merge, Save, Sweep};
    // The first sweep must leave what the reader holds.
    assert_eq!(drain(&index), [Build, Save, Merge, Save, Sweep]);
    let files = || disk.list(Path::new(DIR)).unwrap().len();
    assert_eq!((index.files().len(), files()), (1, 4));
    index.cool();
    assert_eq!(reader.by_ref().flatten().count(), 3);
    drop(reader);
    assert_eq!(drain(&index), [Sweep]);
    assert_eq!(files(), 2);
    assert_eq!(named(&index, 2, 99), "27 -22 17 12 7 2");
}

#[test]
fn a_start_finds_the_files_and_asks_for_what_is_missing() {
    let (sim, disk, index) = fresh();
    insert(&index, 0..30);
    index.seal(Offset(10));
    drain(&index);
    index.seal(Offset(20));
    drop(index);
    sim.crash(3);
    let opened = open(&disk, 0..25);
    assert_eq!(opened.gaps, [Offset(10)..Offset(25)]);
    insert(&opened.index, 25..30);
    assert_eq!(named(&opened.index, 0, 99), "25 10..25 5 -0");
    assert_eq!(named(&opened.index, 0, 12), "10..12 5 -0");
    assert_eq!(drain(&opened.index), [WorkKind::Fill, WorkKind::Save]);
    assert_eq!(named(&opened.index, 0, 99), "25 20 15 10 5 -0");
    drop(opened);
    let opened = open(&disk, 0..25);
    assert!(opened.gaps.is_empty() && opened.damages.is_empty());
    assert_eq!(drain(&opened.index), []);
}

#[test]
fn a_long_gap_is_filled_in_parts() {
    let (_, disk) = disk();
    let options = KeyIndexOptions { fill_offsets_max: 10, ..options() };
    let sealed = Offset(0)..Offset(25);
    let opened = KeyIndex::open(&disk, Path::new(DIR), options, sealed, &cache()).unwrap();
    let kinds = [step(&opened.index), step(&opened.index)].map(|step| step.unwrap().0);
    assert_eq!(kinds, [WorkKind::Save, WorkKind::Fill]);
    assert_eq!(opened.index.gaps(), [Offset(10)..Offset(25)]);
    assert_eq!(named(&opened.index, 3, 99), "10..25 8 3");
    drain(&opened.index);
    assert_eq!(named(&opened.index, 3, 99), "23 18 13 8 3");
}

#[test]
fn memory_is_bounded_even_if_nobody_builds() {
    let (_, disk) = disk();
    let options = KeyIndexOptions { active_bytes_max: 1_000, frozen_bytes_max: 3_000, ..options() };
    let opened = KeyIndex::open(&disk, Path::new(DIR), options, Offset(0)..Offset(0), &cache());
    let index = opened.unwrap().index;
    insert(&index, 0..5_000);
    let used = index.memory();
    assert!(used.active_bytes < 1_100 && used.frozen_bytes <= 3_000, "{used:?}");
    let gaps = index.gaps();
    assert_eq!(gaps[0].start, Offset(0));
    let newest: Vec<Candidate> =
        index.candidates_of(hash_of(1), Offset(9_999)).flatten().take(2).collect();
    assert!(matches!(newest[0], Candidate::At { offset: Offset(4_996), .. }));
    drain(&index);
    assert_eq!(index.gaps(), []);
    let all = index.candidates_of(hash_of(1), Offset(9_999)).flatten();
    assert!(all.map(|at| matches!(at, Candidate::At { .. })).eq([true; 1_000]));
}

#[test]
fn a_cut_back_is_known_before_and_after_a_crash() {
    let (sim, disk, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    drain(&index);
    index.truncate(Offset(12)).unwrap();
    assert_eq!(named(&index, 0, 99), "10 5 -0");
    // The offsets are given anew, to another key.
    index.insert(hash_of(9), Offset(15), false);
    assert_eq!((named(&index, 0, 99), named(&index, 9, 99)), ("10 5 -0".into(), "15".into()));
    sim.crash(5);
    let opened = open(&disk, 0..20);
    assert_eq!(opened.gaps, [Offset(12)..Offset(20)]);
    assert_eq!(named(&opened.index, 0, 99), "12..20 10 5 -0");
}

#[test]
fn a_start_that_cuts_files_says_so_before_offsets_are_given_anew() {
    let (_, disk, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    drain(&index);
    drop(index);
    // The log lost its end, and nobody works before the next crash.
    let opened = open(&disk, 0..12);
    assert_eq!(named(&opened.index, 0, 99), "10 5 -0");
    opened.index.insert(hash_of(9), Offset(15), false);
    opened.index.seal(Offset(20));
    drop(opened);
    let opened = open(&disk, 0..20);
    assert_eq!(opened.gaps, [Offset(12)..Offset(20)]);
    assert_eq!(named(&opened.index, 0, 99), "12..20 10 5 -0");
}

#[test]
fn a_cut_back_that_could_not_be_saved_may_be_asked_for_again() {
    let (sim, disk, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    drain(&index);
    sim.fail_next_sync("keys.manifest.new");
    let error = index.truncate(Offset(12)).unwrap_err();
    assert!(matches!(error, IndexError::SyncFailed { .. }), "{error}");
    index.truncate(Offset(12)).unwrap();
    sim.crash(5);
    assert_eq!(open(&disk, 0..20).gaps, [Offset(12)..Offset(20)]);
}

#[test]
fn work_that_was_overtaken_is_cut_or_thrown_away() {
    let (_, disk, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    let work = index.plan().unwrap();
    assert!(index.plan().is_none(), "one at a time");
    let built = work.run(PLENTY, []);
    index.truncate(Offset(13)).unwrap();
    index.forget_before(Offset(4));
    insert(&index, 13..16);
    index.install(built).unwrap();
    assert_eq!(named(&index, 0, 99), "15 10 5");
    let built = {
        drain(&index);
        index.rebuild(Offset(0)..Offset(9));
        index.plan().unwrap()
    };
    assert_eq!(built.kind(), WorkKind::Save);
    index.install(built.run(PLENTY, [])).unwrap();
    let fill = index.plan().unwrap();
    assert_eq!(fill.reads(), Some(Offset(4)..Offset(13)));
    index.forget_before(Offset(13));
    index.install(fill.run(PLENTY, (4..13).map(|offset| Ok(entry(offset))))).unwrap();
    drain(&index);
    assert_eq!((index.files().len(), named(&index, 0, 99)), (0, "15".into()));
    assert_eq!(disk.list(Path::new(DIR)).unwrap().len(), 1, "the manifest alone");
}

#[test]
fn retention_forgets_and_removes() {
    let (_, disk, index) = fresh();
    for segment in 0..2 {
        insert(&index, segment * 10..segment * 10 + 10);
        index.seal(Offset(segment * 10 + 10));
        drain(&index);
    }
    index.forget_before(Offset(12));
    assert_eq!(named(&index, 2, 99), "17 12");
    assert_eq!(named(&index, 1, 99), "16");
    assert_eq!(drain(&index), [WorkKind::Save, WorkKind::Sweep]);
    assert_eq!(disk.list(Path::new(DIR)).unwrap().len(), 2);
    drop(index);
    let opened = open(&disk, 12..20);
    assert_eq!((opened.gaps.len(), named(&opened.index, 1, 99)), (0, "16".into()));
}

#[test]
fn a_damaged_block_becomes_a_gap_that_is_filled() {
    let (sim, disk, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    drain(&index);
    let name = &disk.list(Path::new(DIR)).unwrap()[0].name;
    sim.flip_bit(&Path::new(DIR).join(name), 300, 1).unwrap();
    assert_eq!(named(&index, 3, 15), "0!!15");
    assert_eq!(named(&index, 3, 99), "0!!20");
    assert_eq!(drain(&index), [WorkKind::Save, WorkKind::Fill, WorkKind::Save, WorkKind::Sweep]);
    assert_eq!(named(&index, 3, 99), "18 13 8 3");
}

#[test]
fn a_damaged_or_missing_file_or_manifest_is_built_again() {
    for (name, gone) in [("pphm", false), ("pphm", true), ("manifest", false), ("manifest", true)] {
        let (sim, disk, index) = fresh();
        insert(&index, 0..20);
        index.seal(Offset(20));
        drain(&index);
        drop(index);
        let entries = disk.list(Path::new(DIR)).unwrap();
        let name = &entries.iter().find(|entry| entry.name.ends_with(name)).unwrap().name;
        let path = Path::new(DIR).join(name);
        match gone {
            true => disk.remove_file(&path).unwrap(),
            false => sim.flip_bit(&path, 20, 1).unwrap(),
        }
        let opened = open(&disk, 0..20);
        assert_eq!(opened.gaps, [Offset(0)..Offset(20)], "{name}, gone: {gone}");
        assert_eq!(opened.damages.is_empty(), gone && name.ends_with("manifest"));
        drain(&opened.index);
        assert_eq!(named(&opened.index, 3, 99), "18 13 8 3");
        assert_eq!(disk.list(Path::new(DIR)).unwrap().len(), 2);
    }
}

#[test]
fn a_newer_version_is_refused_and_left_alone() {
    let (sim, disk, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    drain(&index);
    let path = Path::new(DIR).join("keys.manifest");
    let mut bytes = sim.read_file(&path).unwrap();
    bytes[12] = 2;
    let crc = crc_fast::crc32_iscsi(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    disk.open(&path).unwrap().write_all_at(&bytes, 0).unwrap();
    let opened = KeyIndex::open(&disk, Path::new(DIR), options(), Offset(0)..Offset(20), &cache());
    assert!(matches!(opened, Err(IndexError::NewerVersion { found: 2, known: 1, .. })));
    assert_eq!(disk.list(Path::new(DIR)).unwrap().len(), 2);
}

#[test]
fn a_disk_that_cannot_be_read_is_an_error_and_not_damage() {
    let (sim, _, index) = fresh();
    insert(&index, 0..20);
    index.seal(Offset(20));
    drain(&index);
    sim.fail_next_read("pphm");
    let mut candidates = index.candidates_of(hash_of(3), Offset(99));
    assert!(matches!(candidates.next(), Some(Err(IndexError::Io { .. }))));
    assert!(candidates.next().is_none());
    assert_eq!((named(&index, 3, 99), index.gaps()), ("18 13 8 3".into(), vec![]));
}
