//! The data directory that a file lies in, and its store, which checksums begin with.

use crate::data_directory::NodeFile;
use pyralog_env::Disk;
use pyralog_env::ReadOnlyDisk;
use pyralog_log::inspection::{SegmentHeader, WalHeader};
use pyralog_model::StoreId;
use std::path::{Path, PathBuf};

/// A segment lies four directories deep; one more for links.
const DEPTH_MAX: usize = 6;

/// The data directory that `path` lies in, if `node.toml` tells of one.
pub fn home_of(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let above = path.ancestors().take(DEPTH_MAX);
    above.filter(|dir| dir.join("node.toml").is_file()).map(Path::to_owned).next()
}

/// The store that a file is of: as `node.toml` says above it, else as a segment or
/// a file of the WAL says beside it.
pub fn store_of(path: &Path) -> Option<StoreId> {
    let home = home_of(path).and_then(|home| NodeFile::read(&ReadOnlyDisk, &home).ok().flatten());
    match home {
        Some(node) => Some(node.store),
        None => beside(path.parent()?),
    }
}

/// The store of the first file in `dir` whose header is whole and tells.
fn beside(dir: &Path) -> Option<StoreId> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let entries = ReadOnlyDisk.list(dir).ok()?;
    entries.iter().find_map(|entry| {
        let path = dir.join(&entry.name);
        let file = || ReadOnlyDisk.open(&path).ok();
        if entry.name.ends_with(".segment") {
            let (header, damage) = SegmentHeader::read(&*file()?, &path).ok()?;
            damage.is_none().then_some(header.store)
        } else if entry.name.ends_with(".wal") {
            let (header, damage) = WalHeader::read(&*file()?, &path).ok()?;
            damage.is_none().then_some(header.store)
        } else {
            None
        }
    })
}
