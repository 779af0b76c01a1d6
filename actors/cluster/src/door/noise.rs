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
    /// Logs why a connection led to no link, unless that was said of its address.
    pub(super) fn tell(&self, address: IpAddr, error: &ShakeError) {
        let reason = error.to_string();
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= ROWS_MAX {
            said.clear();
        }
        if !said.insert((address, reason.clone())) {
            return;
        }
        match error.refusal() {
            Some(refusal) if !refusal.passes() => {
                tracing::warn!(%address, reason, "a node was not linked");
            }
            _ => tracing::debug!(%address, reason, "a connection led to no link"),
        }
    }

    /// A link from this address stands: what was said is old.
    pub(super) fn forget(&self, address: IpAddr) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|(whose, _)| *whose != address);
    }
}
