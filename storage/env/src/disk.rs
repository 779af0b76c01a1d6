//! The disk as the storage engine sees it: files by path, positioned reads and
//! writes, and the three promises that matter after a power cut.
//!
//! - Bytes written are durable once `sync_data` (or `sync_all`) of that file
//!   has returned `Ok`. Before that, any subset of 512-byte sectors may survive.
//! - A name (create, rename, remove) is durable once `sync_dir` of its directory
//!   has returned `Ok`.
//! - A length change is durable with the file's next successful sync.
//!
//! A failed sync is final: the kernel has dropped the dirty pages, and asking
//! again may answer `Ok` for bytes that are gone. Callers stop (FAILSTOP).

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiskEntry {
    /// The last component of the path.
    pub name: String,
    /// True for a directory.
    pub is_dir: bool,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
}

/// A file system, real or simulated.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Creates `path` and every missing parent, mode 0700. Not durable until
    /// the parents are synced.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Creates a new file, mode 0600, for reading and writing. Fails with
    /// `AlreadyExists` when the name is taken.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens an existing file for reading and for writes that are durable when
    /// they return (`O_DSYNC`, past the page cache where the file system can).
    /// Offsets, lengths and buffer addresses must be multiples of 4,096 bytes.
    /// `Ok(None)` where that is not supported: use `open` and `sync_data`.
    fn open_durable(&self, path: &Path) -> io::Result<Option<Arc<dyn DiskFile>>>;
    /// True if the name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// The entries of a directory, sorted by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<DiskEntry>>;
    /// Renames within one file system, replacing `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all below it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that may still be written on the file system of `path`.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// A file as memory, for who reads a little here and there.
pub trait FileMapping: Debug + Send + Sync + 'static {
    /// What lies there, without a copy. What the disk has to say is the call's error.
    fn bytes(&self, range: Range<u64>) -> io::Result<&[u8]>;

    /// Bytes of the file when it was mapped.
    fn len(&self) -> u64;

    /// True when the length is 0.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An open file. Positions are bytes from the start; there is no cursor.
pub trait DiskFile: Debug + Send + Sync + 'static {
    /// The present length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// True when the length is 0.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reads up to `buffer.len()` bytes at `position`; fewer only at the end of
    /// the file.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Writes all of `bytes` at `position`, extending the file if needed. On an
    /// error any part may have been written.
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes written bytes, and the length they need, durable (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;
    /// Makes everything durable, length cuts included (`fsync`).
    fn sync_all(&self) -> io::Result<()>;

    /// All that the file has now as memory; `None` where that is not supported: use
    /// `read_at`. The caller asks the mapping only for bytes that nobody changes or cuts
    /// off any more. It outlives the file's name.
    fn map(&self) -> io::Result<Option<Arc<dyn FileMapping>>> {
        Ok(None)
    }

    /// The first position from `position` on that may hold something but zeros; none
    /// if there is none before the end. Files with holes are read in little time
    /// with it; where the file system does not tell, every position may.
    fn next_data(&self, position: u64) -> io::Result<Option<u64>> {
        Ok(Some(position).filter(|position| self.len().is_ok_and(|len| *position < len)))
    }

    /// Reads exactly `buffer.len()` bytes or fails with `UnexpectedEof`.
    fn read_exact_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        let read = self.read_at(buffer, position)?;
        if read == buffer.len() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{read} of {} bytes at {position}", buffer.len()),
        ))
    }
}
