//! A file of keys: a partitioned minimal perfect hash from hashes of keys to versions.
//!
//! Hashes are split by their first bits into partitions of at most 2,048 on average.
//! Each partition is one *block* with a checksum: a perfect hash, then one *row* a slot.
//! A perfect hash answers for absent keys too, so a row holds the rest of the hash,
//! whole: its first 16 bits are the usual fingerprint, the others let files be merged
//! without reading a record, and make a false answer as rare as two keys with one hash
//! of 64 bits. The caller compares the record's key all the same.
//!
//! ```text
//! file      ├─ header 128 ─┼─ directory, 16 a partition ─┼─ partition 0 ─┼─ partition 1 ─┼─ …
//! partition ├─ pages of versions (if a key has several) ─┼─ block ─┤
//!
//! block     ├─ keys 4 ─┼─ lists 4 ─┼─ seed 4 ─┼─ entry bits 1 ─┼─ prefix bits 1 ─┼─ 0 2 ─┼─ …
//!           … ─ pilots, 1 a bucket ─┼─ remap, 2 or 4 a slot past the keys ─┼─ …
//!           … ─ rows, packed ─┼─ lists, 16 each ─┼─ 0 16 ─┤
//! row       ├─ hash, 64 − prefix bits ─┼─ listed 1 ─┼─ entry ─┤
//! entry     the offset since the file's base, then a bit for a tombstone;
//!           if listed, the number of a list instead
//! list      ├─ newest version 8 ─┼─ where its versions begin 8 ─┤
//!
//! page      ├─ CRC 4 ─┼─ up to 4,092 bytes of versions ─┤    the last of a partition is shorter
//! versions  of one key, newest first, each a varint: distance × 4 + tombstone × 2 + last;
//!           the distance is from the base for the first, from the one before for others.
//!           If the file's reducer drops versions: rank (varint, signs folded), check 8
//! ```
//!
//! A lookup reads one block, and keeps it if there is room; it reads pages only for
//! versions behind the newest. Every byte lies under a CRC-32C: the header under its
//! own, the directory under the header's, a block under the directory's, a page under
//! its own, which begins with the store, the file's range and the page's place, so that
//! no other page can pose as it.
//!
//! Bits per key at 10⁷ keys: 2.9 for the function and 0.3 for directory and block
//! headers; 16 for the fingerprint; 35 for the rest of the hash; 26 for the entry and
//! its kind.
//!
//! The bytes follow from the set of entries, the spec and the reducer alone: building
//! from the records of a range and merging the files of its parts give the same file.
//!
//! Version history: 1, the first.

mod block;
mod directory;
mod header;
mod output;
mod pages;
mod row;
mod scan;
mod versions;
mod writer;

pub use header::{Facts, IndexOf, Spec};
pub use versions::Versions;

pub(crate) use block::{Block, Found};
pub(crate) use directory::{BlockAt, DIRECTORY_ENTRY_BYTES};
pub(crate) use header::{HEADER_BYTES, MAGIC, VERSION};
pub(crate) use output::Output;
pub(crate) use pages::{CRC_BYTES, PAGE_BYTES, PageError, PageReader, PagesOf};
pub(crate) use scan::{Depth, Scan};
pub(crate) use versions::{List, unpacked};
pub(crate) use writer::FileWriter;

use crate::error::io_error;
use crate::mutation::Planted;
use crate::{BlockCache, Entry, IndexError, Mutation};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::Offset;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Lookups whose reads of memory overlap.
const AT_ONCE: usize = 16;

/// The newest version of a key in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The record's offset.
    pub offset: Offset,
    /// True if the record has no value.
    pub tombstone: bool,
    /// True if the file may have older versions too.
    pub more: bool,
}

/// An open file of keys. Reading needs no lock, and no descriptor is kept open.
pub struct Pphm {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    facts: Facts,
    directory: Arc<[BlockAt]>,
    /// Blocks that were read and kept, by partition.
    blocks: Box<[OnceLock<Block>]>,
    cache: Arc<BlockCache>,
    cached_bytes: AtomicU64,
    planted: Planted,
}

impl fmt::Debug for Pphm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pphm").field("path", &self.path).field("facts", &self.facts).finish()
    }
}

impl Pphm {
    /// Opens the file at `path`, reading and verifying its header and directory; blocks
    /// are read when they are needed, and kept while `cache` has room.
    ///
    /// # Errors
    /// `Damaged` or `NewerVersion`, or the disk's own.
    pub fn open(
        disk: &Arc<dyn Disk>,
        path: &Path,
        cache: &Arc<BlockCache>,
    ) -> Result<Pphm, IndexError> {
        Pphm::open_planted(disk, path, cache, Planted::default())
    }

    pub(crate) fn open_planted(
        disk: &Arc<dyn Disk>,
        path: &Path,
        cache: &Arc<BlockCache>,
        planted: Planted,
    ) -> Result<Pphm, IndexError> {
        let file = disk.open(path).map_err(io_error("cannot open", path))?;
        let len = file.len().map_err(io_error("cannot measure", path))?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(io_error("cannot read", path))?;
        let facts = Facts::decode(&header, len, path)?;
        // The length was compared with the header's, so this is at most the file.
        let mut bytes = vec![0; facts.partitions() * DIRECTORY_ENTRY_BYTES];
        let position = HEADER_BYTES as u64;
        file.read_exact_at(&mut bytes, position).map_err(io_error("cannot read", path))?;
        let directory = directory::decode(&bytes, &facts).map_err(|what| IndexError::Damaged {
            path: path.to_owned(),
            position,
            what,
        })?;
        Ok(Pphm::with(disk, path, facts, directory.into(), cache, planted))
    }

    fn with(
        disk: &Arc<dyn Disk>,
        path: &Path,
        facts: Facts,
        directory: Arc<[BlockAt]>,
        cache: &Arc<BlockCache>,
        planted: Planted,
    ) -> Pphm {
        Pphm {
            disk: Arc::clone(disk),
            path: path.to_owned(),
            blocks: directory.iter().map(|_| OnceLock::new()).collect(),
            facts,
            directory,
            cache: Arc::clone(cache),
            cached_bytes: AtomicU64::new(0),
            planted,
        }
    }

    /// The same file with nothing in memory but its directory.
    pub(crate) fn cold(&self) -> Pphm {
        let (facts, directory) = (self.facts.clone(), Arc::clone(&self.directory));
        Pphm::with(&self.disk, &self.path, facts, directory, &self.cache, self.planted)
    }

    /// True if another copy of this one, warm or cold, is in use.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.directory) > 1
    }

    /// What the header says.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of blocks that are in memory.
    pub fn cached_bytes(&self) -> u64 {
        self.cached_bytes.load(Ordering::Relaxed)
    }

    /// Bytes that an open file takes before any block is read.
    pub fn directory_bytes(&self) -> u64 {
        let each = size_of::<BlockAt>() + size_of::<OnceLock<Block>>();
        (self.directory.len() * each) as u64
    }

    /// The newest version under `hash`: at most one read of the disk, none once the
    /// block is in memory.
    ///
    /// # Errors
    /// `Damaged`, or the disk's own.
    pub fn newest(&self, hash: u64) -> Result<Option<Newest>, IndexError> {
        Ok(self.find(hash)?.map(|found| self.newest_of(found)))
    }

    /// The newest version under each of many hashes. A lookup is little but waiting for
    /// memory, two or three times in a row; here many wait at the same time.
    ///
    /// # Errors
    /// `Damaged`, or the disk's own.
    pub fn newest_all(&self, hashes: &[u64]) -> Result<Vec<Option<Newest>>, IndexError> {
        let mut newest = Vec::with_capacity(hashes.len());
        for some in hashes.chunks(AT_ONCE) {
            // Step by step for all of them, so that each step's reads overlap.
            let mut blocks = [None; AT_ONCE];
            for (block, hash) in blocks.iter_mut().zip(some) {
                *block = self.blocks[self.partition_of(*hash)].get();
            }
            let mut slots = [0; AT_ONCE];
            for ((slot, block), hash) in slots.iter_mut().zip(&blocks).zip(some) {
                *slot = block.map_or(0, |block: &Block| block.slot(*hash));
            }
            for ((slot, block), hash) in slots.iter().zip(&blocks).zip(some) {
                let found = match block {
                    Some(block) => self.sound(*hash, block.find_at(*slot, *hash, self.planted))?,
                    None => self.find(*hash)?,
                };
                newest.push(found.map(|found| self.newest_of(found)));
            }
        }
        Ok(newest)
    }

    /// Every version under `hash`, newest first, read as they are asked for.
    pub fn versions(self: &Arc<Pphm>, hash: u64) -> Versions {
        Versions::new(Arc::clone(self), hash)
    }

    /// Every entry of the file, by hash, then newest first, one partition in memory.
    ///
    /// # Errors
    /// The disk's own, if the file cannot be opened.
    pub fn entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Entry, IndexError>> + '_, IndexError> {
        Scan::new(self, Depth::Versions)
    }

    /// Reads the whole file and checks everything that can be checked without the log.
    ///
    /// # Errors
    /// `Damaged`, or the disk's own.
    pub fn verify(&self) -> Result<(), IndexError> {
        let mut versions = 0;
        for entry in self.entries()? {
            entry?;
            versions += 1;
        }
        if versions != self.facts.versions {
            return Err(self.damaged(0, "it has not as many versions as its header says"));
        }
        Ok(())
    }

    /// Reads and checks the part of the file that has the byte at `position`.
    #[cfg(test)]
    pub(crate) fn verify_at(&self, position: u64) -> Result<(), IndexError> {
        let Some(number) = self.directory.iter().position(|block| position < block.end()) else {
            return Ok(());
        };
        if position >= self.directory[number].position {
            return self.read_block(&*self.file()?, number).map(drop);
        }
        self.pages_of(number).verify(&self.file()?).map_err(|error| match error {
            pages::PageError::Disk(error) => io_error("cannot read", &self.path)(error),
            pages::PageError::Damaged { position, what } => self.damaged(position, what),
        })
    }

    /// True if the row where the perfect hash looks has the first 16 bits of this hash.
    #[cfg(test)]
    pub(crate) fn shares_fingerprint(&self, hash: u64) -> bool {
        let block = self.blocks[self.partition_of(hash)].get();
        block.is_some_and(|block| (block.row(block.slot(hash)).hash ^ hash) & 0xffff == 0)
    }

    fn find(&self, hash: u64) -> Result<Option<Found>, IndexError> {
        let number = self.partition_of(hash);
        let found = match self.blocks[number].get() {
            Some(block) => block.find(hash, self.planted),
            None => match self.load(number)? {
                Some(block) => block.find(hash, self.planted),
                None => return Ok(None),
            },
        };
        self.sound(hash, found)
    }

    fn sound(
        &self,
        hash: u64,
        found: Result<Option<Found>, &'static str>,
    ) -> Result<Option<Found>, IndexError> {
        let position = || self.directory[self.partition_of(hash)].position;
        found.map_err(|what| self.damaged(position(), what))
    }

    fn newest_of(&self, found: Found) -> Newest {
        let version = versions::unpacked(found.newest, self.facts.spec.range.start);
        let (offset, tombstone) = (version.offset, version.tombstone);
        Newest { offset, tombstone, more: found.list.is_some() }
    }

    fn partition_of(&self, hash: u64) -> usize {
        // Shifting by 64 is not defined; with no prefix there is one partition.
        hash.checked_shr(64 - u32::from(self.facts.prefix_bits)).unwrap_or(0) as usize
    }

    /// Reads a block, and keeps it if there is room.
    fn load(&self, number: usize) -> Result<Option<BlockRef<'_>>, IndexError> {
        if self.directory[number].bytes == 0 {
            return Ok(None);
        }
        let block = self.read_block(&*self.file()?, number)?;
        let bytes = block.bytes() as u64;
        if !self.cache.reserve(bytes) {
            return Ok(Some(BlockRef::Once(block)));
        }
        let mut ours = false;
        let kept = self.blocks[number].get_or_init(|| {
            ours = true;
            block
        });
        if ours {
            self.cached_bytes.fetch_add(bytes, Ordering::Relaxed);
        } else {
            self.cache.release(bytes);
        }
        Ok(Some(BlockRef::Kept(kept)))
    }

    fn read_block(&self, file: &dyn DiskFile, number: usize) -> Result<Block, IndexError> {
        let at = self.directory[number];
        let mut bytes = vec![0; at.bytes as usize].into_boxed_slice();
        file.read_exact_at(&mut bytes, at.position).map_err(io_error("cannot read", &self.path))?;
        let intact = crc_fast::crc32_iscsi(&bytes) == at.crc;
        if !intact && !self.planted.is(Mutation::BlockNotVerified) {
            return Err(self.damaged(at.position, "a block fails its checksum"));
        }
        Block::decode(bytes, self.facts.prefix_bits).map_err(|what| self.damaged(at.position, what))
    }

    fn file(&self) -> Result<Arc<dyn DiskFile>, IndexError> {
        self.disk.open(&self.path).map_err(io_error("cannot open", &self.path))
    }

    /// The pages of one partition: they lie between the block before and its own.
    fn pages_of(&self, number: usize) -> PagesOf {
        let begin = match number.checked_sub(1) {
            Some(before) => self.directory[before].end(),
            None => self.facts.body_position(),
        };
        PagesOf::new(&self.facts.spec, number, begin..self.directory[number].position)
    }

    pub(crate) fn damaged(&self, position: u64, what: &'static str) -> IndexError {
        IndexError::Damaged { path: self.path.clone(), position, what }
    }
}

impl Drop for Pphm {
    fn drop(&mut self) {
        self.cache.release(self.cached_bytes());
    }
}

/// A block that stays, or one that is read for this lookup alone.
enum BlockRef<'a> {
    Kept(&'a Block),
    Once(Block),
}

impl BlockRef<'_> {
    fn find(&self, hash: u64, planted: Planted) -> Result<Option<Found>, &'static str> {
        match self {
            BlockRef::Kept(block) => block.find(hash, planted),
            BlockRef::Once(block) => block.find(hash, planted),
        }
    }
}
