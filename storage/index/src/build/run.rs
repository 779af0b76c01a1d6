//! Runs: sorted entries on disk while a file is built.
//!
//! ```text
//! ├─ "PYRARUN1" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ words 2 ─┼─ entries 8 ─┼─ 0 8 ─┤ (32)
//! then per chunk   ├─ entries 4 ─┼─ CRC 4 ─┼─ entries, 16 or 32 bytes each ─┤
//! ```
//!
//! Little-endian. The header's CRC covers bytes 12 to 32, a chunk's its number, its
//! count and its entries. An entry is 2 or 4 words: hash; offset × 2 + tombstone,
//! inverted; rank; check. A run never outlives its build, so there is no second
//! version to be read, but a bit that turns over on the way would end up in an index.

use super::buffer::{decode, encode, entry_bytes};
use crate::error::io_error;
use crate::pphm::Output;
use crate::{Entry, IndexError};
use pyralog_env::{Disk, DiskFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"PYRARUN1";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 32;
const CHUNK_HEADER_BYTES: usize = 8;
const CHUNK_ENTRIES: usize = 2048;
/// What reading a run takes of the budget.
pub(super) const READ_BYTES: usize = 128 << 10;

/// A run that was written.
#[derive(Debug)]
pub(super) struct Run {
    path: PathBuf,
    wide: bool,
    entries: u64,
}

impl Run {
    /// Writes entries that come in order. What does not become whole is removed: builds
    /// on a full disk are tried again and again.
    pub(super) fn write(
        disk: &dyn Disk,
        path: &Path,
        wide: bool,
        entries: impl Iterator<Item = Result<Entry, IndexError>>,
    ) -> Result<Run, IndexError> {
        let written = Run::write_all(disk, path, wide, entries);
        if written.is_err() {
            drop(disk.remove_file(path));
        }
        written
    }

    fn write_all(
        disk: &dyn Disk,
        path: &Path,
        wide: bool,
        entries: impl Iterator<Item = Result<Entry, IndexError>>,
    ) -> Result<Run, IndexError> {
        let mut output = Output::create(disk, path, HEADER_BYTES as u64)?;
        let (mut chunk, mut chunks, mut count) = (Vec::new(), 0, 0);
        for entry in entries {
            encode(&entry?, wide, &mut chunk);
            count += 1;
            if chunk.len() == CHUNK_ENTRIES * entry_bytes(wide) {
                write_chunk(&mut output, chunks, &mut chunk, wide)?;
                chunks += 1;
            }
        }
        write_chunk(&mut output, chunks, &mut chunk, wide)?;
        output.flush()?;
        let run = Run { path: path.to_owned(), wide, entries: count };
        output.write_at(&run.header(), 0)?;
        Ok(run)
    }

    pub(super) fn read(&self, disk: &dyn Disk) -> Result<RunReader, IndexError> {
        let file = disk.open(&self.path).map_err(io_error("cannot open", &self.path))?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0).map_err(io_error("cannot read", &self.path))?;
        let reader = RunReader {
            file,
            path: self.path.clone(),
            wide: self.wide,
            left: self.entries,
            chunk: Vec::new(),
            at: 0,
            chunks: 0,
            position: HEADER_BYTES as u64,
        };
        if header != self.header() {
            return Err(reader.damaged("a run has another header than was written"));
        }
        Ok(reader)
    }

    pub(super) fn remove(&self, disk: &dyn Disk) -> Result<(), IndexError> {
        disk.remove_file(&self.path).map_err(io_error("cannot remove", &self.path))
    }

    fn header(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[12..14].copy_from_slice(&VERSION.to_le_bytes());
        bytes[14..16].copy_from_slice(&((entry_bytes(self.wide) / 8) as u16).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.entries.to_le_bytes());
        let crc = crc_fast::crc32_iscsi(&bytes[12..]);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

fn write_chunk(
    output: &mut Output,
    number: u64,
    chunk: &mut Vec<u8>,
    wide: bool,
) -> Result<(), IndexError> {
    if chunk.is_empty() {
        return Ok(());
    }
    let entries = ((chunk.len() / entry_bytes(wide)) as u32).to_le_bytes();
    output.write(&entries)?;
    output.write(&crc(number, entries, chunk))?;
    output.write(chunk)?;
    chunk.clear();
    Ok(())
}

fn crc(number: u64, entries: [u8; 4], chunk: &[u8]) -> [u8; 4] {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi);
    digest.update(&number.to_le_bytes());
    digest.update(&entries);
    digest.update(chunk);
    (digest.finalize() as u32).to_le_bytes()
}

/// Iterates over a run, a chunk at a time in memory.
#[derive(Debug)]
pub(super) struct RunReader {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    wide: bool,
    /// Entries that are still to come.
    left: u64,
    chunk: Vec<u8>,
    at: usize,
    chunks: u64,
    /// Of the next chunk.
    position: u64,
}

impl RunReader {
    fn step(&mut self) -> Result<Option<Entry>, IndexError> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.at == self.chunk.len() {
            self.load()?;
        }
        let bytes = entry_bytes(self.wide);
        let entry = decode(&self.chunk[self.at..self.at + bytes]);
        self.at += bytes;
        self.left -= 1;
        Ok(Some(entry))
    }

    fn load(&mut self) -> Result<(), IndexError> {
        let mut head = [0; CHUNK_HEADER_BYTES];
        self.read_at(&mut head, self.position)?;
        let (entries, crc_of) = head.split_at(4);
        let entries: [u8; 4] = entries.try_into().expect("4 bytes");
        let count = u32::from_le_bytes(entries) as usize;
        // Bounded before it is believed.
        if count == 0 || count > CHUNK_ENTRIES {
            return Err(self.damaged("a chunk of a run has no plausible length"));
        }
        let mut chunk = vec![0; count * entry_bytes(self.wide)];
        self.read_at(&mut chunk, self.position + CHUNK_HEADER_BYTES as u64)?;
        if crc(self.chunks, entries, &chunk) != *crc_of {
            return Err(self.damaged("a chunk of a run fails its checksum"));
        }
        self.position += (CHUNK_HEADER_BYTES + chunk.len()) as u64;
        self.chunks += 1;
        (self.chunk, self.at) = (chunk, 0);
        Ok(())
    }

    fn read_at(&self, bytes: &mut [u8], position: u64) -> Result<(), IndexError> {
        self.file.read_exact_at(bytes, position).map_err(io_error("cannot read", &self.path))
    }

    fn damaged(&self, what: &'static str) -> IndexError {
        IndexError::Damaged { path: self.path.clone(), position: self.position, what }
    }
}

impl Iterator for RunReader {
    type Item = Result<Entry, IndexError>;

    fn next(&mut self) -> Option<Result<Entry, IndexError>> {
        let next = self.step().transpose();
        if matches!(next, Some(Err(_))) {
            self.left = 0;
        }
        next
    }
}
