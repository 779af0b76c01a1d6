//! One partition's block: the perfect hash and its rows (drawn in [`super`]).

use super::row::{ENTRY_BITS_MAX, READ_BYTES, Row, RowShape, bits, mask};
use crate::mutation::Planted;
use crate::perfect::{Function, Mixed, Shape};
use crate::{IndexError, Mutation};

const BLOCK_HEADER_BYTES: usize = 16;
const LIST_BYTES: usize = 16;
/// Up to this many slots the remap has two bytes for each, then four.
const NARROW_SLOTS: u32 = 1 << 16;

/// What a lookup finds: the newest version (offset since the base, then a bit for a
/// tombstone), and where the list of all begins if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) newest: u64,
    pub(crate) list: Option<u64>,
}

/// A block in memory, its bytes as they are on disk.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Box<[u8]>,
    shape: Shape,
    seed: u32,
    lists: u32,
    remap_at: u32,
    rows_at: u32,
    lists_at: u32,
    row: RowShape,
}

impl Block {
    /// The bytes of a block. `hashes` ascend; `found` says the same of each in turn.
    pub(crate) fn encode(
        hashes: &[u64],
        found: &[Found],
        prefix_bits: u8,
    ) -> Result<Vec<u8>, IndexError> {
        let unfit = |what| IndexError::Unfit { what };
        let function =
            Function::build(hashes).ok_or(unfit("no perfect hash was found for a partition"))?;
        let lists: Vec<&Found> = found.iter().filter(|found| found.list.is_some()).collect();
        let inline = found.iter().filter(|found| found.list.is_none()).map(|found| found.newest);
        let greatest = inline.max().unwrap_or(0).max(lists.len() as u64);
        let row = RowShape { hash_bits: 64 - prefix_bits, entry_bits: bits(greatest) };
        if row.entry_bits > ENTRY_BITS_MAX {
            return Err(unfit("offsets of one file lie too far apart"));
        }
        let mut bytes = Vec::with_capacity(hashes.len() * 16 + 64);
        bytes.extend_from_slice(&function.shape.keys.to_le_bytes());
        bytes.extend_from_slice(&(lists.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&function.seed.to_le_bytes());
        bytes.extend_from_slice(&[row.entry_bits, prefix_bits, 0, 0]);
        debug_assert_eq!(bytes.len(), BLOCK_HEADER_BYTES);
        bytes.extend_from_slice(&function.pilots);
        let width = remap_width(&function.shape);
        function.remap.iter().for_each(|to| bytes.extend_from_slice(&to.to_le_bytes()[..width]));
        bytes.append(&mut rows(&function, row, hashes, found));
        for list in lists {
            bytes.extend_from_slice(&list.newest.to_le_bytes());
            bytes.extend_from_slice(&list.list.unwrap_or_default().to_le_bytes());
        }
        bytes.extend_from_slice(&[0; READ_BYTES]);
        Ok(bytes)
    }

    /// A block from its bytes, whose checksum was compared. Everything that a lookup
    /// trusts is checked once more here.
    pub(crate) fn decode(bytes: Box<[u8]>, prefix_bits: u8) -> Result<Block, &'static str> {
        if bytes.len() < BLOCK_HEADER_BYTES {
            return Err("a block is shorter than its header");
        }
        let (keys, lists) = (four(&bytes, 0), four(&bytes, 4));
        let entry_bits = bytes[12];
        let sound = (1..1 << 30).contains(&keys)
            && lists <= keys
            && entry_bits <= ENTRY_BITS_MAX
            && bytes[13] == prefix_bits
            && bytes[14..16] == [0; 2];
        if !sound {
            return Err("the header of a block contradicts itself");
        }
        let (shape, row) = (Shape::of(keys), RowShape { hash_bits: 64 - prefix_bits, entry_bits });
        let remap_at = BLOCK_HEADER_BYTES + shape.buckets as usize;
        let rows_at = remap_at + shape.remapped() as usize * remap_width(&shape);
        let lists_at = rows_at + row.bytes(keys as usize);
        let end = lists_at + lists as usize * LIST_BYTES + READ_BYTES;
        // Compared before anything is read: what the header says is what there is.
        if bytes.len() != end || bytes[end - READ_BYTES..] != [0; READ_BYTES] {
            return Err("a block has another length than its header says");
        }
        let block = Block {
            seed: four(&bytes, 8),
            bytes,
            shape,
            lists,
            remap_at: remap_at as u32,
            rows_at: rows_at as u32,
            lists_at: lists_at as u32,
            row,
        };
        let remapped = (0..shape.remapped()).all(|past| block.remap(past) < keys);
        if remapped { Ok(block) } else { Err("a block sends a key past its rows") }
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn keys(&self) -> usize {
        self.shape.keys as usize
    }

    /// Keys with several versions.
    pub(crate) fn lists(&self) -> u32 {
        self.lists
    }

    /// The seed of the perfect hash.
    pub(crate) fn seed(&self) -> u32 {
        self.seed
    }

    pub(crate) fn entry_bits(&self) -> u8 {
        self.row.entry_bits
    }

    /// What is known of `hash`, if anything is.
    pub(crate) fn find(&self, hash: u64, planted: Planted) -> Result<Option<Found>, &'static str> {
        self.find_at(self.slot(hash), hash, planted)
    }

    /// The same, if its slot is known.
    pub(crate) fn find_at(
        &self,
        slot: usize,
        hash: u64,
        planted: Planted,
    ) -> Result<Option<Found>, &'static str> {
        let row = self.row(slot);
        if row.hash != hash & mask(self.row.hash_bits) && !planted.is(Mutation::HashNotCompared) {
            return Ok(None);
        }
        self.found(row).map(Some)
    }

    /// The row at a slot below `keys`.
    pub(crate) fn row(&self, slot: usize) -> Row {
        self.row.read(&self.bytes[self.rows_at as usize..], slot)
    }

    pub(crate) fn slot(&self, hash: u64) -> usize {
        let mixed = Mixed::new(hash, self.seed);
        let pilot = self.bytes[BLOCK_HEADER_BYTES + mixed.bucket(&self.shape) as usize];
        let slot = mixed.slot(pilot, &self.shape);
        match slot.checked_sub(self.shape.keys) {
            Some(past) => self.remap(past) as usize,
            None => slot as usize,
        }
    }

    pub(crate) fn found(&self, row: Row) -> Result<Found, &'static str> {
        if !row.listed {
            return Ok(Found { newest: row.entry, list: None });
        }
        if row.entry >= u64::from(self.lists) {
            return Err("a row names a list that is not there");
        }
        let at = self.lists_at as usize + row.entry as usize * LIST_BYTES;
        let eight =
            |at: usize| u64::from_le_bytes(self.bytes[at..at + 8].try_into().expect("8 bytes"));
        Ok(Found { newest: eight(at), list: Some(eight(at + 8)) })
    }

    fn remap(&self, past: u32) -> u32 {
        let width = remap_width(&self.shape);
        let at = self.remap_at as usize + past as usize * width;
        let mut bytes = [0; 4];
        bytes[..width].copy_from_slice(&self.bytes[at..at + width]);
        u32::from_le_bytes(bytes)
    }
}

fn remap_width(shape: &Shape) -> usize {
    if shape.keys <= NARROW_SLOTS { 2 } else { 4 }
}

fn rows(function: &Function, row: RowShape, hashes: &[u64], found: &[Found]) -> Vec<u8> {
    let len = row.bytes(hashes.len());
    let mut bytes = vec![0; len + READ_BYTES];
    let mut list = 0;
    for (hash, found) in hashes.iter().zip(found) {
        let listed = found.list.is_some();
        let entry = if listed { list } else { found.newest };
        list += u64::from(listed);
        let hash_bits = hash & mask(row.hash_bits);
        row.write(
            &mut bytes,
            function.slot(*hash) as usize,
            Row { hash: hash_bits, listed, entry },
        );
    }
    bytes.truncate(len);
    bytes
}

fn four(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}
