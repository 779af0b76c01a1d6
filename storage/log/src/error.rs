//! What can go wrong between a caller and the disk.

use pyralog_model::{ApiError, Durability, ErrorCode, Offset, PartitionId};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// An error of the log.
#[derive(Debug, Clone, Error)]
pub enum LogError {
    /// The disk has no room. Nothing was stored; it may be tried again.
    #[error("the disk has no room for {what}; free some space, writes resume by themselves")]
    DiskFull {
        /// What was being written.
        what: String,
    },
    /// A write or sync failed earlier: this store acknowledges nothing more.
    #[error(
        "the store stopped after a failed write or sync ({cause}); restart the node once the disk is sound"
    )]
    Failed {
        /// The first error.
        cause: String,
    },
    /// The disk answered with an error that is not fatal to the store.
    #[error("{what} {path}: {cause}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        cause: String,
    },
    /// Stored bytes are not what was written. Never served, never cut away.
    #[error("{path} is corrupt at byte {position}: {what}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it, in bytes.
        position: u64,
        /// What is wrong.
        what: String,
    },
    /// The submission belongs to an older incarnation of the partition.
    #[error("partition {partition} has moved on to generation {generation}")]
    Fenced {
        /// The partition.
        partition: PartitionId,
        /// Its present generation.
        generation: u64,
    },
    /// The log promises something else than what was asked of it.
    #[error("partition {partition} is one of durability {durability}, for which that is not done")]
    Durability {
        /// The partition.
        partition: PartitionId,
        /// What its log promises.
        durability: Durability,
    },
    /// The store is closing or restarting.
    #[error("the store is closing; try again")]
    Closed,
    /// The partition is not open in this store.
    #[error("partition {0} is not open")]
    NotOpen(PartitionId),
    /// No record lies at the offset.
    #[error("offset {from} is outside {start}..{end}")]
    OutOfRange {
        /// The offset asked for.
        from: Offset,
        /// The first offset that is kept.
        start: Offset,
        /// The end of the log.
        end: Offset,
    },
    /// One append is larger than the WAL can take at once.
    #[error("an append of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Every WAL file is waiting for its segments to be written.
    #[error("the write-ahead log is full; its segments are being written")]
    WalFull,
}

/// True for an error that says "no room", which passes when space returns.
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Wraps an I/O error with what was being done to which file.
pub(crate) fn io_error<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> LogError + 'a {
    move |error| {
        if is_disk_full(&error) {
            LogError::DiskFull { what: path.display().to_string() }
        } else {
            LogError::Io { what, path: path.to_owned(), cause: error.to_string() }
        }
    }
}

/// A failed sync is final: the store must not believe the next one.
pub(crate) fn sync_error<'a>(path: &'a Path) -> impl FnOnce(io::Error) -> LogError + 'a {
    move |error| LogError::Failed { cause: format!("cannot sync {}: {error}", path.display()) }
}

impl From<LogError> for ApiError {
    fn from(error: LogError) -> ApiError {
        let code = match &error {
            LogError::DiskFull { .. } => ErrorCode::DiskFull,
            LogError::Failed { .. } | LogError::Io { .. } => ErrorCode::StorageFailed,
            LogError::Corrupt { .. } => ErrorCode::StorageCorrupt,
            LogError::Fenced { .. } => ErrorCode::Fenced,
            LogError::Closed | LogError::NotOpen(_) => ErrorCode::Unavailable,
            LogError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
            LogError::TooLarge { .. } => ErrorCode::RecordTooLarge,
            LogError::WalFull => ErrorCode::Overloaded,
            LogError::Durability { .. } => ErrorCode::Internal,
        };
        ApiError::new(code, error.to_string())
    }
}
