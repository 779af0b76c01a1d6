//! An error as a user meets it: a public code and a sentence. Crates keep typed
//! errors of their own and turn them into this where a door or a peer is near.

use crate::ErrorCode;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A public code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
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

    /// `what` does not serve at the moment and will again.
    pub fn unavailable(what: &str) -> ApiError {
        let message = format!("{what} is starting, restarting or stopping; try again");
        ApiError::new(ErrorCode::Unavailable, message)
    }
}
