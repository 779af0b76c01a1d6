//! A file read past the page cache.
//!
//! What the cache holds says nothing about the disk, and gigabytes that nobody asked
//! for would push out what readers need. Direct reads demand that position, length
//! and memory are multiples of a page; this takes any and rounds them.

use crate::segment::Segment;
use crate::wal::PAGE_BYTES;
use pyralog_env::{Disk, DiskFile};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};

/// The segment's file past the page cache, or as it is open already where the file
/// system has no such thing.
pub(super) fn open(disk: &dyn Disk, segment: &Segment) -> io::Result<Arc<dyn DiskFile>> {
    let cached = Arc::clone(&segment.file);
    Ok(match disk.open_durable(&segment.path)? {
        Some(direct) => Arc::new(Uncached { direct, cached, pages: Mutex::default() }),
        None => cached,
    })
}

#[derive(Debug)]
struct Uncached {
    direct: Arc<dyn DiskFile>,
    cached: Arc<dyn DiskFile>,
    /// Memory that is used again; its used part begins at a page.
    pages: Mutex<Vec<u8>>,
}

impl Uncached {
    /// As `read_at`, by whole pages.
    fn read_pages(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let page = PAGE_BYTES as u64;
        let begin = position / page * page;
        let skip = (position - begin) as usize;
        let len = (skip + buffer.len()).next_multiple_of(PAGE_BYTES);
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let capacity = pages.len().max(len + PAGE_BYTES);
        pages.resize(capacity, 0);
        let aligned = pages.as_ptr().align_offset(PAGE_BYTES);
        let pages = &mut pages[aligned..aligned + len];
        let read = self.direct.read_at(pages, begin)?.saturating_sub(skip).min(buffer.len());
        buffer[..read].copy_from_slice(&pages[skip..skip + read]);
        Ok(read)
    }
}

impl DiskFile for Uncached {
    fn len(&self) -> io::Result<u64> {
        self.cached.len()
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        match self.read_pages(buffer, position) {
            // A file system may refuse what another one takes: the end of a file, say.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                self.cached.read_at(buffer, position)
            }
            read => read,
        }
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_all(&self) -> io::Result<()> {
        Err(ErrorKind::ReadOnlyFilesystem.into())
    }
}
