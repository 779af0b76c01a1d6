//! Writes a file of keys from entries that come by hash, newest first.
//!
//! The number of keys must be known before, for it decides how many partitions there
//! are; memory is that of one partition and one page.

use super::block::{Block, Found};
use super::directory::{self, BlockAt, DIRECTORY_ENTRY_BYTES};
use super::header::{PREFIX_BITS_MAX, SPAN_MAX};
use super::pages::{PageWriter, PagesOf};
use super::versions::{packed, write};
use super::{Facts, HEADER_BYTES, Output, Spec};
use crate::{Entry, IndexError, Reduce, Version};
use pyralog_env::Disk;
use pyralog_model::Offset;
use std::path::Path;

/// Keys of a partition, on average at most. Larger ones have less overhead per key,
/// smaller ones are read and verified faster when they are not in memory.
const PARTITION_KEYS: u64 = 2048;

/// The prefix that this many keys are split by.
fn prefix_bits(keys: u64) -> u8 {
    let partitions = keys.div_ceil(PARTITION_KEYS).max(1).next_power_of_two();
    (partitions.trailing_zeros() as u8).min(PREFIX_BITS_MAX)
}

/// A file in the making.
pub(crate) struct FileWriter {
    output: Output,
    facts: Facts,
    directory: Vec<BlockAt>,
    hashes: Vec<u64>,
    found: Vec<Found>,
    pages: PageWriter,
    key: Option<Key>,
    /// Keys that were promised.
    promised: u64,
}

/// The key whose versions are coming. The last is held back until it is known whether
/// another follows.
struct Key {
    hash: u64,
    newest: Version,
    held: Version,
    /// Where its list begins, and the offset that was last written to it.
    list: Option<(u64, Option<Offset>)>,
}

impl FileWriter {
    /// Begins a file of `keys` keys at `path`.
    pub(crate) fn new(
        disk: &dyn Disk,
        path: &Path,
        spec: &Spec,
        reducer: &dyn Reduce,
        keys: u64,
    ) -> Result<FileWriter, IndexError> {
        let (start, end) = (spec.range.start.0, spec.range.end.0);
        if start > end || end > i64::MAX as u64 || end - start >= SPAN_MAX {
            return Err(IndexError::Unfit { what: "its range is no range of offsets" });
        }
        let facts = Facts {
            spec: spec.clone(),
            reducer: reducer.id(),
            wide: !reducer.keeps_all(),
            prefix_bits: prefix_bits(keys),
            keys: 0,
            versions: 0,
            file_bytes: 0,
            directory_crc: 0,
        };
        let begin = facts.body_position();
        Ok(FileWriter {
            output: Output::create(disk, path, begin)?,
            directory: Vec::with_capacity(facts.partitions()),
            hashes: Vec::new(),
            found: Vec::new(),
            pages: PageWriter::new(PagesOf::new(spec, 0, begin..begin)),
            key: None,
            promised: keys,
            facts,
        })
    }

    /// Takes the next entry.
    pub(crate) fn push(&mut self, entry: Entry) -> Result<(), IndexError> {
        self.facts.versions += 1;
        match &mut self.key {
            Some(key) if key.hash == entry.hash => {
                debug_assert!(entry.version.offset < key.held.offset, "newest first");
                let held = std::mem::replace(&mut key.held, entry.version);
                self.write_version(held, false)
            }
            _ => {
                self.finish_key()?;
                self.go_to(entry.hash)?;
                let (hash, newest) = (entry.hash, entry.version);
                let list = self.facts.wide.then(|| (self.pages.position(), None));
                self.key = Some(Key { hash, newest, held: newest, list });
                Ok(())
            }
        }
    }

    /// Writes what is left, then directory and header. The file is not synced.
    pub(crate) fn finish(mut self) -> Result<(Facts, Output), IndexError> {
        self.finish_key()?;
        while self.directory.len() < self.facts.partitions() {
            self.finish_partition()?;
        }
        if self.facts.keys != self.promised {
            return Err(IndexError::Unfit { what: "a reducer left a key without versions" });
        }
        self.output.flush()?;
        let directory = directory::encode(&self.directory);
        debug_assert_eq!(directory.len(), self.facts.partitions() * DIRECTORY_ENTRY_BYTES);
        self.facts.file_bytes = self.output.position();
        self.facts.directory_crc = crc_fast::crc32_iscsi(&directory);
        self.output.write_at(&directory, HEADER_BYTES as u64)?;
        self.output.write_at(&self.facts.encode(), 0)?;
        Ok((self.facts, self.output))
    }

    /// Closes partitions until the one of `hash` is open.
    fn go_to(&mut self, hash: u64) -> Result<(), IndexError> {
        let prefix = hash.checked_shr(64 - u32::from(self.facts.prefix_bits)).unwrap_or(0);
        while (self.directory.len() as u64) < prefix {
            self.finish_partition()?;
        }
        Ok(())
    }

    fn finish_key(&mut self) -> Result<(), IndexError> {
        let Some(key) = &self.key else { return Ok(()) };
        let (hash, newest, held) = (key.hash, key.newest, key.held);
        let list = key.list.map(|(position, _)| position);
        if list.is_some() {
            self.write_version(held, true)?;
        }
        self.key = None;
        self.facts.keys += 1;
        self.hashes.push(hash);
        self.found.push(Found { newest: packed(&newest, self.facts.spec.range.start), list });
        Ok(())
    }

    /// Writes a version to the key's list, beginning it if there is none.
    fn write_version(&mut self, version: Version, last: bool) -> Result<(), IndexError> {
        let Some(key) = &mut self.key else { return Ok(()) };
        let position = self.pages.position();
        let (_, before) = key.list.get_or_insert((position, None));
        let base = self.facts.spec.range.start;
        write(&version, *before, base, last, self.facts.wide, self.pages.payload());
        *before = Some(version.offset);
        self.pages.flush_full(&mut self.output)
    }

    fn finish_partition(&mut self) -> Result<(), IndexError> {
        let next = self.directory.len() + 1;
        let empty = PagesOf::new(&self.facts.spec, next, 0..0);
        std::mem::replace(&mut self.pages, PageWriter::new(empty)).finish(&mut self.output)?;
        let position = self.output.position();
        let block = match self.hashes.is_empty() {
            true => Vec::new(),
            false => Block::encode(&self.hashes, &self.found, self.facts.prefix_bits)?,
        };
        self.output.write(&block)?;
        let bytes = u32::try_from(block.len());
        let bytes = bytes.map_err(|_| IndexError::Unfit { what: "a partition is too large" })?;
        self.directory.push(BlockAt { position, bytes, crc: crc_fast::crc32_iscsi(&block) });
        self.hashes.clear();
        self.found.clear();
        Ok(())
    }
}
