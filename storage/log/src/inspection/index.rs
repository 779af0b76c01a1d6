//! The two files of a sparse index, each by itself.

use super::explain::hex;
use crate::sparse_index::{
    OFFSETS_HEADER_BYTES, OFFSETS_MAGIC, SealedFacts, TIMES_HEADER_BYTES, TIMES_MAGIC, VERSION,
};
use pyralog_model::{Damage, Epoch, Lsn, Offset};

const OFFSETS_ENTRY_BYTES: usize = 16;
const TIMES_ENTRY_BYTES: usize = 8;

/// What an `.offsets` says, as far as it can be made out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OffsetsFile {
    /// Length of the segment in bytes.
    pub segment_bytes: u64,
    /// The offset after its last record.
    pub next_offset: Offset,
    /// LSN of its last frame.
    pub last_lsn: Lsn,
    /// Epoch of its last frame.
    pub last_epoch: Epoch,
    /// A `.sessions` lies beside it.
    pub has_sessions: bool,
    /// Offset of a frame's first record, and where the frame begins.
    pub entries: Vec<(Offset, u64)>,
    /// What is wrong.
    pub damage: Option<Damage>,
}

/// What a `.times` says, as far as it can be made out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimesFile {
    /// Greatest timestamp of the segment in milliseconds.
    pub max_timestamp: i64,
    /// Greatest timestamp of all frames before each entry's.
    pub entries: Vec<i64>,
    /// What is wrong.
    pub damage: Option<Damage>,
}

impl OffsetsFile {
    /// Reads a whole file.
    pub fn read(bytes: &[u8]) -> OffsetsFile {
        let header = OFFSETS_HEADER_BYTES;
        let damage = damage(bytes, OFFSETS_MAGIC, header, OFFSETS_ENTRY_BYTES);
        if bytes.len() < header {
            return OffsetsFile { damage, ..OffsetsFile::default() };
        }
        let entries = bytes[header..].chunks_exact(OFFSETS_ENTRY_BYTES);
        OffsetsFile {
            segment_bytes: eight(bytes, 24),
            next_offset: Offset(eight(bytes, 32)),
            last_lsn: Lsn(eight(bytes, 40)),
            last_epoch: Epoch(eight(bytes, 48) as u32),
            has_sessions: bytes[14] & 1 != 0,
            entries: entries.map(|entry| (Offset(eight(entry, 0)), eight(entry, 8))).collect(),
            damage,
        }
    }

    pub(crate) fn facts(&self) -> SealedFacts {
        SealedFacts {
            segment_bytes: self.segment_bytes,
            next_offset: self.next_offset,
            last_lsn: self.last_lsn,
            last_epoch: self.last_epoch,
            has_sessions: self.has_sessions,
        }
    }
}

impl TimesFile {
    /// Reads a whole file.
    pub fn read(bytes: &[u8]) -> TimesFile {
        let header = TIMES_HEADER_BYTES;
        let damage = damage(bytes, TIMES_MAGIC, header, TIMES_ENTRY_BYTES);
        if bytes.len() < header {
            return TimesFile { damage, ..TimesFile::default() };
        }
        let entries = bytes[header..].chunks_exact(TIMES_ENTRY_BYTES);
        TimesFile {
            max_timestamp: eight(bytes, 24) as i64,
            entries: entries.map(|entry| eight(entry, 0) as i64).collect(),
            damage,
        }
    }
}

fn damage(bytes: &[u8], magic: [u8; 8], header: usize, entry: usize) -> Option<Damage> {
    let len = bytes.len() as u64;
    if bytes.len() < header {
        let expected = format!("a header of {header} bytes");
        return Some(Damage::new(0..len, expected, format!("{len} bytes")));
    }
    if bytes[0..8] != magic {
        let expected = String::from_utf8_lossy(&magic);
        return Some(Damage::new(0..8, expected, hex(&bytes[0..8])));
    }
    let version = u16::from_le_bytes([bytes[12], bytes[13]]);
    if version != VERSION {
        let expected = format!("version {VERSION}");
        return Some(Damage::new(12..14, expected, format!("version {version}")));
    }
    let count = eight(bytes, 16);
    let due = count.checked_mul(entry as u64).and_then(|bytes| bytes.checked_add(header as u64));
    if due != Some(len) {
        let there = (bytes.len() - header) / entry;
        let expected = format!("{count} entries of {entry} bytes");
        return Some(Damage::new(16..len, expected, format!("room for {there} in {len} bytes")));
    }
    let stored = u32::from_le_bytes(bytes[8..12].try_into().expect("4 bytes"));
    let computed = crc_fast::crc32_iscsi(&bytes[12..]);
    (stored != computed).then(|| {
        let expected = format!("a file with the CRC {stored:08x} that it carries");
        Damage::new(8..len, expected, format!("bytes with the CRC {computed:08x}"))
    })
}

fn eight(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}
