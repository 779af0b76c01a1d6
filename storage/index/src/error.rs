//! What can go wrong between an index and its disk.

use pyralog_model::{ApiError, ErrorCode};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// An error of the key index.
#[derive(Debug, Clone, Error)]
pub enum IndexError {
    /// The disk has no room. Nothing was changed; it may be tried again.
    #[error("the disk has no room for {what}; free some space, the index catches up by itself")]
    DiskFull {
        /// What was being written.
        what: String,
    },
    /// The disk answered with an error.
    #[error("{what} {path}: {cause}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        cause: String,
    },
    /// A sync failed: the file is not used, and another is written in its place.
    #[error("cannot sync {path}: {cause}")]
    SyncFailed {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        cause: String,
    },
    /// Stored bytes are not what was written. The file is to be built again.
    #[error("{path} is damaged at byte {position}: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it, in bytes.
        position: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The file was written by a newer program.
    #[error("{path} has version {found}, this program reads up to {known}")]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The newest version that is known here.
        known: u16,
    },
    /// Files that do not belong together were to be merged, or an input breaks a rule.
    #[error("an index cannot be built: {what}")]
    Unfit {
        /// Which rule was broken.
        what: &'static str,
    },
}

impl IndexError {
    /// True if the file's bytes are at fault, and building it again will help.
    pub fn is_damage(&self) -> bool {
        matches!(self, IndexError::Damaged { .. })
    }
}

/// Wraps an I/O error with what was being done to which file.
pub(crate) fn io_error<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> IndexError + 'a {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            IndexError::DiskFull { what: path.display().to_string() }
        }
        // A file shorter than what it says it holds.
        io::ErrorKind::UnexpectedEof => {
            IndexError::Damaged { path: path.to_owned(), position: 0, what: "it ends too early" }
        }
        _ => IndexError::Io { what, path: path.to_owned(), cause: error.to_string() },
    }
}

/// A failed sync: whatever was to be durable is not.
pub(crate) fn sync_error<'a>(path: &'a Path) -> impl FnOnce(io::Error) -> IndexError + 'a {
    move |error| IndexError::SyncFailed { path: path.to_owned(), cause: error.to_string() }
}

impl From<IndexError> for ApiError {
    fn from(error: IndexError) -> ApiError {
        let code = match &error {
            IndexError::DiskFull { .. } => ErrorCode::DiskFull,
            IndexError::Damaged { .. } => ErrorCode::StorageCorrupt,
            IndexError::Io { .. }
            | IndexError::SyncFailed { .. }
            | IndexError::NewerVersion { .. }
            | IndexError::Unfit { .. } => ErrorCode::StorageFailed,
        };
        ApiError::new(code, error.to_string())
    }
}
