//! The kernel's file system.
//!
//! Nothing here is clever: each method is the system call that keeps the
//! trait's promise. Files are 0600 and directories 0700, because records are
//! nobody else's business.

use super::file::RealFile;
use crate::{Disk, DiskEntry, DiskFile};
use rustix::fs::{AtFlags, OFlags, StatxFlags, statx};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// The kernel's file system, with paths as the process sees them.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl RealDisk {
    fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        options
    }
}

impl Disk for RealDisk {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk::options().create_new(true).open(path)?;
        Ok(Arc::new(RealFile::new(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk::options().open(path)?;
        Ok(Arc::new(RealFile::new(file)))
    }

    fn open_durable(&self, path: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let flags = OFlags::DIRECT | OFlags::DSYNC;
        match RealDisk::options().custom_flags(flags.bits() as i32).open(path) {
            Ok(file) if aligns(&file) => Ok(Some(Arc::new(RealFile::new(file)))),
            Ok(_) => Ok(None),
            // What file systems without direct I/O answer (some FUSE and network
            // ones, tmpfs before Linux 6.6).
            Err(error) if unsupported(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DiskEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let is_dir = metadata.is_dir();
            let name = entry.file_name().to_string_lossy().into_owned();
            entries.push(DiskEntry { name, is_dir, len: if is_dir { 0 } else { metadata.len() } });
        }
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(path)?;
        // f_bavail leaves out what is kept for root: we are not root.
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// False where the kernel says that direct I/O is absent or coarser than the
/// trait's 4,096 bytes. Kernels before Linux 6.1 do not say: then the open that
/// worked has to do as an answer.
fn aligns(file: &File) -> bool {
    match statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::DIOALIGN) {
        Ok(stat) if stat.stx_mask & StatxFlags::DIOALIGN.bits() != 0 => {
            let fits = |align: u32| (1..=4096).contains(&align);
            fits(stat.stx_dio_mem_align) && fits(stat.stx_dio_offset_align)
        }
        _ => true,
    }
}

fn unsupported(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(code, Some(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn nobody_else_may_read() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        RealDisk.create_dir_all(&inner).unwrap();
        RealDisk.create(&inner.join("f")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir.path().join("a")), 0o700);
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(mode(&inner.join("f")), 0o600);
    }
}
