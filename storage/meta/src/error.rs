//! What can go wrong with a store, and what to do about it.

use crate::backend::is_no_room;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a store could not do what it was asked.
#[derive(Debug, Error)]
pub enum MetaError {
    /// The disk failed outside redb: making, renaming or syncing the file.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was being done.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// A write found no room. The store takes nothing more until it is opened
    /// again; whether the change was made is known then.
    #[error("the disk has no room for the store {}; free some space", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// As the disk says it.
        source: io::Error,
    },
    /// Something failed that a new start of the process must settle.
    #[error("the store {} saw the disk fail; restart the node once the disk is sound", path.display())]
    NotSound {
        /// The file.
        path: PathBuf,
    },
    /// The file is far larger than any of ours. Nothing was changed.
    #[error("the store {} has {bytes} bytes, over the limit of {limit}; restore it from a backup", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// redb failed, which includes the disk under it.
    #[error("the store {} failed: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What redb said.
        source: Box<redb::Error>,
    },
    /// The file is not what it should be. Nothing was changed.
    #[error("the store {} is damaged: {what}; restore it or start with an empty data directory", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A newer Pyralog wrote the file.
    #[error(
        "the store {} has format {found}, this program knows formats up to {known}; use the newer program",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The format in it.
        found: u64,
        /// The newest one we know.
        known: u64,
    },
    /// Commands or snapshots out of order: a mistake of the caller. Nothing was
    /// changed.
    #[error("index {found} was given where {expect} was due")]
    Order {
        /// The index that was due.
        expect: u64,
        /// The index that was given.
        found: u64,
    },
}

impl MetaError {
    /// For everything but a sync.
    pub(crate) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MetaError {
        let path = path.to_owned();
        move |source| match is_no_room(&source) {
            true => MetaError::DiskFull { path, source },
            false => MetaError::Disk { action, path, source },
        }
    }

    /// A sync that failed is final, whatever it says.
    pub(crate) fn sync(path: &Path) -> impl FnOnce(io::Error) -> MetaError {
        let path = path.to_owned();
        move |source| MetaError::Disk { action: "sync", path, source }
    }

    pub(crate) fn disk_full(path: &Path) -> MetaError {
        let source = io::ErrorKind::StorageFull.into();
        MetaError::DiskFull { path: path.to_owned(), source }
    }

    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> MetaError {
        MetaError::Corrupt { path: path.to_owned(), what: what.into() }
    }

    /// True if it passes when space returns: no sync has failed.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, MetaError::DiskFull { .. })
    }

    /// The disk's own error, if that is at the bottom of this one.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            MetaError::Disk { source, .. } | MetaError::DiskFull { source, .. } => Some(source),
            MetaError::Database { source, .. } => match &**source {
                redb::Error::Io(source) => Some(source),
                _ => None,
            },
            _ => None,
        }
    }
}
