//! The files of the WAL: made once, filled with zeros, opened for writes that are
//! durable when they return.

use super::{PAGE_BYTES, VERSION};
use crate::durable::SyncProof;
use crate::error::io_error;
use crate::keyed_crc::keyed_crc;
use crate::mutation::{Mutation, Planted};
use crate::{LogError, paths};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::StoreId;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) const MAGIC: [u8; 8] = *b"PYRAWAL1";
/// Bytes of the header page that are not always zero.
pub(crate) const HEADER_BYTES: usize = 40;

static ZEROS: [u8; 1 << 18] = [0; 1 << 18];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Active,
    Filled,
}

#[derive(Debug)]
pub(super) struct WalFile {
    pub(super) number: u32,
    state: State,
    file: Arc<dyn DiskFile>,
    durable: Option<Arc<dyn DiskFile>>,
}

impl WalFile {
    pub(super) fn open(
        disk: &dyn Disk,
        path: &Path,
        number: u32,
        direct: bool,
    ) -> Result<WalFile, LogError> {
        let file = disk.open(path).map_err(io_error("cannot open", path))?;
        let durable = match direct {
            true => disk.open_durable(path).map_err(io_error("cannot open", path))?,
            false => None,
        };
        Ok(WalFile { number, state: State::Free, file, durable })
    }

    pub(super) fn is_free(&self) -> bool {
        self.state == State::Free
    }

    pub(super) fn take_into_use(&mut self) {
        assert_eq!(self.state, State::Free);
        self.state = State::Active;
    }

    pub(super) fn fill(&mut self) {
        assert_eq!(self.state, State::Active);
        self.state = State::Filled;
    }

    pub(super) fn release(&mut self) {
        assert_eq!(self.state, State::Filled);
        self.state = State::Free;
    }

    pub(super) fn write_durably(
        &self,
        pages: &[u8],
        position: u64,
        planted: Planted,
    ) -> io::Result<SyncProof> {
        assert!(pages.len().is_multiple_of(PAGE_BYTES));
        if planted.lies_about_sync() {
            self.file.write_all_at(pages, position)?;
            return Ok(SyncProof::forged_by_a_mutant());
        }
        if let Some(durable) = &self.durable {
            return SyncProof::from_sync(durable.write_all_at(pages, position));
        }
        self.file.write_all_at(pages, position)?;
        let synced = self.file.sync_data();
        if synced.is_err() && planted.is(Mutation::RetryAfterFailedSync) {
            return SyncProof::from_sync(self.file.sync_data());
        }
        SyncProof::from_sync(synced)
    }
}

/// Makes a WAL file of `file_bytes` zeros with its header, durably, unless a whole
/// one of that number is there. Slow (it writes every byte): never called by the
/// committer's loop.
pub fn prepare_file(
    disk: &dyn Disk,
    pyramid: &Path,
    store: StoreId,
    number: u32,
    file_bytes: usize,
    sync_directory: bool,
) -> Result<(), LogError> {
    let path = paths::wal_file(pyramid, number);
    let exists = disk.exists(&path).map_err(io_error("cannot look at", &path))?;
    if exists && is_whole(disk, &path, store, file_bytes)? {
        // Whoever made it may have been killed before it and its name were durable.
        let file = disk.open(&path).map_err(io_error("cannot open", &path))?;
        file.sync_all().map_err(io_error("cannot sync", &path))?;
        return sync_name(disk, pyramid, sync_directory);
    }
    if exists {
        disk.remove_file(&path).map_err(io_error("cannot remove", &path))?;
    }
    let written = write_zeros(disk, &path, store, file_bytes);
    if written.is_err() {
        // Half a file is worth nothing, and the disk may need its room.
        let _ = disk.remove_file(&path);
    }
    written?;
    sync_name(disk, pyramid, sync_directory)
}

fn sync_name(disk: &dyn Disk, pyramid: &Path, sync_directory: bool) -> Result<(), LogError> {
    if sync_directory {
        let dir = paths::wal_dir(pyramid);
        disk.sync_dir(&dir).map_err(io_error("cannot sync", &dir))?;
    }
    Ok(())
}

fn write_zeros(
    disk: &dyn Disk,
    path: &Path,
    store: StoreId,
    file_bytes: usize,
) -> Result<(), LogError> {
    let file = disk.create(path).map_err(io_error("cannot create", path))?;
    let mut position = PAGE_BYTES;
    while position < file_bytes {
        let chunk = ZEROS.len().min(file_bytes - position);
        file.write_all_at(&ZEROS[..chunk], position as u64)
            .map_err(io_error("cannot write", path))?;
        position += chunk;
    }
    file.write_all_at(&header_page(store, file_bytes), 0)
        .map_err(io_error("cannot write", path))?;
    file.sync_all().map_err(io_error("cannot sync", path))
}

fn is_whole(
    disk: &dyn Disk,
    path: &Path,
    store: StoreId,
    file_bytes: usize,
) -> Result<bool, LogError> {
    let file = disk.open(path).map_err(io_error("cannot open", path))?;
    let len = file.len().map_err(io_error("cannot measure", path))?;
    if len != file_bytes as u64 {
        return Ok(false);
    }
    let mut page = [0; PAGE_BYTES];
    file.read_exact_at(&mut page, 0).map_err(io_error("cannot read", path))?;
    Ok(page == header_page(store, file_bytes))
}

/// Refuses a file that another store or a newer program wrote: its rounds would
/// look like none, and it would be made anew. A file without a whole header was
/// never used.
pub(crate) fn check_header(
    file: &dyn DiskFile,
    path: &Path,
    store: StoreId,
) -> Result<(), LogError> {
    let mut bytes = [0; HEADER_BYTES];
    let read = file.read_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
    if read < HEADER_BYTES || bytes[0..8] != MAGIC {
        return Ok(());
    }
    let refuse = |what| Err(LogError::Corrupt { path: path.to_owned(), position: 0, what });
    let version = u16::from_le_bytes([bytes[8], bytes[9]]);
    if version != VERSION {
        return refuse(format!("it has version {version}, known is {VERSION}"));
    }
    let crc = u32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes"));
    let owner = StoreId(u128::from_le_bytes(bytes[24..40].try_into().expect("16 bytes")));
    if owner != store && keyed_crc(owner, &[&bytes[16..40]]) == crc {
        return refuse(format!("it belongs to store {owner}, this is store {store}"));
    }
    Ok(())
}

fn header_page(store: StoreId, file_bytes: usize) -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    page[0..8].copy_from_slice(&MAGIC);
    page[8..10].copy_from_slice(&VERSION.to_le_bytes());
    page[16..24].copy_from_slice(&(file_bytes as u64).to_le_bytes());
    page[24..40].copy_from_slice(&store.0.to_le_bytes());
    let crc = keyed_crc(store, &[&page[16..40]]);
    page[12..16].copy_from_slice(&crc.to_le_bytes());
    page
}
