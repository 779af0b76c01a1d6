//! Removing the files of segments by name.

use crate::LogError;
use crate::error::{io_error, sync_error};
use crate::partition_log::PartitionLog;
use crate::paths::{by_base, parts_of};
use crate::sessions::SNAPSHOT_EXTENSION;
use pyralog_env::Disk;
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

/// Removes every segment before the one that begins at `first`, and what is derived
/// from all but the last of them: that tells what producers' sessions there were.
pub(crate) fn remove_before(disk: &dyn Disk, dir: &Path, first: Offset) -> Result<(), LogError> {
    let entries = disk.list(dir).map_err(io_error("cannot list", dir))?;
    let parts = entries.iter().filter_map(|entry| parts_of(&entry.name));
    let before: Vec<(Offset, &str)> = parts.filter(|(base, _)| *base < first).collect();
    let last = before.iter().map(|(base, _)| *base).max();
    let mut removed = false;
    for (base, extension) in before {
        if extension == "segment" || Some(base) != last {
            let path = by_base(dir, base, extension);
            disk.remove_file(&path).map_err(io_error("cannot remove", &path))?;
            removed = true;
        }
    }
    match removed {
        true => disk.sync_dir(dir).map_err(sync_error(dir)),
        false => Ok(()),
    }
}

pub(super) fn remove_if_there(log: &PartitionLog, path: &Path) -> Result<(), LogError> {
    if log.disk.exists(path).map_err(io_error("cannot look at", path))? {
        log.disk.remove_file(path).map_err(io_error("cannot remove", path))?;
    }
    Ok(())
}
