//! Nobody takes anything from an Obelisk whose directory is not the one that this
//! node has followed. An Obelisk that was put back to an old state gives sessions,
//! values, lanes and numbers of logs a second time; so questions say how far the
//! asker has come, and the Obelisk compares before it acts: there is no moment in
//! which it could be believed by mistake.
//!
//! `Start` is asked without: tokens have their own memory. `Echo` and `Status`
//! change and promise nothing.

use crate::pharaoh::Pharaoh;
use crate::protocol::Request;
use pyralog_directory::{Directory, Holding};
use pyralog_model::{ApiError, ErrorCode};
use std::time::Duration;

impl Request {
    /// The question itself, if whoever asks has followed `directory`, or none.
    ///
    /// # Errors
    /// `directory-diverged` if they have followed another one, or are ahead;
    /// `request-invalid` for a nested one.
    pub fn verified(self, directory: &Directory) -> Result<Request, ApiError> {
        let Request::Knowing { known, request } = self else { return Ok(self) };
        if matches!(*request, Request::Knowing { .. }) {
            let message = "a question says once how far the asker has come";
            return Err(ApiError::new(ErrorCode::RequestInvalid, message));
        }
        match directory.holds(&known) {
            Holding::No => Err(diverged(known.index, directory.last_index())),
            // What is older than any checkpoint cannot be told from what is ours.
            Holding::Yes | Holding::Unknown => Ok(*request),
        }
    }

    fn is_asked_by_anybody(&self) -> bool {
        matches!(
            self,
            Request::Echo(_) | Request::Start(_) | Request::Status | Request::Knowing { .. }
        )
    }
}

/// What a follower at index `theirs` is told by an Obelisk at `ours` that has
/// another directory.
pub fn diverged(theirs: u64, ours: u64) -> ApiError {
    let message = format!(
        "the Obelisk's directory (at index {ours}) is not the one that this node has followed to \
         index {theirs}: it is older (restored from a backup?) or another one. Nothing is taken \
         from it; existing logs are served. Put the newer obelisk/directory.redb back, with the \
         arena beside it"
    );
    ApiError::new(ErrorCode::DirectoryDiverged, message)
}

impl Pharaoh {
    /// Adds what this node knows of the directory, if it knows anything.
    ///
    /// # Errors
    /// `unavailable` if the node's copy is not read within `patience`: before that
    /// it would take anything from anybody.
    pub(crate) async fn knowing(
        &self,
        request: Request,
        patience: Duration,
    ) -> Result<Request, ApiError> {
        if request.is_asked_by_anybody() {
            return Ok(request);
        }
        let hub = self.hub();
        // Who has a lane of its own has a copy beside it.
        if self.shared().lane.is_kept() {
            hub.opened(patience).await?;
        }
        let known = hub.directory().known();
        match known.index {
            0 => Ok(request),
            _ => Ok(Request::Knowing { known, request: Box::new(request) }),
        }
    }
}
