//! A directory as an index leaves it, and what is spoiled in it.

use crate::inspection::{KeysReport, KeysRequest, audit_keys};
use crate::tests::{DIR, PLENTY, disk, hash_of, of};
use crate::{BlockCache, IndexOf, KeyIndex, KeyIndexOptions};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::{Finding, Offset, PartitionId, Severity};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const END: u64 = 90;

/// Three files over thirty offsets each.
fn kept() -> (SimDisk, Arc<dyn Disk>) {
    let (sim, disk) = disk();
    let cache = Arc::new(BlockCache::new(0));
    let options = KeyIndexOptions::new(of(), 11);
    let sealed = Offset(0)..Offset(0);
    let index = KeyIndex::open(&disk, Path::new(DIR), options, sealed, &cache).unwrap().index;
    for end in [30, 60, END] {
        for offset in end - 30..end {
            index.insert(hash_of(offset % 20), Offset(offset), offset % 7 == 0);
        }
        index.seal(Offset(end));
        while let Some(work) = index.plan() {
            index.install(work.run(PLENTY, [])).unwrap();
        }
    }
    (sim, disk)
}

fn names(disk: &Arc<dyn Disk>) -> Vec<PathBuf> {
    let entries = disk.list(Path::new(DIR)).unwrap();
    let mut names: Vec<PathBuf> =
        entries.iter().map(|entry| Path::new(DIR).join(&entry.name)).collect();
    names.sort();
    names
}

fn audit_of(disk: &Arc<dyn Disk>, of: IndexOf, end: u64) -> KeysReport {
    let request = KeysRequest { disk: &**disk, dir: Path::new(DIR), of, end: Some(Offset(end)) };
    let mut bytes = 0;
    let report = audit_keys(&request, &mut |more| bytes += more);
    assert_eq!(report.bytes, bytes);
    report
}

fn findings(disk: &Arc<dyn Disk>) -> Vec<Finding> {
    audit_of(disk, of(), END).findings
}

/// One finding, of this severity, about this file, that says this.
#[track_caller]
fn only(findings: &[Finding], severity: Severity, path: &Path, says: &str) {
    let [found] = findings else { panic!("{findings:#?}") };
    assert_eq!((found.severity, &*found.path), (severity, path), "{found:?}");
    assert!(found.what.contains(says) && found.advice.len() > 10, "{found:?}");
}

#[test]
fn a_sound_index_has_no_findings() {
    let (_, disk) = kept();
    let report = audit_of(&disk, of(), END);
    assert_eq!(report.findings, []);
    assert_eq!((report.files, report.keys, report.versions), (4, 60, 90));
    // The disk's files are read once each.
    let bytes: u64 = disk.list(Path::new(DIR)).unwrap().iter().map(|entry| entry.len).sum();
    assert_eq!(report.bytes, bytes);
}

#[test]
fn every_bit_of_every_file_is_found() {
    let (sim, disk) = kept();
    for path in names(&disk) {
        let len = sim.read_file(&path).unwrap().len() as u64;
        for bit in 0..len * 8 {
            let flip = || sim.flip_bit(&path, bit / 8, (bit % 8) as u32).unwrap();
            flip();
            let found = findings(&disk);
            let is_it =
                |found: &&Finding| found.path == path && found.severity == Severity::Repairable;
            let found = found.iter().find(is_it).unwrap_or_else(|| panic!("bit {bit}: {found:?}"));
            assert!(found.position.is_some(), "bit {bit}: {found:?}");
            // A bit that turned over is not a newer version.
            assert!(
                found.advice.contains("built again") || found.advice.contains("builds it again")
            );
            assert!(!found.advice.contains("the program that wrote it"), "bit {bit}: {found:?}");
            flip();
        }
    }
    assert_eq!(findings(&disk), []);
}

#[test]
fn files_that_are_missing_or_exchanged_are_found() {
    let (sim, disk) = kept();
    let [first, second, _, manifest] = &names(&disk)[..] else { panic!("three files") };
    let aside = Path::new(DIR).join("aside");
    disk.rename(first, &aside).unwrap();
    let found = findings(&disk);
    assert_eq!(found.len(), 2, "{found:?}");
    only(&found[..1], Severity::Repairable, first, "is missing, with the keys of 0..30");
    only(&found[1..], Severity::Note, &aside, "none of the index's files");
    disk.rename(second, first).unwrap();
    disk.rename(&aside, second).unwrap();
    let found = findings(&disk);
    assert_eq!(found.len(), 2, "{found:?}");
    only(&found[..1], Severity::Repairable, first, "has offsets 30..60");
    only(&found[1..], Severity::Repairable, second, "has offsets 0..30");
    // A whole file of the same range, but another: as one that was cut out and built anew.
    disk.rename(first, &aside).unwrap();
    disk.rename(second, first).unwrap();
    disk.rename(&aside, second).unwrap();
    let mut bytes = sim.read_file(first).unwrap();
    bytes[48 + 16] ^= 1;
    let crc = crc_fast::crc32_iscsi(&bytes[12..128]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    disk.open(first).unwrap().write_all_at(&bytes, 0).unwrap();
    let found = findings(&disk);
    only(&found[..1], Severity::Repairable, first, "is not the file that was named");
    // Without its manifest nothing is known of any file.
    disk.remove_file(manifest).unwrap();
    let found = findings(&disk);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|found| found.severity == Severity::Note), "{found:?}");
}

#[test]
fn what_was_being_written_is_a_note() {
    let (_, disk) = kept();
    let base = "00000000000000000090-0000000009.pphm";
    let left = [".new", ".run1", ".run12", ""].map(|ending| format!("{base}{ending}"));
    for name in left.iter().map(String::as_str).chain(["keys.manifest.new"]) {
        disk.create(&Path::new(DIR).join(name)).unwrap();
    }
    let found = findings(&disk);
    let swept = |found: &Finding| {
        found.severity == Severity::Note && found.advice == "the next start removes it"
    };
    assert!(found.len() == 5 && found.iter().all(swept), "{found:#?}");
}

#[test]
fn an_index_of_another_partition_or_past_the_log_is_found() {
    let (_, disk) = kept();
    let manifest = Path::new(DIR).join("keys.manifest");
    let cut = audit_of(&disk, of(), END - 1).findings;
    only(&cut, Severity::Repairable, &manifest, "up to 90, and the log ends at 89");
    let other = IndexOf { partition: PartitionId::new(7, 4), ..of() };
    let moved = audit_of(&disk, other, END).findings;
    only(&moved[..1], Severity::Repairable, &manifest, "it was moved here");
}

#[test]
fn offsets_without_an_index_are_a_note() {
    let (sim, disk) = kept();
    let names = names(&disk);
    let manifest = &names[3];
    let bytes = sim.read_file(manifest).unwrap();
    let mut bytes = [&bytes[..104], &bytes[144..]].concat();
    bytes[44] = 2;
    let crc = crc_fast::crc32_iscsi(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    let file = disk.open(manifest).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.write_all_at(&bytes, 0).unwrap();
    let found = findings(&disk);
    assert_eq!(found.len(), 2, "{found:?}");
    only(&found[..1], Severity::Note, manifest, "offsets 30..60 are not indexed");
    only(&found[1..], Severity::Note, &names[1], "does not name");
}

#[test]
fn a_newer_version_is_called_so() {
    let (sim, disk) = kept();
    for (path, end) in names(&disk).into_iter().zip([128, 128, 128, usize::MAX]) {
        let mut bytes = sim.read_file(&path).unwrap();
        let kept = bytes.clone();
        bytes[12] = 2;
        let end = end.min(bytes.len());
        let crc = crc_fast::crc32_iscsi(&bytes[12..end]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        let file = disk.open(&path).unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        let found = findings(&disk);
        only(&found[..1], Severity::Repairable, &path, "version 2");
        assert!(found[0].advice.contains("the program that wrote it"), "{found:?}");
        file.write_all_at(&kept, 0).unwrap();
    }
    assert_eq!(findings(&disk), []);
}
