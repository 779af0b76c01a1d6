//! The nonces of hellos that this process has under way: one that comes in
//! at its own door means that it dialled itself.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The set. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Nonces(Arc<Mutex<HashSet<[u8; 16]>>>);

/// One nonce, forgotten when dropped.
pub(crate) struct UnderWay {
    nonces: Nonces,
    nonce: [u8; 16],
}

impl Nonces {
    pub(crate) fn send(&self, nonce: [u8; 16]) -> UnderWay {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(nonce);
        UnderWay { nonces: self.clone(), nonce }
    }

    pub(crate) fn holds(&self, nonce: &[u8; 16]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(nonce)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.nonces.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.nonce);
    }
}
