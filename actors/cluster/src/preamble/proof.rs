//! That a side has the cookie, without showing it.

use super::{ANSWER_BYTES, HELLO_BYTES, PROOF_BYTES, WELCOME_BYTES, WELCOME_PROVEN_BYTES};
use crate::cookie::Cookie;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Who proves. The labels differ, so that a proof cannot be sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who answered.
    Acceptor,
    /// Who called.
    Dialler,
}

impl Side {
    fn label(self) -> &'static [u8] {
        match self {
            Side::Acceptor => b"pyralog link acceptor",
            Side::Dialler => b"pyralog link dialler",
        }
    }
}

/// The proof of `side` for this exchange. The last bytes of `welcome`, where
/// the acceptor's proof stands, do not count.
pub fn prove(
    cookie: &Cookie,
    side: Side,
    hello: &[u8; HELLO_BYTES],
    answer: &[u8; ANSWER_BYTES],
    welcome: &[u8; WELCOME_BYTES],
) -> [u8; PROOF_BYTES] {
    mac(cookie, side, hello, answer, welcome).finalize().into_bytes().into()
}

/// Whether `proof` is that of `side`, compared in constant time.
pub fn verify(
    cookie: &Cookie,
    side: Side,
    hello: &[u8; HELLO_BYTES],
    answer: &[u8; ANSWER_BYTES],
    welcome: &[u8; WELCOME_BYTES],
    proof: &[u8; PROOF_BYTES],
) -> bool {
    mac(cookie, side, hello, answer, welcome).verify_slice(proof).is_ok()
}

fn mac(
    cookie: &Cookie,
    side: Side,
    hello: &[u8; HELLO_BYTES],
    answer: &[u8; ANSWER_BYTES],
    welcome: &[u8; WELCOME_BYTES],
) -> Hmac<Sha256> {
    cookie.mac(&[side.label(), hello, answer, &welcome[..WELCOME_PROVEN_BYTES]])
}
