//! What an index keeps of a record.

use pyralog_model::Offset;
use std::cmp::Reverse;

/// One version of a key: where its record lies and what the reducer needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The record's offset.
    pub offset: Offset,
    /// True if the record has no value: the key is deleted as of this offset.
    pub tombstone: bool,
    /// What the reducers `Max`, `Priority` and `Timestamp` compare; 0 otherwise. Kept
    /// only in files of a reducer that drops versions.
    pub rank: i64,
    /// `check_key` of the key; kept only in files of a reducer that drops versions.
    pub check: u64,
}

impl Version {
    /// A version as indexes of logs keep it, without rank and check.
    pub fn at(offset: Offset, tombstone: bool) -> Version {
        Version { offset, tombstone, rank: 0, check: 0 }
    }
}

/// One version under its key's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `hash_key` of the key.
    pub hash: u64,
    /// The version.
    pub version: Version,
}

impl Entry {
    /// An entry as indexes of logs keep it.
    pub fn at(hash: u64, offset: Offset, tombstone: bool) -> Entry {
        Entry { hash, version: Version::at(offset, tombstone) }
    }

    /// The order of entries in every sorted stream: by hash, then newest first.
    pub(crate) fn order(&self) -> (u64, Reverse<Offset>) {
        (self.hash, Reverse(self.version.offset))
    }
}
