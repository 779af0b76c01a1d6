//! The kernel's file system for those who only look: files are opened for
//! reading, and everything that would change one is refused before the kernel
//! is asked. A tool that is given this disk cannot write by mistake, and it works
//! on file systems that are mounted read-only.

use super::file::RealFile;
use crate::{Disk, DiskEntry, DiskFile, RealDisk};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

/// The kernel's file system, of which nothing is changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnlyDisk;

fn refused<T>() -> io::Result<T> {
    Err(ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for ReadOnlyDisk {
    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn create(&self, _: &Path) -> io::Result<Arc<dyn DiskFile>> {
        refused()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = File::open(path)?;
        // Opening a directory works, and reading it says only that it is one.
        if file.metadata()?.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        Ok(Arc::new(RealFile::new(file)))
    }

    fn open_durable(&self, _: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
        Ok(None)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DiskEntry>> {
        RealDisk.list(dir)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove_file(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove_dir_all(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        RealDisk.free_bytes(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_be_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, b"kept").unwrap();
        let file = ReadOnlyDisk.open(&path).unwrap();
        assert!(file.write_all_at(b"lost", 0).is_err() && file.set_len(0).is_err());
        assert!(ReadOnlyDisk.create(&dir.path().join("g")).is_err());
        assert!(ReadOnlyDisk.rename(&path, &dir.path().join("g")).is_err());
        assert!(ReadOnlyDisk.remove_file(&path).is_err());
        assert!(ReadOnlyDisk.remove_dir_all(dir.path()).is_err());
        assert!(ReadOnlyDisk.create_dir_all(&dir.path().join("d")).is_err());
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!((&bytes, ReadOnlyDisk.list(dir.path()).unwrap().len()), (b"kept", 1));
        assert!(ReadOnlyDisk.open(dir.path()).is_err());
    }
}
