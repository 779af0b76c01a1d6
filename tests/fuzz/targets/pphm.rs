//! Files of keys: opened, asked for keys, read to their end, and walked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_fuzz::seal_pphm;
use pyralog_index::inspection::PphmWalk;
use pyralog_index::{BlockCache, Entry, IndexError, Pphm, Version, hash_key};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const PATH: &str = "/a.pphm";
/// Keys that are looked up, and versions of each: a list may be as long as the file.
const KEYS: usize = 64;
const VERSIONS: usize = 512;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut sealed = bytes.to_vec();
    seal_pphm(&mut sealed);
    check(&sealed);
});

fn check(bytes: &[u8]) {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
    let file = disk.create(Path::new(PATH)).expect("there is room");
    file.write_all_at(bytes, 0).expect("there is room");
    let entries = read(&disk);
    let damages = walk(&disk, bytes.len() as u64);
    // Or somebody would look for the reason and find none.
    assert!(entries.is_ok() || damages > 0, "what readers refuse is shown as damage");
}

/// All that the file says, if it is whole.
fn read(disk: &Arc<dyn Disk>) -> Result<(), IndexError> {
    let pphm = Pphm::open(disk, Path::new(PATH), &Arc::new(BlockCache::new(1 << 20)))?;
    let pphm = Arc::new(pphm);
    let absent: Vec<u64> = (0..40u64).map(|key| hash_key(1, &key.to_le_bytes())).collect();
    for hash in &absent {
        let _ = pphm.newest(*hash);
        pphm.versions(*hash).take(VERSIONS).for_each(drop);
    }
    let entries: Vec<Entry> = pphm.entries()?.collect::<Result<_, _>>()?;
    pphm.verify()?;
    // It is whole: lookups find what a scan finds, and nothing else.
    let mut keys: BTreeMap<u64, Vec<Version>> = BTreeMap::new();
    for entry in entries {
        keys.entry(entry.hash).or_default().push(entry.version);
    }
    let some: Vec<u64> = keys.keys().copied().take(KEYS).chain(absent).collect();
    let together = pphm.newest_all(&some).expect("it is whole");
    for (hash, newest) in some.iter().zip(together) {
        assert_eq!(newest, pphm.newest(*hash).expect("it is whole"));
        let expect = keys.get(hash).map_or(&[][..], Vec::as_slice);
        assert_eq!(newest.map(|newest| newest.offset), expect.first().map(|first| first.offset));
        let found = pphm.versions(*hash).take(VERSIONS);
        let found: Vec<Version> = found.collect::<Result<_, _>>().expect("it is whole");
        assert_eq!(found, expect[..expect.len().min(VERSIONS)]);
        assert!(found.iter().all(|version| pphm.facts().spec.range.contains(&version.offset)));
    }
    Ok(())
}

/// How many damaged places a walk shows.
fn walk(disk: &Arc<dyn Disk>, len: u64) -> usize {
    let mut walk = PphmWalk::new(&**disk, Path::new(PATH)).expect("memory does not fail");
    let mut damages: Vec<_> = walk.header().damage.iter().cloned().collect();
    damages.extend(walk.directory_damage().cloned());
    while let Some(part) = walk.step(&mut |_| {}).expect("memory does not fail") {
        damages.extend(part.damages);
    }
    damages.extend(walk.finish());
    for damage in &damages {
        assert!(damage.position <= damage.end && damage.end <= len.max(128), "{damage}");
    }
    damages.len()
}
