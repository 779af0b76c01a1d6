//! The errors that doors translate: a public code and a sentence.

use pyralog_log::LogError;
use pyralog_model::ErrorCode;
use thiserror::Error;

/// An error as a user meets it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ApiError {
    /// The public code.
    pub code: ErrorCode,
    /// What happened, why, and what to do.
    pub message: String,
}

impl ApiError {
    /// From its two parts.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError { code, message: message.into() }
    }

    pub(crate) fn unavailable(what: &str) -> ApiError {
        let message = format!("{what} is starting, restarting or stopping; try again");
        ApiError::new(ErrorCode::Unavailable, message)
    }
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
        };
        ApiError::new(code, error.to_string())
    }
}
