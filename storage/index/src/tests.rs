//! What all tests of this crate build on.

mod candidates;
mod chance;
mod damage;
mod files;
mod merging;
mod world;

pub(crate) use chance::Chance;

use crate::mutation::Planted;
use crate::{BlockCache, Builder, Entry, Facts, IndexOf, Pphm, Reduce, Reducer, Spec, Version};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::{Offset, PartitionId, StoreId};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub(crate) const DIR: &str = "/keys";
pub(crate) const PLENTY: usize = 64 << 20;

pub(crate) fn of() -> IndexOf {
    IndexOf { store: StoreId(0x5702e), partition: PartitionId::new(7, 3) }
}

pub(crate) fn spec(range: Range<u64>) -> Spec {
    Spec { of: of(), range: Offset(range.start)..Offset(range.end), hash_seed: 11 }
}

pub(crate) fn cache() -> Arc<BlockCache> {
    Arc::new(BlockCache::new(1 << 40))
}

/// A disk with a directory for the index.
pub(crate) fn disk() -> (SimDisk, Arc<dyn Disk>) {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    (disk.clone(), Arc::new(disk))
}

/// A mixed hash of a number.
pub(crate) fn hash_of(number: u64) -> u64 {
    Chance::new(number).next()
}

/// Entries that follow from a seed: one at each offset of the range, over this many keys.
pub(crate) fn entries(seed: u64, range: Range<u64>, keys: u64) -> Vec<Entry> {
    let mut chance = Chance::new(seed);
    let entry = |offset| Entry {
        hash: hash_of(chance.below(keys)),
        version: Version {
            tombstone: chance.percent(10),
            rank: chance.below(9) as i64 - 4,
            check: chance.below(2),
            ..Version::at(Offset(offset), false)
        },
    };
    range.map(entry).collect()
}

pub(crate) fn build(
    disk: &Arc<dyn Disk>,
    path: &Path,
    range: Range<u64>,
    reducer: Reducer,
    entries: &[Entry],
    budget_bytes: usize,
) -> Facts {
    let mut builder = Builder::new(disk, path, spec(range), Arc::new(reducer), budget_bytes);
    entries.iter().for_each(|entry| builder.push(*entry).unwrap());
    builder.finish().unwrap()
}

pub(crate) fn open(disk: &Arc<dyn Disk>, path: &Path) -> Arc<Pphm> {
    Arc::new(Pphm::open_planted(disk, path, &cache(), Planted::default()).unwrap())
}

/// What a file of these entries must say, by hash, newest first.
pub(crate) fn model(entries: &[Entry], reducer: Reducer) -> BTreeMap<u64, Vec<Version>> {
    let mut keys: BTreeMap<(u64, u64), Vec<Version>> = BTreeMap::new();
    for entry in entries.iter().rev() {
        let (check, version) = match reducer {
            Reducer::All => (0, Version::at(entry.version.offset, entry.version.tombstone)),
            _ => (entry.version.check, entry.version),
        };
        keys.entry((entry.hash, check)).or_default().push(version);
    }
    let mut hashes: BTreeMap<u64, Vec<Version>> = BTreeMap::new();
    for ((hash, _), mut versions) in keys {
        reducer.reduce(&mut versions);
        let all = hashes.entry(hash).or_default();
        all.append(&mut versions);
        all.sort_by_key(|version| std::cmp::Reverse(version.offset));
    }
    hashes
}

pub(crate) fn versions(pphm: &Arc<Pphm>, hash: u64) -> Vec<Version> {
    pphm.versions(hash).map(|version| version.unwrap()).collect()
}
