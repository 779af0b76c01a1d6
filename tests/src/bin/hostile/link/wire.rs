//! The link's preamble and ractor_cluster's handshake in bytes, from their
//! documentation: nothing here is shared with what is attacked.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

pub const MAGIC: &[u8; 8] = b"PYRALINK";
pub const ANSWER_BYTES: usize = 12;
pub const WELCOME_BYTES: usize = 96;
/// Of the welcome, what proofs cover.
const WELCOME_PROVEN_BYTES: usize = 64;

/// Who we say we are.
#[derive(Clone, Copy)]
pub struct Peer {
    pub cluster: u128,
    pub store: u128,
    pub boot: u64,
}

impl Peer {
    /// The first bytes of a link.
    pub fn hello(&self) -> [u8; 80] {
        let mut out = [0; 80];
        out[..8].copy_from_slice(MAGIC);
        // Versions 1 to 1, a control link, a Pyramid.
        out[8..14].copy_from_slice(&[0, 1, 0, 1, 1, 2]);
        out[16..32].copy_from_slice(&self.cluster.to_be_bytes());
        out[36..52].copy_from_slice(&self.store.to_be_bytes());
        out[52..60].copy_from_slice(&self.boot.to_be_bytes());
        // The nonce: whoever attacks needs no good one.
        out[64..72].copy_from_slice(&self.boot.to_be_bytes());
        out
    }

    /// The name in ractor_cluster.
    pub fn name(&self) -> String {
        let node = format!("{:032x}-{}", self.store, self.boot);
        format!("{node}@{node}")
    }

    /// Where the node looks for the actor that it may call.
    pub fn group(&self) -> String {
        format!("pyralog-router/{:032x}-{}", self.store, self.boot)
    }

    /// A heartbeat as the router hears it: service 0 and who beats.
    pub fn beat(&self) -> Vec<u8> {
        let mut out = vec![0, 0];
        out.extend_from_slice(&self.store.to_be_bytes());
        out.extend_from_slice(&self.boot.to_be_bytes());
        out.extend_from_slice(&self.cluster.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out
    }
}

/// The dialler's proof; `answered` is an answer and a welcome.
pub fn proof(cookie: &[u8; 32], hello: &[u8], answered: &[u8]) -> [u8; 32] {
    let covered = &answered[..ANSWER_BYTES + WELCOME_PROVEN_BYTES];
    mac(cookie, &[b"pyralog link dialler", hello, covered])
}

/// What ractor_cluster takes for a secret.
pub fn secret(cookie: &[u8; 32]) -> String {
    let derived = mac(cookie, &[b"pyralog ractor_cluster cookie"]);
    derived.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Its answer to a challenge.
pub fn digest(secret: &str, challenge: u32) -> [u8; 32] {
    Sha256::digest([&challenge.to_be_bytes()[..], secret.as_bytes()].concat()).into()
}

fn mac(cookie: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(cookie).expect("any key length is valid");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
