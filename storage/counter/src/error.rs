//! What can go wrong with the files that bounds are kept in.

use pyralog_model::{ApiError, CounterNumber, ErrorCode};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why an arena or a bound file did not do what it was asked.
#[derive(Debug, Error)]
pub enum CounterError {
    /// The disk failed in a way that may be asked again: nothing was issued.
    #[error("{path}: {doing}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done to it.
        doing: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// No room for what has to be written. Nothing was issued; ask again when
    /// there is room.
    #[error("{path}: the disk is full; free some space and try again")]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file is none of ours, or both copies of its header are damaged.
    #[error("{path} is damaged or not a file of this kind: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The file was written by a newer program.
    #[error(
        "{path} has version {found}, this program reads up to {known}: use the program that wrote it"
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// The last version known here.
        known: u16,
    },
    /// Both durable copies of a counter's bound are damaged. Its other counters
    /// go on.
    #[error("counter {} is damaged: neither copy of its bound can be read", number.0)]
    CounterDamaged {
        /// The counter.
        number: CounterNumber,
    },
    /// Nobody has created this counter here.
    #[error("counter {} does not exist in the arena", number.0)]
    NotCreated {
        /// The counter.
        number: CounterNumber,
    },
    /// The arena has no slot for this number.
    #[error(
        "counter {} does not fit: the arena holds {counters_max}; raise counter_file_size", number.0
    )]
    NoSlot {
        /// The counter.
        number: CounterNumber,
        /// How many counters the file has slots for.
        counters_max: u64,
    },
    /// An earlier sync failed. What the kernel dropped is unknown, so nothing more
    /// is issued by this process.
    #[error("counters have stopped: {cause}; replace the disk or restart the node")]
    Failed {
        /// The first failure.
        cause: String,
    },
    /// It was closed.
    #[error("counters are closed: the node is stopping")]
    Closed,
}

impl CounterError {
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> CounterError {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull => CounterError::DiskFull { path: path.to_owned() },
            _ => CounterError::Io { path: path.to_owned(), doing, source },
        }
    }
}

impl From<&CounterError> for ApiError {
    fn from(error: &CounterError) -> ApiError {
        let code = match error {
            CounterError::NotCreated { .. } => ErrorCode::CounterNotFound,
            CounterError::NoSlot { .. } => ErrorCode::CountersExhausted,
            CounterError::DiskFull { .. } => ErrorCode::DiskFull,
            CounterError::Damaged { .. } | CounterError::CounterDamaged { .. } => {
                ErrorCode::StorageCorrupt
            }
            CounterError::Io { .. } | CounterError::Failed { .. } => ErrorCode::StorageFailed,
            CounterError::NewerVersion { .. } => ErrorCode::NotSupported,
            CounterError::Closed => ErrorCode::Unavailable,
        };
        ApiError::new(code, error.to_string())
    }
}
