//! A whole file in the order of hashes: what merging, verifying and inspecting read.
//!
//! One partition is in memory at a time. Rows lie in the order of slots and are sorted
//! by hash; lists were written in that order, so pages are read from front to back.

use super::Pphm;
use super::block::Found;
use super::pages::PageReader;
use super::versions::{List, unpacked};
use crate::{Entry, IndexError};
use pyralog_env::DiskFile;
use std::sync::Arc;
use std::vec::IntoIter;

/// How much of each key is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The newest version alone, without rank and check: no page is read.
    Newest,
    /// Every version.
    Versions,
}

/// Iterates over entries by hash, then newest first. Ends after an error.
pub(crate) struct Scan<'a> {
    pphm: &'a Pphm,
    file: Arc<dyn DiskFile>,
    depth: Depth,
    /// The partition that comes next.
    partition: usize,
    keys: IntoIter<(u64, Found)>,
    /// The pages of the partition, and whose list is being read.
    list: Option<List>,
    listed: Option<u64>,
    seen: u64,
    failed: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(pphm: &'a Pphm, depth: Depth) -> Result<Scan<'a>, IndexError> {
        Ok(Scan {
            pphm,
            file: pphm.file()?,
            depth,
            partition: 0,
            keys: Vec::new().into_iter(),
            list: None,
            listed: None,
            seen: 0,
            failed: false,
        })
    }

    fn step(&mut self) -> Result<Option<Entry>, IndexError> {
        if let Some(entry) = self.older()? {
            return Ok(Some(entry));
        }
        let Some((hash, found)) = self.next_key()? else { return Ok(None) };
        self.seen += 1;
        match found.list {
            Some(position) if self.depth == Depth::Versions => self.open(hash, position, found),
            _ => {
                let range = &self.pphm.facts.spec.range;
                let version = unpacked(found.newest, range.start);
                if !range.contains(&version.offset) {
                    return Err(self.pphm.damaged(0, "a version lies outside of the file"));
                }
                Ok(Some(Entry { hash, version }))
            }
        }
    }

    /// The next version of the list that is being read.
    fn older(&mut self) -> Result<Option<Entry>, IndexError> {
        let (Some(hash), Some(list)) = (self.listed, &mut self.list) else { return Ok(None) };
        let version = list.next(self.pphm)?;
        self.listed = self.listed.filter(|_| version.is_some());
        Ok(version.map(|version| Entry { hash, version }))
    }

    fn open(
        &mut self,
        hash: u64,
        position: u64,
        found: Found,
    ) -> Result<Option<Entry>, IndexError> {
        let number = self.partition - 1;
        let list = self.list.get_or_insert_with(|| {
            let pages = self.pphm.pages_of(number);
            List::new(PageReader::new(Arc::clone(&self.file), pages, 0, self.pphm.planted))
        });
        list.rewind();
        if list.pages.position() != position {
            return Err(self.pphm.damaged(0, "lists do not follow each other"));
        }
        self.listed = Some(hash);
        let first = self.older()?;
        let newest = unpacked(found.newest, self.pphm.facts.spec.range.start);
        let agrees = first.is_some_and(|first| {
            let version = first.version;
            (version.offset, version.tombstone) == (newest.offset, newest.tombstone)
        });
        if !agrees {
            return Err(self.pphm.damaged(0, "a list does not begin with the newest version"));
        }
        Ok(first)
    }

    fn next_key(&mut self) -> Result<Option<(u64, Found)>, IndexError> {
        loop {
            if let Some(key) = self.keys.next() {
                return Ok(Some(key));
            }
            if self.partition == self.pphm.directory.len() {
                return self.finish();
            }
            let number = self.partition;
            self.partition += 1;
            self.list = None;
            if self.pphm.directory[number].bytes > 0 {
                self.keys = self.keys_of(number)?.into_iter();
            }
        }
    }

    fn finish(&self) -> Result<Option<(u64, Found)>, IndexError> {
        if self.seen != self.pphm.facts.keys {
            return Err(self.pphm.damaged(0, "it has not as many keys as its header says"));
        }
        Ok(None)
    }

    /// The keys of a partition, by hash; each is where the perfect hash looks for it.
    fn keys_of(&self, number: usize) -> Result<Vec<(u64, Found)>, IndexError> {
        let position = self.pphm.directory[number].position;
        let damaged = |what| self.pphm.damaged(position, what);
        let block = self.pphm.read_block(&*self.file, number)?;
        let prefix_bits = u32::from(self.pphm.facts.prefix_bits);
        let prefix = (number as u64).checked_shl(64 - prefix_bits).unwrap_or(0);
        let mut keys = Vec::with_capacity(block.keys());
        for slot in 0..block.keys() {
            let row = block.row(slot);
            let hash = prefix | row.hash;
            if block.slot(hash) != slot {
                return Err(damaged("a row lies where no lookup finds it"));
            }
            keys.push((hash, block.found(row).map_err(damaged)?));
        }
        keys.sort_unstable_by_key(|(hash, _)| *hash);
        Ok(keys)
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<Entry, IndexError>;

    fn next(&mut self) -> Option<Result<Entry, IndexError>> {
        if self.failed {
            return None;
        }
        let next = self.step().transpose();
        self.failed = matches!(next, Some(Err(_)));
        next
    }
}
