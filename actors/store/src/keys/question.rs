//! What is asked about a key, what is answered, and why there may be no answer.

use bytes::Bytes;
use pyralog_env::Monotonic;
use pyralog_index::IndexError;
use pyralog_log::LogError;
use pyralog_model::{ApiError, ErrorCode, Offset, PartitionId, Record, ScarabId};
use thiserror::Error;

/// A question about a key in one partition.
#[derive(Debug, Clone)]
pub struct KeyQuestion {
    /// The key, as its producer sent it.
    pub key: Bytes,
    /// Records from this offset on do not count.
    pub below: Offset,
    /// The most records that are wanted; the newest come first.
    pub records_max: usize,
    /// No further record once their values come to so many bytes.
    pub bytes_max: usize,
    /// When whoever asks does not want the answer any more.
    pub deadline: Monotonic,
}

/// A record that has the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRecord {
    /// Where it lies.
    pub partition: PartitionId,
    /// Where in it.
    pub offset: Offset,
    /// Its id, if its batch has ids.
    pub scarab_id: Option<ScarabId>,
    /// The record; one without value says that the key is deleted.
    pub record: Record,
}

/// Why a key was not looked up.
#[derive(Debug, Clone, Error)]
pub enum KeysError {
    /// The records could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The index could not be read or opened.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The log keeps no index.
    #[error("the log keeps no index of its keys; `pyralog log alter LOG --set pyralog.keys=true`")]
    Off,
    /// Too much would have had to be scanned.
    #[error(
        "offsets {from}..{to} of partition {partition} are not indexed yet and could not be \
         scanned in time; the index is being built, ask again later"
    )]
    Behind {
        /// The partition.
        partition: PartitionId,
        /// Where the part begins that is not indexed.
        from: Offset,
        /// Where it ends.
        to: Offset,
    },
}

impl From<KeysError> for ApiError {
    fn from(error: KeysError) -> ApiError {
        match error {
            KeysError::Log(error) => error.into(),
            KeysError::Index(error) => error.into(),
            KeysError::Off => ApiError::new(ErrorCode::KeyIndexOff, error.to_string()),
            KeysError::Behind { .. } => ApiError::new(ErrorCode::Timeout, error.to_string()),
        }
    }
}
