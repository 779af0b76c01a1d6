//! A peer that this node dials: a handle that outlives every connection to it.

use crate::link::Link;
use crate::{PeerIdentity, Refusal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Bytes of a request or of a reply at most: both fit a frame of the link.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// How it stands with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerState {
    /// There is no link yet, or none any more.
    Connecting {
        /// The number of attempts since it was up, from 1; 0 before the first.
        attempt: u32,
        /// Why the last one failed.
        last_error: Option<String>,
    },
    /// Calls pass.
    Up {
        /// Who it is.
        identity: PeerIdentity,
    },
    /// The link stands, but nothing is heard.
    Silent {
        /// Who it was.
        identity: PeerIdentity,
    },
    /// It, or this node, refuses the link. Tried again every few seconds.
    Refused {
        /// Why, in one word.
        code: Refusal,
        /// Why, in a sentence.
        reason: String,
    },
}

/// Why a call has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no link, or a silent one: nothing was sent.
    #[error("there is no link to the peer")]
    Down,
    /// Too much is in flight, here or there: nothing was done.
    #[error("too many calls to the peer are in flight")]
    Overloaded,
    /// No answer came in time, or the link ended: it may have been done.
    #[error("the peer did not answer, so the outcome is not known")]
    Unknown,
    /// The peer does not offer this: nothing was done.
    #[error("the peer does not offer this service")]
    NoSuchService,
    /// The request does not fit: nothing was sent.
    #[error("a request of {bytes} bytes does not fit a frame of the link ({bytes_max})")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// The most that is taken.
        bytes_max: usize,
    },
}

/// The handle. Clones are the same peer.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    endpoint: String,
    state: watch::Sender<PeerState>,
    link: Mutex<Option<Arc<Link>>>,
}

impl Peer {
    pub(crate) fn new(endpoint: &str) -> Peer {
        let state = PeerState::Connecting { attempt: 0, last_error: None };
        Peer(Arc::new(Inner {
            endpoint: endpoint.to_owned(),
            state: watch::Sender::new(state),
            link: Mutex::new(None),
        }))
    }

    /// What is dialled, `host:port`.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }

    /// How it stands.
    pub fn state(&self) -> PeerState {
        self.0.state.borrow().clone()
    }

    /// How it stands, and every change.
    pub fn watch(&self) -> watch::Receiver<PeerState> {
        self.0.state.subscribe()
    }

    /// Calls a service of the peer and waits for at most `patience`. Dropping
    /// the future does not undo the call.
    pub async fn call(
        &self,
        service: u16,
        body: Vec<u8>,
        patience: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let link = self.link().ok_or(CallError::Down)?;
        link.call(service, body, patience).await
    }

    pub(crate) fn link(&self) -> Option<Arc<Link>> {
        self.0.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_link(&self, link: Option<Arc<Link>>) {
        *self.0.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    pub(crate) fn set_state(&self, state: PeerState) {
        self.0.state.send_if_modified(|now| {
            let changes = *now != state;
            *now = state;
            changes
        });
    }
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("endpoint", &self.0.endpoint).finish_non_exhaustive()
    }
}
