//! The log as the judge knows it.

use super::super::{Chance, hash_of};
use crate::Entry;
use pyralog_model::Offset;
use std::ops::Range;

/// Different hashes; some are of two keys, which the index cannot tell apart.
pub(super) const HASHES: u64 = 12;

/// Records from `start` on; those without a key have no hash.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) start: u64,
    /// Everything below lies in sealed segments.
    pub(super) sealed: u64,
    records: Vec<Option<(u64, bool)>>,
}

impl Log {
    pub(super) fn end(&self) -> u64 {
        self.records.len() as u64
    }

    /// Appends some records and gives them as the index takes them.
    pub(super) fn append(&mut self, chance: &mut Chance) -> Vec<(u64, Offset, bool)> {
        let from = self.end();
        for _ in 0..=chance.below(25) {
            let keyed = chance.percent(90);
            // A few hot keys, many cold ones.
            let below = if chance.percent(50) { 2 } else { HASHES };
            let record = (hash_of(chance.below(below)), chance.percent(10));
            self.records.push(keyed.then_some(record));
        }
        self.keyed(from..self.end())
    }

    pub(super) fn keyed(&self, range: Range<u64>) -> Vec<(u64, Offset, bool)> {
        let record = |offset: u64| {
            let (hash, tombstone) = self.records[offset as usize]?;
            Some((hash, Offset(offset), tombstone))
        };
        range.filter_map(record).collect()
    }

    pub(super) fn entries(&self, range: Range<Offset>) -> Vec<Entry> {
        let end = range.end.0.min(self.end());
        let keyed = self.keyed(range.start.0.min(end)..end).into_iter();
        keyed.map(|(hash, offset, tombstone)| Entry::at(hash, offset, tombstone)).collect()
    }

    pub(super) fn truncate(&mut self, end: u64) {
        self.records.truncate(end as usize);
        self.sealed = self.sealed.min(end);
    }

    /// Versions of a hash in the range, newest first: what a scan gives.
    pub(super) fn scan(&self, hash: u64, range: Range<u64>) -> Vec<(u64, bool)> {
        let range = range.start.max(self.start)..range.end.min(self.end());
        let of_hash = |offset: u64| match self.records[offset as usize] {
            Some((own, tombstone)) if own == hash => Some((offset, tombstone)),
            _ => None,
        };
        range.rev().filter_map(of_hash).collect()
    }
}
