//! Removing a segment's files by name.

use crate::LogError;
use crate::error::io_error;
use crate::partition_log::PartitionLog;
use crate::paths::by_base;
use crate::sessions::SNAPSHOT_EXTENSION;
use pyralog_model::Offset;
use std::path::Path;

/// The files that are derived from a segment.
pub(super) const INDEX_EXTENSIONS: [&str; 3] = ["offsets", "times", SNAPSHOT_EXTENSION];

/// Removes a segment and what is derived from it. The caller syncs the directory.
pub(super) fn remove_segment_files(log: &PartitionLog, base: Offset) -> Result<(), LogError> {
    for extension in INDEX_EXTENSIONS.iter().chain(&["segment"]) {
        remove_if_there(log, &by_base(&log.dir, base, extension))?;
    }
    Ok(())
}

pub(super) fn remove_if_there(log: &PartitionLog, path: &Path) -> Result<(), LogError> {
    if log.disk.exists(path).map_err(io_error("cannot look at", path))? {
        log.disk.remove_file(path).map_err(io_error("cannot remove", path))?;
    }
    Ok(())
}
