//! A manifest of keys, as far as it can be made out.

use super::other_crc;
use crate::key_index::manifest::{FILE_BYTES, HEADER_BYTES, MAGIC, VERSION, named};
use crate::{IndexOf, NamedFile};
use pyralog_model::{Damage, PartitionId, StoreId};

/// What a `keys.manifest` says; not to be believed where it is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Whose records.
    pub of: IndexOf,
    /// Version of the format.
    pub version: u16,
    /// The seed of the hash.
    pub hash_seed: u64,
    /// The number of the next file.
    pub next_number: u64,
    /// By offset.
    pub files: Vec<NamedFile>,
    /// What is wrong.
    pub damage: Option<Damage>,
}

impl ManifestFile {
    /// Reads a whole file.
    pub fn read(bytes: &[u8]) -> ManifestFile {
        let mut header = [0; HEADER_BYTES];
        let there = bytes.len().min(HEADER_BYTES);
        header[..there].copy_from_slice(&bytes[..there]);
        let eight = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("8 bytes"));
        let four = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("4 bytes"));
        let store = u128::from_le_bytes(header[16..32].try_into().expect("16 bytes"));
        let rows = bytes.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(FILE_BYTES);
        let mut file = ManifestFile {
            of: IndexOf { store: StoreId(store), partition: PartitionId::new(eight(32), four(40)) },
            version: u16::from_le_bytes([header[12], header[13]]),
            hash_seed: eight(48),
            next_number: eight(56),
            files: rows.map(named).collect(),
            damage: None,
        };
        file.damage = damage(bytes, &header, &file);
        file
    }

    /// Where the row of a file begins, by its index.
    pub fn position(index: usize) -> u64 {
        (HEADER_BYTES + index * FILE_BYTES) as u64
    }
}

fn damage(bytes: &[u8], header: &[u8; HEADER_BYTES], file: &ManifestFile) -> Option<Damage> {
    let len = bytes.len() as u64;
    if bytes.len() < HEADER_BYTES {
        let expected = format!("a header of {HEADER_BYTES} bytes");
        return Some(Damage::new(0..len, expected, format!("{len} bytes")));
    }
    if header[..8] != MAGIC {
        let found = String::from_utf8_lossy(&header[..8]).escape_debug().to_string();
        return Some(Damage::new(0..8, String::from_utf8_lossy(&MAGIC), found));
    }
    let stored = u32::from_le_bytes(header[8..12].try_into().expect("4 bytes"));
    let computed = crc_fast::crc32_iscsi(&bytes[12..]);
    if stored != computed {
        return Some(other_crc(8..len, "a file", stored, computed));
    }
    if file.version != VERSION || header[14..16] != [0; 2] {
        let found = format!("version {}", file.version);
        return Some(Damage::new(12..16, format!("version {VERSION}"), found));
    }
    let count = u32::from_le_bytes(header[44..48].try_into().expect("4 bytes"));
    if u64::from(count) * FILE_BYTES as u64 != len - HEADER_BYTES as u64 {
        let expected = format!("{count} files of {FILE_BYTES} bytes");
        let found = format!("room for {} in {len} bytes", file.files.len());
        return Some(Damage::new(44..48, expected, found));
    }
    contradiction(file)
}

/// Files that no index can have.
fn contradiction(manifest: &ManifestFile) -> Option<Damage> {
    let mut end = None;
    for (index, file) in manifest.files.iter().enumerate() {
        let range = &file.range;
        let (expected, found) = if file.number >= manifest.next_number {
            (format!("a number below {}", manifest.next_number), format!("{}", file.number))
        } else if file.base > range.start || range.start >= range.end {
            let found = format!("{}..{}", range.start, range.end);
            (format!("a range from offset {} on", file.base), found)
        } else if let Some(end) = end.filter(|end| range.start < *end) {
            (format!("a range from offset {end} on"), format!("one from {}", range.start))
        } else {
            end = Some(range.end);
            continue;
        };
        let position = ManifestFile::position(index);
        return Some(Damage::new(position..position + FILE_BYTES as u64, expected, found));
    }
    None
}
