//! Cells in mapped memory: a claim is one instruction on the page cache itself.
//! The one file with `unsafe`.
//!
//! What could go wrong with mapped files, and why it does not here: a store to a
//! page without disk space is a SIGBUS, so slots are written once when a counter
//! is created, and file systems that take new space for every change (btrfs, ZFS,
//! bcachefs) get buffered cells instead; a file cut shorter is a SIGBUS, but
//! nobody cuts it: the data directory is locked.
#![allow(unsafe_code)]

use super::{BufferedSource, CellSource, Cells, View};
use memmap2::{MmapOptions, MmapRaw};
use pyralog_env::DiskFile;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

// Words are little-endian in the file, and cells are words of the machine.
const _: () = assert!(cfg!(target_endian = "little"), "the arena needs a little-endian machine");

/// Maps the file, where the file system can be trusted with that.
#[derive(Debug, Clone, Copy, Default)]
pub struct MappedSource;

impl CellSource for MappedSource {
    fn open(&self, path: &Path, file: &Arc<dyn DiskFile>) -> io::Result<Arc<dyn Cells>> {
        let mapped = OpenOptions::new().read(true).write(true).open(path)?;
        let cells = MappedCells { file: mapped };
        // Some file systems refuse shared mappings: found out here, once.
        if copies_on_write(&cells.file) || cells.view(0, 4096).is_err() {
            return BufferedSource.open(path, file);
        }
        Ok(Arc::new(cells))
    }
}

/// Magic numbers of statfs(2).
const COPY_ON_WRITE: [u32; 3] = [0x9123_683e, 0x2fc1_2fc1, 0xca45_1a4e];

fn copies_on_write(file: &File) -> bool {
    // Only the low half is the number; its sign and width vary by platform.
    rustix::fs::fstatfs(file).is_ok_and(|stat| COPY_ON_WRITE.contains(&(stat.f_type as u32)))
}

#[derive(Debug)]
struct MappedCells {
    file: File,
}

impl Cells for MappedCells {
    fn view(&self, position: u64, bytes: usize) -> io::Result<Arc<dyn View>> {
        assert!(position.is_multiple_of(4096) && bytes.is_multiple_of(4096) && bytes > 0);
        if position + bytes as u64 > self.file.metadata()?.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let map = MmapOptions::new().offset(position).len(bytes).map_raw(&self.file)?;
        Ok(Arc::new(MappedView { map }))
    }

    fn flush(&self) -> io::Result<()> {
        // The kernel counts pages changed through a mapping among the dirty pages
        // of the file, mapped still or not: the sync that follows takes them.
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "mapped"
    }
}

#[derive(Debug)]
struct MappedView {
    map: MmapRaw,
}

impl View for MappedView {
    fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.map.len() / 8, "word {index} of {}", self.map.len() / 8);
        let word = self.map.as_mut_ptr().cast::<u64>().wrapping_add(index);
        // SAFETY: `word` lies in a shared, writable mapping that lives as long as
        // `self` (the assertion keeps it inside), at a multiple of 8 (mappings begin
        // at a page). All access to it in this process is through such atomics, or
        // by the kernel for reads and writes of the file.
        unsafe { AtomicU64::from_ptr(word) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::{Disk, RealDisk};
    use std::sync::atomic::Ordering;

    #[test]
    fn words_are_those_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cells");
        let file = RealDisk.create(&path).unwrap();
        file.set_len(1 << 16).unwrap();
        let cells = MappedSource.open(&path, &file).unwrap();
        let view = cells.view(4096, 8192).unwrap();
        view.word(1023).store(0x0102, Ordering::Relaxed);
        drop(view);
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 4096 + 1023 * 8).unwrap();
        assert_eq!(bytes, [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(cells.view(4096, 4096).unwrap().word(511).load(Ordering::Relaxed), 0);
        assert!(cells.view(1 << 16, 4096).is_err());
    }
}
