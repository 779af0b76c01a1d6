//! The write-ahead log: a few files of fixed length, filled with zeros once,
//! written in rounds, used again, never cut and never removed while the store
//! runs. Overwriting blocks that exist needs no journal commit of the file
//! system, which halves the time of a small sync.
//!
//! ```text
//! file    ├─ header page ─┼─ round 17 ─┼─ round 18 ───────┼─ … zeros or old rounds ┤
//!         0             4096           each padded to 4,096 bytes
//!
//! header  ├─ "PYRAWAL1" 8 ─┼─ version 2 ─┼─ 0 2 ─┼─ CRC 4 ─┼─ file bytes 8 ─┼─ store id 16 ─┤
//!
//! round   ├─ "PYRAROND" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ 0 2 ─┼─ body bytes 4 ─┼─ frames 4 ─┼─ …
//!         … ─ round number 8 ─┼─ first LSN 8 ─┼─ zeros to byte 64 ─┼─ frames … ─┼─ zeros ─┤
//! ```
//!
//! Round numbers grow by one over all files, and one round is in flight at a
//! time. So recovery has one rule, **contiguity**: from the first round that is
//! still needed to the greatest that is found, every round must be there and
//! whole; only the greatest may be torn, for nobody was told of it. Bytes of an
//! earlier use of the file carry smaller numbers and are passed over. Both CRCs
//! cover the store id first, so that record bytes cannot pose as a round.
//!
//! Version history: 1, the first.

mod files;
mod scan;

pub use files::prepare_file;
pub(crate) use files::{HEADER_BYTES, MAGIC, check_header};
pub(crate) use scan::{RoundHeader, RoundPlace, read_round, scan_file};

use crate::durable::SyncProof;
use crate::frame::Frame;
use crate::keyed_crc::keyed_crc;
use crate::mutation::{Mutation, Planted};
use crate::{LogError, paths};
use files::WalFile;
use pyralog_env::Disk;
use pyralog_model::{Lsn, StoreId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Every write to the WAL begins and ends on a multiple of this.
pub const PAGE_BYTES: usize = 4096;

/// A round takes no further append once it would pass this many bytes.
pub(crate) const ROUND_BODY_BYTES_AIM: usize = 4 << 20;

pub(crate) const ROUND_HEADER_BYTES: usize = 64;
pub(crate) const ROUND_MAGIC: [u8; 8] = *b"PYRAROND";
pub(crate) const VERSION: u16 = 1;

/// The open write-ahead log.
#[derive(Debug)]
pub(crate) struct Wal {
    disk: Arc<dyn Disk>,
    pyramid: PathBuf,
    store: StoreId,
    file_bytes: usize,
    direct: bool,
    planted: Planted,
    files: Vec<WalFile>,
    active: Option<usize>,
    position: usize,
    next_round: u64,
    buffer: PageBuffer,
}

/// A file that was filled and may be used again once its frames are in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FilledFile {
    /// The file's number.
    pub(crate) number: u32,
    /// The round after its last.
    pub(crate) rounds_end: u64,
}

impl Wal {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        pyramid: &Path,
        store: StoreId,
        file_bytes: usize,
        direct: bool,
        planted: Planted,
        next_round: u64,
    ) -> Wal {
        assert!(file_bytes.is_multiple_of(PAGE_BYTES) && file_bytes >= 4 * PAGE_BYTES);
        Wal {
            disk,
            pyramid: pyramid.to_owned(),
            store,
            file_bytes,
            direct,
            planted,
            files: Vec::new(),
            active: None,
            position: 0,
            next_round,
            buffer: PageBuffer::new(file_bytes),
        }
    }

    /// Opens a prepared file for use. It holds nothing that is still needed.
    pub(crate) fn add_file(&mut self, number: u32) -> Result<(), LogError> {
        let path = paths::wal_file(&self.pyramid, number);
        let file = WalFile::open(&*self.disk, &path, number, self.direct)?;
        self.files.push(file);
        Ok(())
    }

    pub(crate) fn file_count(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn next_round(&self) -> u64 {
        self.next_round
    }

    /// The largest body, in bytes, that one round can hold.
    pub(crate) fn body_bytes_max(&self) -> usize {
        self.file_bytes - 2 * PAGE_BYTES
    }

    /// True if a round of `body` bytes can be written now.
    pub(crate) fn has_room(&self, body: usize) -> bool {
        let fits = self.active.is_some() && self.position + padded(body) <= self.file_bytes;
        fits || self.files.iter().any(WalFile::is_free)
    }

    /// The number of the file being written.
    pub(crate) fn active_file(&self) -> Option<u32> {
        self.active.map(|index| self.files[index].number)
    }

    /// Moves to a free file if `body` does not fit in the present one, and tells
    /// which file was filled.
    pub(crate) fn make_room(&mut self, body: usize) -> Result<Option<FilledFile>, LogError> {
        if self.active.is_some() && self.position + padded(body) <= self.file_bytes {
            return Ok(None);
        }
        let free = self.files.iter().position(WalFile::is_free).ok_or(LogError::WalFull)?;
        let filled = self.active.map(|index| {
            self.files[index].fill();
            FilledFile { number: self.files[index].number, rounds_end: self.next_round }
        });
        self.files[free].take_into_use();
        self.active = Some(free);
        self.position = PAGE_BYTES;
        Ok(filled)
    }

    /// Writes one round and returns when it is durable. An error is final: the
    /// caller stops the store.
    pub(crate) fn append_round(&mut self, frames: &[Frame]) -> Result<SyncProof, LogError> {
        let index = self.active.expect("make_room is called first");
        let first_lsn = frames.first().expect("a round has a frame").header.lsn;
        let body: usize = frames.iter().map(|frame| frame.header.frame_bytes()).sum();
        assert!(self.position + padded(body) <= self.file_bytes, "make_room is called first");
        self.encode(frames, body, first_lsn);
        let synced = self.files[index].write_durably(
            self.buffer.pages(),
            self.position as u64,
            self.planted,
        );
        let path = paths::wal_file(&self.pyramid, self.files[index].number);
        match synced {
            Ok(proof) => {
                self.position += padded(body);
                self.next_round += 1;
                Ok(proof)
            }
            // "No room" too: the blocks are there, so a file system that says it has
            // none left is not one that overwrites, and part of the round may lie
            // in the file under a number that must not be given again.
            Err(error) => Err(LogError::Failed { cause: format!("{}: {error}", path.display()) }),
        }
    }

    /// The planted bug: a round that is counted and not written.
    pub(crate) fn skip_round(&mut self, body: usize) -> SyncProof {
        self.position += padded(body);
        self.next_round += 1;
        SyncProof::forged_by_a_mutant()
    }

    /// Lets a filled file be used again. Its frames are in synced segments, and
    /// the checkpoint that says so is durable.
    pub(crate) fn release(&mut self, number: u32) {
        if let Some(file) = self.files.iter_mut().find(|file| file.number == number) {
            file.release();
        }
    }

    fn encode(&mut self, frames: &[Frame], body: usize, first_lsn: Lsn) {
        let header = round_header(self.store, body, frames.len(), self.next_round, first_lsn);
        let buffer = self.buffer.start();
        buffer.extend_from_slice(&header);
        for frame in frames {
            frame.encode_into(self.store, buffer);
        }
        self.buffer.pad();
    }
}

impl Planted {
    pub(crate) fn lies_about_sync(self) -> bool {
        self.is(Mutation::AckBeforeSync)
    }

    pub(crate) fn skips_directory_sync(self) -> bool {
        self.is(Mutation::NoDirectorySync)
    }
}

/// Bytes that a round with `body` bytes of frames takes in the file.
pub(crate) fn padded(body: usize) -> usize {
    (ROUND_HEADER_BYTES + body).next_multiple_of(PAGE_BYTES)
}

fn round_header(
    store: StoreId,
    body: usize,
    frames: usize,
    round: u64,
    first_lsn: Lsn,
) -> [u8; ROUND_HEADER_BYTES] {
    let mut bytes = [0; ROUND_HEADER_BYTES];
    bytes[0..8].copy_from_slice(&ROUND_MAGIC);
    bytes[12..14].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..20].copy_from_slice(&u32::try_from(body).expect("a file is < 4 GiB").to_le_bytes());
    bytes[20..24].copy_from_slice(&u32::try_from(frames).expect("< 2^32 frames").to_le_bytes());
    bytes[24..32].copy_from_slice(&round.to_le_bytes());
    bytes[32..40].copy_from_slice(&first_lsn.0.to_le_bytes());
    let crc = keyed_crc(store, &[&bytes[12..]]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// A buffer whose used part begins on a page boundary in memory, as writes past
/// the page cache demand.
#[derive(Debug)]
struct PageBuffer {
    bytes: Vec<u8>,
    begin: usize,
}

impl PageBuffer {
    fn new(capacity: usize) -> PageBuffer {
        let bytes: Vec<u8> = Vec::with_capacity(capacity + PAGE_BYTES);
        let begin = bytes.as_ptr().align_offset(PAGE_BYTES);
        PageBuffer { bytes, begin }
    }

    fn start(&mut self) -> &mut Vec<u8> {
        self.bytes.clear();
        self.bytes.resize(self.begin, 0);
        &mut self.bytes
    }

    fn pad(&mut self) {
        let used = (self.bytes.len() - self.begin).next_multiple_of(PAGE_BYTES);
        assert!(self.begin + used <= self.bytes.capacity(), "growing would lose the alignment");
        self.bytes.resize(self.begin + used, 0);
    }

    fn pages(&self) -> &[u8] {
        &self.bytes[self.begin..]
    }
}
