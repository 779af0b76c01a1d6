//! The first bytes of every connection between nodes: who is there, and proof.
//!
//! All four messages have fixed lengths and all numbers are big-endian, so a
//! reader knows what to read before it believes anything. Whoever dials speaks
//! first. Nothing is answered to bytes that are no preamble.
//!
//! ```text
//!      dialler                                      acceptor
//!         │  hello, 80 bytes                            │
//!         ├────────────────────────────────────────────▶│
//!         │  answer, 12; when it goes on: welcome, 96   │
//!         │◀────────────────────────────────────────────┤
//!         │  proof, 32                                  │
//!         ├────────────────────────────────────────────▶│
//!         │  answer, 12                                 │
//!         │◀────────────────────────────────────────────┤
//!         │  frames of the control link, both ways      │
//!
//!   hello   0  8  magic "PYRALINK"        answer   0  8  magic "PYRALINK"
//!           8  2  lowest version                   8  1  0 go on, else a refusal,
//!          10  2  highest version                         after which it closes
//!          12  1  kind: 1 control, 2 bulk          9  1  zero
//!          13  1  roles: 1 obelisk, 2 pyramid     10  2  version, 0 in a refusal
//!          14  2  zero
//!          16 16  cluster, 0 not known   welcome   0 16  cluster, 0 not known
//!          32  4  node, 0 not known               16  4  node, 0 not known
//!          36 16  store                           20 16  store
//!          52  8  boot                            36  8  boot
//!          60  4  zero                            44  1  roles
//!          64 16  nonce                           45  3  zero
//!                                                 48 16  nonce
//!   proof   0 32  see below                       64 32  proof
//! ```
//!
//! A proof is HMAC-SHA-256 with the cookie as the key over a label
//! (`pyralog link acceptor` or `pyralog link dialler`), the hello, the answer
//! and the first 64 bytes of the welcome: both nonces, both identities and the
//! version, so that nothing of it can be replayed, swapped or reflected. Proofs
//! are compared in constant time. A dialler that does not believe the acceptor
//! sends 32 zeros, so that both sides can say that the cookies differ.

mod acceptor;
mod dialler;
mod message;
mod proof;
#[cfg(test)]
mod tests;

pub use acceptor::{AcceptorHandshake, Heard};
pub use dialler::DiallerHandshake;
pub use message::{Answer, Hello, Kind, Welcome};
pub use proof::{Side, prove, verify};

use crate::Refusal;

/// The first bytes of hello and answer.
pub const MAGIC: [u8; 8] = *b"PYRALINK";
/// The lowest version that this build speaks.
pub const VERSION_MIN: u16 = 1;
/// The highest version that this build speaks.
pub const VERSION_MAX: u16 = 1;
/// Bytes of a hello.
pub const HELLO_BYTES: usize = 80;
/// Bytes of an answer.
pub const ANSWER_BYTES: usize = 12;
/// Bytes of a welcome.
pub const WELCOME_BYTES: usize = 96;
/// Bytes of a welcome that its proof covers.
pub const WELCOME_PROVEN_BYTES: usize = 64;
/// Bytes of a proof.
pub const PROOF_BYTES: usize = 32;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 16;

/// Why a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The other side speaks something else.
    #[error("{0}: is the address that of another service?")]
    Garbled(&'static str),
    /// The other side refused.
    #[error("the peer refuses the link: {0}")]
    RefusedByPeer(Refusal),
    /// This side refused.
    #[error("the link was refused: {0}")]
    RefusedHere(Refusal),
}

impl HandshakeError {
    /// The refusal, whoever spoke it.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            HandshakeError::Garbled(_) => None,
            HandshakeError::RefusedByPeer(refusal) | HandshakeError::RefusedHere(refusal) => {
                Some(*refusal)
            }
        }
    }
}
