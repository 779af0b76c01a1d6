//! A new file written from front to back, through a buffer.

use crate::IndexError;
use crate::error::{io_error, sync_error};
use pyralog_env::{Disk, DiskFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const BUFFER_BYTES: usize = 256 << 10;

/// A file that grows. Removed by whoever makes it if it does not become whole.
#[derive(Debug)]
pub(crate) struct Output {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    position: u64,
}

impl Output {
    /// Creates `path`, replacing what lies there, and goes on at `position`.
    pub(crate) fn create(
        disk: &dyn Disk,
        path: &Path,
        position: u64,
    ) -> Result<Output, IndexError> {
        if disk.exists(path).map_err(io_error("cannot look at", path))? {
            disk.remove_file(path).map_err(io_error("cannot remove", path))?;
        }
        let file = disk.create(path).map_err(io_error("cannot create", path))?;
        Ok(Output { file, path: path.to_owned(), buffer: Vec::new(), position })
    }

    /// Where the next byte goes.
    pub(crate) fn position(&self) -> u64 {
        self.position + self.buffer.len() as u64
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), IndexError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Hands the buffer to the disk.
    pub(crate) fn flush(&mut self) -> Result<(), IndexError> {
        self.write_at(&self.buffer, self.position)?;
        self.position += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what comes before the place where the file began to grow.
    pub(crate) fn write_at(&self, bytes: &[u8], position: u64) -> Result<(), IndexError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all_at(bytes, position).map_err(io_error("cannot write", &self.path))
    }

    pub(crate) fn sync(&self) -> Result<(), IndexError> {
        self.file.sync_all().map_err(sync_error(&self.path))
    }
}
