//! Where the door gets sessions for producers.

use pyralog_model::{ApiError, SessionId};
use std::future::Future;
use std::pin::Pin;

/// Gives out sessions.
pub trait Sessions: Send + Sync {
    /// A session that was never given before and never will be again.
    fn next(&self) -> Pin<Box<dyn Future<Output = Result<SessionId, ApiError>> + Send>>;
}
