//! What can go wrong with a store, and what to do about it.

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
    pub(crate) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MetaError {
        let path = path.to_owned();
        move |source| MetaError::Disk { action, path, source }
    }

    pub(crate) fn corrupt(path: &Path, what: impl Into<String>) -> MetaError {
        MetaError::Corrupt { path: path.to_owned(), what: what.into() }
    }

    /// The disk's own error, if that is at the bottom of this one.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            MetaError::Disk { source, .. } => Some(source),
            MetaError::Database { source, .. } => match &**source {
                redb::Error::Io(source) => Some(source),
                _ => None,
            },
            _ => None,
        }
    }
}
