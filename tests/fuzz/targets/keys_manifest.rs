//! Manifests of keys: looked into, audited, and started from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_fuzz::seal_keys_manifest;
use pyralog_index::inspection::{KeysRequest, ManifestFile, audit_keys};
use pyralog_index::{BlockCache, KeyIndex, KeyIndexOptions, KeyManifest};
use pyralog_model::{Offset, Severity};
use std::path::Path;
use std::sync::Arc;

const DIR: &str = "/keys";
/// A whole file, which is found under the name of the first that is named.
const FILE: &[u8] = include_bytes!("../../../storage/index/fixtures/v1.pphm");
const SEALED: Offset = Offset(4_000);

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut sealed = bytes.to_vec();
    seal_keys_manifest(&mut sealed);
    check(&sealed);
});

fn check(bytes: &[u8]) {
    let dir = Path::new(DIR);
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
    disk.create_dir_all(dir).expect("there is room");
    put(&disk, "keys.manifest", bytes);
    let looked = ManifestFile::read(bytes);
    let read = KeyManifest::read(&*disk, dir);
    assert_eq!(read.is_ok(), looked.damage.is_none(), "{read:?} {looked:?}");
    let first = looked.files.first().filter(|_| read.is_ok());
    first.into_iter().for_each(|file| put(&disk, &file.name(), FILE));
    let request = KeysRequest { disk: &*disk, dir, of: looked.of, end: Some(SEALED) };
    let report = audit_keys(&request, &mut |_| {});
    assert!(read.is_ok() || report.findings.iter().any(|found| found.severity > Severity::Note));
    start(&disk, KeyIndexOptions::new(looked.of, 1));
}

fn put(disk: &Arc<dyn Disk>, name: &str, bytes: &[u8]) {
    let file = disk.create(&Path::new(DIR).join(name)).expect("each file is put once");
    file.write_all_at(bytes, 0).expect("there is room");
}

/// Files and gaps make up what is sealed; everything that is asked for has an end.
fn start(disk: &Arc<dyn Disk>, options: KeyIndexOptions) {
    let (cache, sealed) = (Arc::new(BlockCache::new(1 << 20)), Offset(0)..SEALED);
    let opened = KeyIndex::open(disk, Path::new(DIR), options, sealed, &cache);
    let Ok(opened) = opened else { return };
    let mut end = Offset(0);
    for gap in &opened.gaps {
        assert!(gap.start >= end && gap.start < gap.end && gap.end <= SEALED, "{gap:?}");
        end = gap.end;
    }
    assert_eq!(opened.index.active_base(), SEALED);
    for key in 0..20u64 {
        opened.index.candidates_of(key << 59, SEALED).for_each(drop);
    }
    // Whatever was named, a start is a start of the next one.
    assert!(!opened.index.files().is_empty() || !opened.gaps.is_empty());
}
