//! One partition of a file of keys: its pages, its block, and whether every key is
//! where a lookup finds it.

use super::{contradiction, other_crc};
use crate::error::io_error;
use crate::mutation::Planted;
use crate::pphm::{
    Block, BlockAt, CRC_BYTES, Facts, Found, List, PAGE_BYTES, PageError, PageReader, PagesOf,
    unpacked,
};
use crate::{Entry, IndexError, Version};
use pyralog_env::DiskFile;
use pyralog_model::Damage;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What was found of a partition, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PphmPart {
    /// Its number: the first bits of its hashes.
    pub number: u64,
    /// Where its pages of versions begin.
    pub position: u64,
    /// How many pages it has.
    pub pages: u64,
    /// Where its block begins.
    pub block_position: u64,
    /// Length of the block.
    pub block_bytes: u64,
    /// The seed of its perfect hash.
    pub seed: u32,
    /// Bits of an entry in a row.
    pub entry_bits: u8,
    /// Different hashes.
    pub keys: u64,
    /// Those of them with a list of versions.
    pub lists: u64,
    /// Versions that could be read.
    pub versions: u64,
    /// Keys whose newest version has no value.
    pub deleted: u64,
    /// What is wrong, in the order in which it was met.
    pub damages: Vec<Damage>,
}

/// A file that partitions are read from.
pub(super) struct PartOf<'a> {
    pub(super) file: &'a Arc<dyn DiskFile>,
    pub(super) path: &'a Path,
    pub(super) facts: &'a Facts,
}

impl PartOf<'_> {
    /// Reads a partition whose block is `at`; `pages` is where its pages lie, if that
    /// is known. `each` is given every version that can be read, by hash, newest first.
    pub(super) fn read(
        &self,
        number: usize,
        at: BlockAt,
        pages: Option<Range<u64>>,
        each: &mut dyn FnMut(Entry),
    ) -> Result<PphmPart, IndexError> {
        let position = pages.as_ref().map_or(at.position, |pages| pages.start);
        let mut part = PphmPart {
            number: number as u64,
            position,
            block_position: at.position,
            block_bytes: at.bytes.into(),
            ..PphmPart::default()
        };
        let pages =
            pages.map(|place| (PagesOf::new(&self.facts.spec, number, place.clone()), place));
        let mut whole = pages.is_some();
        if let Some((of, place)) = &pages {
            whole = self.pages(of, place.clone(), &mut part)?;
        }
        let Some(block) = self.block(at, &mut part)? else { return Ok(part) };
        let keys = self.keys(number, at, &block, &mut part);
        // What is behind a damaged page cannot be told from here.
        let of = pages.map(|(of, _)| of).filter(|_| whole);
        self.versions(of, at, keys, &mut part, each)?;
        Ok(part)
    }

    /// Checks every page; true if all are whole.
    fn pages(
        &self,
        of: &PagesOf,
        place: Range<u64>,
        part: &mut PphmPart,
    ) -> Result<bool, IndexError> {
        part.pages = (place.end - place.start).div_ceil(PAGE_BYTES as u64);
        let mut page = Vec::with_capacity(PAGE_BYTES);
        let before = part.damages.len();
        for number in 0..part.pages {
            let begin = place.start + number * PAGE_BYTES as u64;
            let end = place.end.min(begin + PAGE_BYTES as u64);
            page.resize((end - begin) as usize, 0);
            self.read_at(&mut page, begin)?;
            let Some((crc, payload)) = page.split_first_chunk::<CRC_BYTES>() else {
                let found = format!("{} bytes", page.len());
                part.damages.push(Damage::new(begin..end, "a page of versions", found));
                continue;
            };
            let computed = of.crc(number, payload);
            if *crc != computed {
                let [stored, computed] = [*crc, computed].map(u32::from_le_bytes);
                part.damages.push(other_crc(begin..end, "a page of versions", stored, computed));
            }
        }
        Ok(part.damages.len() == before)
    }

    fn block(&self, at: BlockAt, part: &mut PphmPart) -> Result<Option<Block>, IndexError> {
        if at.bytes == 0 {
            return Ok(None);
        }
        // Not more than the file has: the walk has compared it.
        let mut bytes = vec![0; at.bytes as usize].into_boxed_slice();
        self.read_at(&mut bytes, at.position)?;
        let place = at.position..at.end();
        let computed = crc_fast::crc32_iscsi(&bytes);
        if computed != at.crc {
            part.damages.push(other_crc(place, "a block", at.crc, computed));
            return Ok(None);
        }
        let block = match Block::decode(bytes, self.facts.prefix_bits) {
            Ok(block) => block,
            Err(what) => {
                part.damages.push(contradiction(place, "a block", what));
                return Ok(None);
            }
        };
        part.keys = block.keys() as u64;
        (part.lists, part.seed) = (block.lists().into(), block.seed());
        part.entry_bits = block.entry_bits();
        Ok(Some(block))
    }

    /// The keys by hash, those alone that a lookup finds.
    fn keys(
        &self,
        number: usize,
        at: BlockAt,
        block: &Block,
        part: &mut PphmPart,
    ) -> Vec<(u64, Found)> {
        let prefix_bits = u32::from(self.facts.prefix_bits);
        let prefix = (number as u64).checked_shl(64 - prefix_bits).unwrap_or(0);
        let mut wrong = None;
        let mut keys = Vec::with_capacity(block.keys());
        for slot in 0..block.keys() {
            let row = block.row(slot);
            let hash = prefix | row.hash;
            if block.slot(hash) != slot {
                wrong = Some("a row lies where no lookup finds it");
                continue;
            }
            match block.found(row) {
                Ok(found) => keys.push((hash, found)),
                Err(what) => wrong = Some(what),
            }
        }
        if let Some(what) = wrong {
            part.damages.push(contradiction(at.position..at.end(), "a block", what));
        }
        keys.sort_unstable_by_key(|(hash, _)| *hash);
        keys
    }

    /// Reads the versions of each key, lists from front to back as they were written.
    /// Without pages the newest ones alone are known.
    fn versions(
        &self,
        pages: Option<PagesOf>,
        at: BlockAt,
        keys: Vec<(u64, Found)>,
        part: &mut PphmPart,
        each: &mut dyn FnMut(Entry),
    ) -> Result<(), IndexError> {
        let reader = |of| PageReader::new(Arc::clone(self.file), of, 0, Planted::default());
        let mut lists = pages.map(|of| List::new(reader(of)));
        let mut wrong = None;
        for (hash, found) in keys {
            let newest = unpacked(found.newest, self.facts.spec.range.start);
            part.deleted += u64::from(newest.tombstone);
            if !self.facts.spec.range.contains(&newest.offset) {
                wrong = Some("a version lies outside of the file");
            }
            let mut give = |version: Version| {
                part.versions += 1;
                each(Entry { hash, version });
            };
            let Some((list, position)) = lists.as_mut().zip(found.list) else {
                give(newest);
                continue;
            };
            match self.list(list, position, newest, &mut give) {
                Ok(()) => {}
                Err(PageError::Disk(error)) => {
                    return Err(io_error("cannot read", self.path)(error));
                }
                Err(PageError::Damaged { what, .. }) => {
                    // Where one list is wrong nobody knows where the next one begins.
                    wrong = Some(what);
                    lists = None;
                }
            }
        }
        if let Some(what) = wrong {
            let place = part.position..at.end();
            part.damages.push(contradiction(place, "a partition", what));
        }
        Ok(())
    }

    fn list(
        &self,
        list: &mut List,
        position: u64,
        newest: Version,
        give: &mut dyn FnMut(Version),
    ) -> Result<(), PageError> {
        list.rewind();
        if list.pages.position() != position {
            return Err(list.pages.damaged("lists do not follow each other"));
        }
        let mut is_first = true;
        while let Some(version) = list.step(self.facts)? {
            let is_newest = Version::at(version.offset, version.tombstone) == newest;
            if std::mem::take(&mut is_first) && !is_newest {
                return Err(list.pages.damaged("a list does not begin with the newest version"));
            }
            give(version);
        }
        Ok(())
    }

    fn read_at(&self, bytes: &mut [u8], position: u64) -> Result<(), IndexError> {
        self.file.read_exact_at(bytes, position).map_err(io_error("cannot read", self.path))
    }
}
