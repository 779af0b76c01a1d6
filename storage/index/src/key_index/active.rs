//! The newest records in memory: a hash map to the newest version of each hash, and
//! from each version to the one before it.
//!
//! ```text
//!  newest:  hash ─▶ 3      versions:  0   1   2   3
//!                                     ▲───────────┘ before
//! ```
//!
//! Versions are in the order of offsets, so cutting back is taking from the end.

use pyralog_model::Offset;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use crate::Entry;

const NONE: u32 = u32::MAX;
/// What a hash costs in the map: its entry, and room to stay three quarters full.
const MAP_ENTRY_BYTES: usize = 24;

/// Versions of a range that begins at `base` and ends where the next one begins.
#[derive(Debug)]
pub(crate) struct Active {
    base: Offset,
    newest: HashMap<u64, u32, BuildHasherDefault<AlreadyHashed>>,
    versions: Vec<Kept>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    hash: u64,
    /// Offset × 2 + tombstone.
    place: u64,
    /// The version before it of the same hash.
    before: u32,
}

/// A place among the versions of one hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor(u32);

impl Kept {
    fn offset(&self) -> Offset {
        Offset(self.place >> 1)
    }

    fn entry(&self) -> Entry {
        Entry::at(self.hash, self.offset(), self.place & 1 == 1)
    }
}

impl Active {
    pub(crate) fn new(base: Offset) -> Active {
        Active { base, newest: HashMap::default(), versions: Vec::new() }
    }

    pub(crate) fn base(&self) -> Offset {
        self.base
    }

    /// Bytes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.versions.len() * size_of::<Kept>() + self.newest.len() * MAP_ENTRY_BYTES
    }

    pub(crate) fn insert(&mut self, hash: u64, offset: Offset, tombstone: bool) {
        let last = self.versions.last().map(Kept::offset);
        if offset < self.base || last.is_some_and(|last| offset <= last) {
            return;
        }
        let number = self.versions.len() as u32;
        let before = self.newest.insert(hash, number).unwrap_or(NONE);
        self.versions.push(Kept { hash, place: offset.0 << 1 | u64::from(tombstone), before });
    }

    /// Versions of a hash below `below`, newest first.
    pub(crate) fn versions(&self, hash: u64, below: Offset) -> impl Iterator<Item = Entry> + '_ {
        let mut cursor = self.newest(hash);
        let all = std::iter::from_fn(move || self.next(&mut cursor));
        all.skip_while(move |entry| entry.version.offset >= below)
    }

    /// Where the versions of a hash begin, for [`Active::next`].
    pub(crate) fn newest(&self, hash: u64) -> Cursor {
        Cursor(self.newest.get(&hash).copied().unwrap_or(NONE))
    }

    /// The version at the cursor, which goes on to the one before it.
    pub(crate) fn next(&self, cursor: &mut Cursor) -> Option<Entry> {
        let kept = self.versions.get(cursor.0 as usize)?;
        cursor.0 = kept.before;
        Some(kept.entry())
    }

    /// Everything in the range, oldest first.
    pub(crate) fn entries(&self, range: &Range<Offset>) -> impl Iterator<Item = Entry> + '_ {
        let begin = self.versions.partition_point(|kept| kept.offset() < range.start);
        let end = self.versions.partition_point(|kept| kept.offset() < range.end);
        self.versions[begin..end.max(begin)].iter().map(Kept::entry)
    }

    /// Forgets offsets from `end` on.
    pub(crate) fn truncate(&mut self, end: Offset) {
        while let Some(kept) = self.versions.pop_if(|kept| kept.offset() >= end) {
            if kept.before == NONE {
                self.newest.remove(&kept.hash);
            } else {
                self.newest.insert(kept.hash, kept.before);
            }
        }
        self.base = self.base.min(end);
    }

    /// A map that begins at `base` and has what this one has from there on.
    pub(crate) fn tail(&self, base: Offset) -> Active {
        let mut tail = Active::new(base);
        for entry in self.entries(&(base..Offset(u64::MAX))) {
            tail.insert(entry.hash, entry.version.offset, entry.version.tombstone);
        }
        tail
    }
}

/// Keys are hashes, and seeded ones: hashing them again would gain nothing.
#[derive(Debug, Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(active: &Active, hash: u64, below: u64) -> Vec<u64> {
        active.versions(hash, Offset(below)).map(|entry| entry.version.offset.0).collect()
    }

    #[test]
    fn cutting_back_brings_back_what_was_newest_before() {
        let mut active = Active::new(Offset(10));
        for (hash, offset) in [(1, 10), (2, 11), (1, 12), (1, 15), (2, 15), (2, 9)] {
            active.insert(hash, Offset(offset), false);
        }
        assert_eq!(offsets(&active, 1, 99), [15, 12, 10]);
        assert_eq!(offsets(&active, 1, 15), [12, 10]);
        // 15 was taken already, 9 lies before the base.
        assert_eq!(offsets(&active, 2, 99), [11]);
        active.truncate(Offset(12));
        assert_eq!((offsets(&active, 1, 99), offsets(&active, 2, 99)), (vec![10], vec![11]));
        active.truncate(Offset(4));
        assert_eq!((active.bytes(), active.base()), (0, Offset(4)));
        active.insert(2, Offset(5), true);
        assert!(active.versions(2, Offset(9)).all(|entry| entry.version.tombstone));
    }

    #[test]
    fn the_tail_is_a_map_of_its_own() {
        let mut active = Active::new(Offset(0));
        (0..10).for_each(|offset| active.insert(offset % 2, Offset(offset), false));
        let tail = active.tail(Offset(7));
        assert_eq!((offsets(&tail, 0, 99), offsets(&tail, 1, 99)), (vec![8], vec![9, 7]));
    }
}
