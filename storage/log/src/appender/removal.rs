//! Removing the files of segments by name.

use crate::LogError;
use crate::error::{io_error, sync_error};
use crate::partition_log::PartitionLog;
use crate::paths::SegmentName;
use crate::sessions::SNAPSHOT_EXTENSION;
use pyralog_env::Disk;
use pyralog_model::Offset;
use std::path::Path;

/// The files that are derived from a segment.
pub(super) const INDEX_EXTENSIONS: [&str; 3] = ["offsets", "times", SNAPSHOT_EXTENSION];

/// Removes a segment and what is derived from it. The caller syncs the directory.
pub(crate) fn remove_segment_files(log: &PartitionLog, name: SegmentName) -> Result<(), LogError> {
    for extension in INDEX_EXTENSIONS.iter().chain(&["segment"]) {
        remove_if_there(log, &name.file(&log.dir, extension))?;
    }
    Ok(())
}

/// Removes the files of segments before the one that begins at `first`: those that
/// `is_gone` knows, and what is derived from others, but not from `kept`, which tells
/// what producers' sessions there were. Where that is not known, nothing that is derived
/// goes.
pub(crate) fn remove_before(
    disk: &dyn Disk,
    dir: &Path,
    first: Offset,
    kept: Option<SegmentName>,
    is_gone: impl Fn(SegmentName) -> bool,
) -> Result<(), LogError> {
    let entries = disk.list(dir).map_err(io_error("cannot list", dir))?;
    let files = entries.iter().filter_map(|entry| SegmentName::of_file(&entry.name));
    let mut removed = false;
    for (name, extension) in files.filter(|(name, _)| name.base < first) {
        let goes = match extension {
            "segment" => is_gone(name),
            _ => kept.is_some_and(|kept| kept != name),
        };
        if goes {
            let path = name.file(dir, extension);
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
