//! The first 128 bytes of a file of keys.
//!
//! ```text
//! ├─ "PYRAPPHM" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ type 2 ─┼─ store 16 ─┼─ log 8 ─┼─ partition 4 ─┼─ …
//! … ─ reducer 2 ─┼─ prefix bits 1 ─┼─ flags 1 ─┼─ base offset 8 ─┼─ end offset 8 ─┼─ keys 8 ─┼─ …
//! … ─ versions 8 ─┼─ hash seed 8 ─┼─ file bytes 8 ─┼─ directory CRC 4 ─┼─ 0 28 ─┤
//! ```
//!
//! The CRC covers bytes 12 to 128. Type 1: from keys to offsets. Flag 1: versions
//! carry rank and check. Version history: 1, the first.

use super::directory::DIRECTORY_ENTRY_BYTES;
use crate::IndexError;
use pyralog_model::{Offset, PartitionId, StoreId};
use std::ops::Range;
use std::path::Path;

pub(crate) const HEADER_BYTES: usize = 128;
pub(crate) const MAGIC: [u8; 8] = *b"PYRAPPHM";
pub(crate) const VERSION: u16 = 1;
const TYPE: u16 = 1;
const WIDE: u8 = 1;
/// More partitions than this are not made: they would hold 10¹¹ keys.
pub(crate) const PREFIX_BITS_MAX: u8 = 26;
/// An entry must fit its bits in a row: offsets span less than this.
pub(crate) const SPAN_MAX: u64 = 1 << 54;

/// Whose records an index is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexOf {
    /// The data directory.
    pub store: StoreId,
    /// The partition in it.
    pub partition: PartitionId,
}

/// What a file is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Whose records.
    pub of: IndexOf,
    /// Which of their offsets; others are left out.
    pub range: Range<Offset>,
    /// The seed of `hash_key`.
    pub hash_seed: u64,
}

/// What the header of a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What it was built for.
    pub spec: Spec,
    /// The number of its reducer.
    pub reducer: u16,
    /// True if versions carry rank and check: the reducer drops versions.
    pub wide: bool,
    /// Partitions are the hashes with one prefix of this many bits.
    pub prefix_bits: u8,
    /// Different hashes.
    pub keys: u64,
    /// Versions of all of them.
    pub versions: u64,
    /// Length of the file.
    pub file_bytes: u64,
    /// CRC-32C of the directory, and through it of every block.
    pub directory_crc: u32,
}

impl Facts {
    pub(crate) fn partitions(&self) -> usize {
        1 << self.prefix_bits
    }

    /// Where the first partition begins.
    pub(crate) fn body_position(&self) -> u64 {
        (HEADER_BYTES + self.partitions() * DIRECTORY_ENTRY_BYTES) as u64
    }

    /// The CRC-32C of the header, and through it of the directory and every block.
    pub(crate) fn header_crc(&self) -> u32 {
        u32::from_le_bytes(take(&self.encode(), 8))
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        let IndexOf { store, partition } = self.spec.of;
        put(0, &MAGIC);
        put(12, &VERSION.to_le_bytes());
        put(14, &TYPE.to_le_bytes());
        put(16, &store.0.to_le_bytes());
        put(32, &partition.log.0.to_le_bytes());
        put(40, &partition.partition.0.to_le_bytes());
        put(44, &self.reducer.to_le_bytes());
        put(46, &[self.prefix_bits, if self.wide { WIDE } else { 0 }]);
        put(48, &self.spec.range.start.0.to_le_bytes());
        put(56, &self.spec.range.end.0.to_le_bytes());
        put(64, &self.keys.to_le_bytes());
        put(72, &self.versions.to_le_bytes());
        put(80, &self.spec.hash_seed.to_le_bytes());
        put(88, &self.file_bytes.to_le_bytes());
        put(96, &self.directory_crc.to_le_bytes());
        let crc = crc_fast::crc32_iscsi(&bytes[12..]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The facts of a file that is `len` bytes long.
    pub(crate) fn decode(
        bytes: &[u8; HEADER_BYTES],
        len: u64,
        path: &Path,
    ) -> Result<Facts, IndexError> {
        let damaged = |what| Err(IndexError::Damaged { path: path.to_owned(), position: 0, what });
        if bytes[..8] != MAGIC {
            return damaged("it does not begin as a file of keys");
        }
        if crc_fast::crc32_iscsi(&bytes[12..]).to_le_bytes() != bytes[8..12] {
            return damaged("its header fails its checksum");
        }
        let version = u16::from_le_bytes(take(bytes, 12));
        if version > VERSION {
            let path = path.to_owned();
            return Err(IndexError::NewerVersion { path, found: version, known: VERSION });
        }
        let facts = Facts::fields(bytes);
        let sound = version == VERSION
            && u16::from_le_bytes(take(bytes, 14)) == TYPE
            && bytes[47] <= WIDE
            && bytes[100..] == [0; 28]
            && facts.is_sound();
        if !sound {
            return damaged("its header contradicts itself");
        }
        if facts.file_bytes != len || facts.body_position() > len {
            return damaged("it has another length than its header says");
        }
        Ok(facts)
    }

    /// What the fields say, whatever the checksum says of them.
    pub(crate) fn fields(bytes: &[u8; HEADER_BYTES]) -> Facts {
        let eight = |at| u64::from_le_bytes(take(bytes, at));
        let four = |at| u32::from_le_bytes(take(bytes, at));
        let of = IndexOf {
            store: StoreId(u128::from_le_bytes(take(bytes, 16))),
            partition: PartitionId::new(eight(32), four(40)),
        };
        Facts {
            spec: Spec { of, range: Offset(eight(48))..Offset(eight(56)), hash_seed: eight(80) },
            reducer: u16::from_le_bytes(take(bytes, 44)),
            wide: bytes[47] & WIDE != 0,
            prefix_bits: bytes[46],
            keys: eight(64),
            versions: eight(72),
            file_bytes: eight(88),
            directory_crc: four(96),
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        let range = &self.spec.range;
        self.prefix_bits <= PREFIX_BITS_MAX
            && self.keys <= self.versions
            && range.start <= range.end
            && range.end.0 <= i64::MAX as u64
            && range.end.0 - range.start.0 < SPAN_MAX
    }
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}
