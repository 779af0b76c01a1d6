//! The directory of a `dev` node that was given none.
//!
//! It lies under the system's temporary directory with a name of ours, goes
//! away on a clean end, and is removed by the next `dev` otherwise: the lock of
//! a process that has died is free.

use super::DataDirectoryError;
use pyralog_env::{DirectoryLock, Disk, Entropy};
use std::fs;
use std::path::{Path, PathBuf};

const PREFIX: &str = "pyralog-dev-";

/// A directory that exists only for one run.
#[derive(Debug)]
pub struct TemporaryDirectory {
    path: PathBuf,
}

impl TemporaryDirectory {
    /// Makes one below `parent`, after removing those whose process has died.
    pub fn create(
        disk: &dyn Disk,
        parent: &Path,
        entropy: &dyn Entropy,
    ) -> Result<TemporaryDirectory, DataDirectoryError> {
        remove_stale(disk, parent);
        let path = parent.join(format!("{PREFIX}{:016x}", entropy.next_u64()));
        disk.create_dir_all(&path).map_err(DataDirectoryError::io("create", &path))?;
        Ok(TemporaryDirectory { path })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, after whatever used it has been dropped.
    pub fn remove(self, disk: &dyn Disk) -> Result<(), DataDirectoryError> {
        disk.remove_dir_all(&self.path).map_err(DataDirectoryError::io("remove", &self.path))
    }
}

/// Removes what earlier runs left. A directory without `node.toml` is left
/// alone: its run may be just about to lock it. Failures are not errors of this
/// run.
fn remove_stale(disk: &dyn Disk, parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let named_by_us =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if !named_by_us || !path.join("node.toml").is_file() {
            continue;
        }
        // Held while removing, so that nobody can lock it in between.
        match DirectoryLock::acquire(&path) {
            Ok(_lock) => match disk.remove_dir_all(&path) {
                Ok(()) => {
                    tracing::info!(path = %path.display(), "removed what an earlier dev node left")
                }
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove what an earlier dev node left")
                }
            },
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "another dev node is running")
            }
        }
    }
}
