//! Which files make up an index, and for which offsets each of them speaks.
//!
//! ```text
//! ├─ "PYRAKEYS" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ 0 2 ─┼─ store 16 ─┼─ log 8 ─┼─ partition 4 ─┼─ …
//! … ─ files 4 ─┼─ hash seed 8 ─┼─ next number 8 ─┤ (64)
//! then per file, by offset
//! ├─ number 8 ─┼─ base 8 ─┼─ from 8 ─┼─ to 8 ─┼─ header CRC 4 ─┼─ 0 4 ─┤ (40)
//! ```
//!
//! Little-endian; the CRC-32C covers everything after itself. A file's base is in its
//! name; *from* and *to* are the offsets that it speaks for, which may be fewer than it
//! has. Its header's CRC, and through it every byte of its blocks, says that it is the
//! file that was meant. Version history: 1, the first.
//!
//! Replaced as a whole: written beside its place, synced, renamed, the directory synced.

use super::Place;
use crate::error::{io_error, sync_error};
use crate::pphm::{Facts, IndexOf, Output};
use crate::{IndexError, Mutation};
use pyralog_env::Disk;
use pyralog_model::{Offset, PartitionId, StoreId};
use std::ops::Range;
use std::path::Path;
use std::sync::PoisonError;

pub(crate) const NAME: &str = "keys.manifest";
pub(crate) const NAME_UNFINISHED: &str = "keys.manifest.new";

pub(crate) const MAGIC: [u8; 8] = *b"PYRAKEYS";
pub(crate) const VERSION: u16 = 1;
pub(crate) const HEADER_BYTES: usize = 64;
pub(crate) const FILE_BYTES: usize = 40;
/// No index has more files; a manifest that is longer is damaged.
pub(crate) const FILES_MAX: usize = 1 << 20;

/// The files of an index, as its manifest names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyManifest {
    /// Whose records.
    pub of: IndexOf,
    /// The seed of `hash_key`.
    pub hash_seed: u64,
    /// The number of the next file; smaller ones are used.
    pub next_number: u64,
    /// By offset.
    pub files: Vec<NamedFile>,
}

/// One file of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// In its name; never used twice.
    pub number: u64,
    /// In its name: the first offset of its own range.
    pub base: Offset,
    /// What it speaks for.
    pub range: Range<Offset>,
    /// CRC-32C of its header.
    pub header_crc: u32,
}

impl NamedFile {
    pub(crate) fn new(number: u64, range: Range<Offset>, facts: &Facts) -> NamedFile {
        NamedFile { number, base: facts.spec.range.start, range, header_crc: facts.header_crc() }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        file_name(self.number, self.base)
    }
}

/// What the file with this number is called that begins at this offset.
pub(crate) fn file_name(number: u64, base: Offset) -> String {
    format!("{:020}-{number:010}.{}", base.0, super::open::FILE)
}

impl KeyManifest {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.files.len() * FILE_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.of.store.0.to_le_bytes());
        bytes.extend_from_slice(&self.of.partition.log.0.to_le_bytes());
        bytes.extend_from_slice(&self.of.partition.partition.0.to_le_bytes());
        bytes.extend_from_slice(&(self.files.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.hash_seed.to_le_bytes());
        bytes.extend_from_slice(&self.next_number.to_le_bytes());
        debug_assert_eq!(bytes.len(), HEADER_BYTES);
        for file in &self.files {
            let words = [file.number, file.base.0, file.range.start.0, file.range.end.0];
            words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
            bytes.extend_from_slice(&file.header_crc.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
        }
        let crc = crc_fast::crc32_iscsi(&bytes[12..]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<KeyManifest, IndexError> {
        let damaged = |what| Err(IndexError::Damaged { path: path.to_owned(), position: 0, what });
        if bytes.len() < HEADER_BYTES || bytes[..8] != MAGIC {
            return damaged("it does not begin as a manifest of keys");
        }
        if crc_fast::crc32_iscsi(&bytes[12..]).to_le_bytes() != bytes[8..12] {
            return damaged("it fails its checksum");
        }
        let found = u16::from_le_bytes(take(bytes, 12));
        if found > VERSION {
            let path = path.to_owned();
            return Err(IndexError::NewerVersion { path, found, known: VERSION });
        }
        let count = u32::from_le_bytes(take(bytes, 44)) as usize;
        if found != VERSION
            || bytes[14..16] != [0; 2]
            || count > FILES_MAX
            || bytes.len() != HEADER_BYTES + count * FILE_BYTES
        {
            return damaged("it has another length than it says");
        }
        let eight = |at| u64::from_le_bytes(take(bytes, at));
        let of = IndexOf {
            store: StoreId(u128::from_le_bytes(take(bytes, 16))),
            partition: PartitionId::new(eight(32), u32::from_le_bytes(take(bytes, 40))),
        };
        let files: Vec<NamedFile> =
            bytes[HEADER_BYTES..].chunks_exact(FILE_BYTES).map(named).collect();
        let manifest = KeyManifest { of, hash_seed: eight(48), next_number: eight(56), files };
        if !manifest.is_sound() {
            return damaged("its files contradict each other");
        }
        Ok(manifest)
    }

    fn is_sound(&self) -> bool {
        let apart = |pair: &[NamedFile]| pair[0].range.end <= pair[1].range.start;
        let each = |file: &NamedFile| {
            file.number < self.next_number
                && file.base <= file.range.start
                && file.range.start < file.range.end
        };
        self.files.iter().all(each) && self.files.windows(2).all(apart)
    }

    /// Makes this the manifest on disk, unless that is of a later state already.
    pub(crate) fn save(&self, sequence: u64, place: &Place) -> Result<(), IndexError> {
        // Nothing else waits for this lock than others that write the manifest.
        let mut saved = place.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if *saved >= sequence && !place.planted.is(Mutation::OlderManifestWins) {
            return Ok(());
        }
        let (path, unfinished) = (place.dir.join(NAME), place.dir.join(NAME_UNFINISHED));
        let disk = &*place.disk;
        let mut output = Output::create(disk, &unfinished, 0)?;
        output.write(&self.encode())?;
        output.flush()?;
        output.sync()?;
        disk.rename(&unfinished, &path).map_err(io_error("cannot rename", &unfinished))?;
        disk.sync_dir(&place.dir).map_err(sync_error(&place.dir))?;
        *saved = sequence;
        Ok(())
    }

    /// The manifest in a directory, if there is one.
    ///
    /// # Errors
    /// `Damaged` or `NewerVersion`, or the disk's own.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<KeyManifest>, IndexError> {
        let path = dir.join(NAME);
        if !disk.exists(&path).map_err(io_error("cannot look at", &path))? {
            return Ok(None);
        }
        let file = disk.open(&path).map_err(io_error("cannot open", &path))?;
        let len = file.len().map_err(io_error("cannot measure", &path))?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len.min(HEADER_BYTES + FILES_MAX * FILE_BYTES)];
        file.read_exact_at(&mut bytes, 0).map_err(io_error("cannot read", &path))?;
        KeyManifest::decode(&bytes, &path).map(Some)
    }
}

/// One file's row of 40 bytes.
pub(crate) fn named(bytes: &[u8]) -> NamedFile {
    let eight = |at| u64::from_le_bytes(take(bytes, at));
    NamedFile {
        number: eight(0),
        base: Offset(eight(8)),
        range: Offset(eight(16))..Offset(eight(24)),
        header_crc: u32::from_le_bytes(take(bytes, 32)),
    }
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}
