//! Whoever can be asked: an Obelisk in this process, or one behind a link.

use crate::protocol::{AskOutcome, Request};
use std::pin::Pin;

/// A future that can be kept.
pub type Asked = Pin<Box<dyn Future<Output = AskOutcome> + Send>>;

/// Something that answers requests. It outlives the actors behind it: while they
/// restart it answers `unavailable`.
pub trait Ask: Send + Sync + 'static {
    /// Asks. Dropping the future does not undo the request.
    fn ask(&self, request: Request) -> Asked;
}
