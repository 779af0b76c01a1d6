//! An Obelisk behind a link.

use crate::ask::{Ask, Asked};
use crate::caller::Endpoint;
use crate::protocol::{OBELISK_SERVICE, Request};
use crate::wire::{decode_outcome, encode_request};
use pyralog_cluster::{CallError, Peer, PeerState};
use pyralog_model::{ApiError, ErrorCode};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take beyond what the request itself waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks through a peer of the control link.
pub struct LinkedObelisk {
    peer: Peer,
}

impl LinkedObelisk {
    /// The peer as an endpoint of the client, named as the operator named it.
    pub fn endpoint(peer: Peer) -> Endpoint {
        Endpoint { name: peer.endpoint().to_owned(), ask: Arc::new(LinkedObelisk { peer }) }
    }
}

impl Ask for LinkedObelisk {
    fn ask(&self, request: Request) -> Asked {
        let peer = self.peer.clone();
        Box::pin(async move {
            let patience = PATIENCE + own_wait(&request);
            let called = peer.call(OBELISK_SERVICE, encode_request(&request), patience).await;
            match called {
                Ok(bytes) => decode_outcome(&bytes),
                Err(error) => Err(translate(error, &peer)),
            }
        })
    }
}

fn own_wait(request: &Request) -> Duration {
    match request {
        Request::Changes { wait_ms, .. } => Duration::from_millis(u64::from(*wait_ms)),
        Request::Knowing { request, .. } => own_wait(request),
        _ => Duration::ZERO,
    }
}

fn translate(error: CallError, peer: &Peer) -> ApiError {
    let endpoint = peer.endpoint();
    match error {
        CallError::Down => down(peer),
        CallError::Overloaded => {
            ApiError::new(ErrorCode::Overloaded, format!("{endpoint}: {error}"))
        }
        CallError::Unknown => ApiError::new(ErrorCode::Timeout, format!("{endpoint}: {error}")),
        CallError::NoSuchService => ApiError::new(
            ErrorCode::ObeliskAway,
            format!("{endpoint} is no Obelisk, or is not ready: name one in pharaoh_endpoints"),
        ),
        CallError::TooLarge { .. } => {
            ApiError::new(ErrorCode::RequestInvalid, format!("{endpoint}: {error}"))
        }
    }
}

/// Why there is no link, as far as it is known.
fn down(peer: &Peer) -> ApiError {
    let endpoint = peer.endpoint();
    match peer.state() {
        PeerState::Refused { reason, .. } => ApiError::new(
            ErrorCode::PeerRefused,
            format!("{endpoint} and this node refuse each other: {reason}"),
        ),
        PeerState::Connecting { last_error: Some(why), .. } => {
            ApiError::new(ErrorCode::ObeliskAway, format!("{endpoint}: {why}"))
        }
        PeerState::Silent { .. } => {
            ApiError::new(ErrorCode::ObeliskAway, format!("{endpoint} is silent"))
        }
        PeerState::Connecting { .. } | PeerState::Up { .. } => {
            ApiError::new(ErrorCode::ObeliskAway, format!("{endpoint} is not linked yet"))
        }
    }
}
