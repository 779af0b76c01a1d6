//! A node becomes a member of its cluster: it registers its start with an
//! Obelisk, for as long as it takes until one answers.

use crate::pharaoh::Pharaoh;
use crate::protocol::{Answer, NodeStart, Request};
use pyralog_model::{ApiError, ClusterId, ErrorCode, Incarnation, NodeNumber};
use std::time::Duration;
use tokio::sync::watch;

/// One attempt, and the waits between attempts.
const ATTEMPT: Duration = Duration::from_secs(5);
const WAIT_FIRST: Duration = Duration::from_millis(100);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What the directory says of this start of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The cluster.
    pub cluster: ClusterId,
    /// The node's number.
    pub node: NodeNumber,
    /// This start.
    pub incarnation: Incarnation,
    /// The index at which the directory says so.
    pub index: u64,
}

impl Pharaoh {
    /// Registers this start of the node, and tries for ever until an Obelisk has
    /// said yes or no. What is leased to a member is leased from then on.
    ///
    /// `start.next` must be kept durably *before* this is called, next to the
    /// tokens in `start.presented`; when it returns a membership, `start.next`
    /// alone need be kept. It may be called again with the same start.
    ///
    /// # Errors
    /// `node-copied`, `node-name-taken` and other refusals, which are final.
    pub async fn join(&self, start: NodeStart) -> Result<Membership, ApiError> {
        let mut wait = WAIT_FIRST;
        let mut told = false;
        loop {
            match self.ask_within(Request::Start(start.clone()), ATTEMPT).await {
                Ok(Answer::Started { cluster, node, incarnation, index }) => {
                    let membership = Membership { cluster, node, incarnation, index };
                    self.clear_error();
                    self.set_membership(membership);
                    return Ok(membership);
                }
                Ok(other) => return Err(Pharaoh::unexpected(&other)),
                Err(error) if !is_passing(error.code) => return Err(error),
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%error, "not registered yet; it is tried again");
                    }
                    self.set_error(&error);
                }
            }
            tokio::time::sleep(self.jittered(wait)).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    /// What `join` has brought; `None` before.
    pub fn membership(&self) -> Option<Membership> {
        *self.shared().membership.borrow()
    }

    /// Told when the node becomes a member.
    pub fn watch_membership(&self) -> watch::Receiver<Option<Membership>> {
        self.shared().membership.subscribe()
    }

    fn set_membership(&self, membership: Membership) {
        self.shared().membership.send_replace(Some(membership));
        self.shared().changed.send_modify(|changes| *changes += 1);
    }
}

/// Whether it may be otherwise the next time.
pub(crate) fn is_passing(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::ObeliskAway
            | ErrorCode::Unavailable
            | ErrorCode::Timeout
            | ErrorCode::Overloaded
            | ErrorCode::Elsewhere
            | ErrorCode::PeerRefused
            | ErrorCode::DiskFull
    )
}
