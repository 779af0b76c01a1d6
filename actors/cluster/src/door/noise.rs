//! What was said about whom: a peer that knocks all day is logged once.

use crate::handshake::ShakeError;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Rows kept at most; then all are forgotten and may be said again.
const ROWS_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Noise(Mutex<HashSet<(IpAddr, String)>>);

impl Noise {
    /// Logs why a connection led to no link, unless that was said of its address;
    /// whether it was news.
    pub(super) fn tell(&self, address: IpAddr, error: &ShakeError) -> bool {
        let reason = error.to_string();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= ROWS_MAX {
            said.clear();
        }
        if !said.insert((address, reason.clone())) {
            return false;
        }
        match error.refusal() {
            Some(refusal) if !refusal.passes() => {
                tracing::warn!(%address, reason, "a node was not linked");
            }
            _ => tracing::debug!(%address, reason, "a connection led to no link"),
        }
        true
    }

    /// A link from this address stands: what was said is old.
    pub(super) fn forget(&self, address: IpAddr) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|(whose, _)| *whose != address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Refusal;
    use crate::preamble::HandshakeError;

    fn refused(refusal: Refusal) -> ShakeError {
        HandshakeError::RefusedHere(refusal).into()
    }

    #[test]
    fn a_peer_that_knocks_all_day_is_logged_once() {
        let noise = Noise::default();
        let [a, b] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        assert!(noise.tell(a, &refused(Refusal::WrongCookie)));
        for _ in 0..100 {
            assert!(!noise.tell(a, &refused(Refusal::WrongCookie)));
        }
        assert!(noise.tell(a, &refused(Refusal::OtherCluster)), "another reason");
        assert!(noise.tell(b, &refused(Refusal::WrongCookie)), "another peer");
        noise.forget(a);
        assert!(noise.tell(a, &refused(Refusal::WrongCookie)), "after a good link it is news");
        assert!(!noise.tell(b, &refused(Refusal::WrongCookie)));
    }

    #[test]
    fn what_was_said_is_bounded() {
        let noise = Noise::default();
        for n in 0..10_000u32 {
            noise.tell(IpAddr::from(n.to_be_bytes()), &refused(Refusal::WrongCookie));
            assert!(noise.0.lock().unwrap().len() <= ROWS_MAX);
        }
    }
}
