//! Writes a database anew before it is believed.
//!
//! A process that saw a sync fail stops. The one after it reads the page cache
//! of the same kernel, which may still show pages that the disk never got and
//! that no later sync will write. A copy is dirty from its first byte to its
//! last, so one successful sync says that the disk has all of what was read.

use crate::MetaError;
use pyralog_env::{Disk, DiskFile};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A database beyond this is not one of ours, which hold a few megabytes.
pub(crate) const FILE_BYTES_MAX: u64 = 4 << 30;

const CHUNK_BYTES: u64 = 64 << 10;

/// Where a file is built before it has its name.
pub(crate) fn building_path(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Removes what a cut left of an earlier building: it never had its real name,
/// so nobody relied on it.
pub(crate) fn remove_leftover(disk: &dyn Disk, new: &Path) -> Result<(), MetaError> {
    if disk.exists(new).map_err(MetaError::disk("look for", new))? {
        disk.remove_file(new).map_err(MetaError::disk("remove", new))?;
    }
    Ok(())
}

/// Replaces the file by a copy that is durable. The caller syncs the directory:
/// until then either of the two may survive a cut, and both are whole.
pub(crate) fn rewrite(disk: &dyn Disk, path: &Path) -> Result<(), MetaError> {
    let old = disk.open(path).map_err(MetaError::disk("open", path))?;
    let bytes = old.len().map_err(MetaError::disk("measure", path))?;
    if bytes == 0 {
        return Err(MetaError::corrupt(path, "it is empty"));
    }
    if bytes > FILE_BYTES_MAX {
        return Err(MetaError::TooLarge { path: path.to_owned(), bytes, limit: FILE_BYTES_MAX });
    }
    let new = building_path(path);
    remove_leftover(disk, &new)?;
    let built = build(disk, path, &*old, bytes, &new);
    if built.is_err() {
        // A full disk wants its space back.
        let _ = disk.remove_file(&new);
    }
    built
}

fn build(
    disk: &dyn Disk,
    path: &Path,
    old: &dyn DiskFile,
    bytes: u64,
    new: &Path,
) -> Result<(), MetaError> {
    let copy = disk.create(new).map_err(MetaError::disk("create", new))?;
    copy.set_len(bytes).map_err(MetaError::disk("extend", new))?;
    let mut buffer = vec![0; CHUNK_BYTES as usize];
    for position in (0..bytes).step_by(CHUNK_BYTES as usize) {
        let chunk = &mut buffer[..CHUNK_BYTES.min(bytes - position) as usize];
        old.read_exact_at(chunk, position).map_err(MetaError::disk("read", path))?;
        // Holes stay holes.
        if chunk.iter().any(|byte| *byte != 0) {
            copy.write_all_at(chunk, position).map_err(MetaError::disk("write", new))?;
        }
    }
    copy.sync_all().map_err(MetaError::sync(new))?;
    disk.rename(new, path).map_err(MetaError::disk("rename", new))
}
