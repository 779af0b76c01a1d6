//! The messages as values and as bytes.

use super::{
    ANSWER_BYTES, HELLO_BYTES, HandshakeError, MAGIC, NONCE_BYTES, PROOF_BYTES, WELCOME_BYTES,
};
use crate::{Refusal, SelfIdentity};
use pyralog_directory::Roles;
use pyralog_model::{Boot, ClusterId, NodeNumber, StoreId};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Messages between actors.
    Control,
    /// Record bytes.
    Bulk,
}

/// The dialler's first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// The lowest version it speaks.
    pub version_min: u16,
    /// The highest version it speaks.
    pub version_max: u16,
    /// What the connection is for.
    pub kind: Kind,
    /// Who it is.
    pub identity: SelfIdentity,
    /// Random bytes, for the proofs.
    pub nonce: [u8; NONCE_BYTES],
}

/// The acceptor's word after the hello and after the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on, in this version.
    GoOn(u16),
    /// Good-bye.
    Refused(Refusal),
}

/// The acceptor's introduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcome {
    /// Who it is.
    pub identity: SelfIdentity,
    /// Random bytes, for the proofs.
    pub nonce: [u8; NONCE_BYTES],
    /// That it has the cookie.
    pub proof: [u8; PROOF_BYTES],
}

impl Hello {
    /// The bytes.
    pub fn encode(&self) -> [u8; HELLO_BYTES] {
        let mut out = [0; HELLO_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&self.version_min.to_be_bytes());
        out[10..12].copy_from_slice(&self.version_max.to_be_bytes());
        out[12] = match self.kind {
            Kind::Control => 1,
            Kind::Bulk => 2,
        };
        out[13] = roles_byte(self.identity.roles);
        put_ids(&mut out[16..60], &self.identity);
        out[64..].copy_from_slice(&self.nonce);
        out
    }

    /// The value, if these bytes are a hello of any version.
    pub fn decode(bytes: &[u8; HELLO_BYTES]) -> Result<Hello, HandshakeError> {
        if bytes[..8] != MAGIC {
            return Err(HandshakeError::Garbled("this is no hello of a node"));
        }
        let [version_min, version_max] = [be16(&bytes[8..10]), be16(&bytes[10..12])];
        if version_min == 0 || version_min > version_max {
            return Err(HandshakeError::Garbled("the hello's versions are no range"));
        }
        let kind = match bytes[12] {
            1 => Kind::Control,
            2 => Kind::Bulk,
            _ => return Err(HandshakeError::Garbled("the hello is for no known kind of link")),
        };
        zeros(&bytes[14..16])?;
        zeros(&bytes[60..64])?;
        let identity = take_ids(&bytes[16..60], roles(bytes[13])?)?;
        let nonce = array(&bytes[64..]);
        Ok(Hello { version_min, version_max, kind, identity, nonce })
    }
}

impl Answer {
    /// The bytes.
    pub fn encode(&self) -> [u8; ANSWER_BYTES] {
        let mut out = [0; ANSWER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        match self {
            Answer::GoOn(version) => out[10..].copy_from_slice(&version.to_be_bytes()),
            Answer::Refused(refusal) => out[8] = refusal.code(),
        }
        out
    }

    /// The value, if these bytes are an answer.
    pub fn decode(bytes: &[u8; ANSWER_BYTES]) -> Result<Answer, HandshakeError> {
        if bytes[..8] != MAGIC {
            return Err(HandshakeError::Garbled("this is no answer of a node"));
        }
        Ok(match Refusal::from_code(bytes[8]) {
            Some(refusal) => Answer::Refused(refusal),
            None => Answer::GoOn(be16(&bytes[10..])),
        })
    }
}

impl Welcome {
    /// The bytes.
    pub fn encode(&self) -> [u8; WELCOME_BYTES] {
        let mut out = [0; WELCOME_BYTES];
        put_ids(&mut out[..44], &self.identity);
        out[44] = roles_byte(self.identity.roles);
        out[48..64].copy_from_slice(&self.nonce);
        out[64..].copy_from_slice(&self.proof);
        out
    }

    /// The value, if these bytes are a welcome.
    pub fn decode(bytes: &[u8; WELCOME_BYTES]) -> Result<Welcome, HandshakeError> {
        zeros(&bytes[45..48])?;
        Ok(Welcome {
            identity: take_ids(&bytes[..44], roles(bytes[44])?)?,
            nonce: array(&bytes[48..64]),
            proof: array(&bytes[64..]),
        })
    }
}

/// Cluster, node, store, boot: 44 bytes.
fn put_ids(out: &mut [u8], identity: &SelfIdentity) {
    out[..16].copy_from_slice(&identity.cluster.map_or(0, |id| id.0).to_be_bytes());
    out[16..20].copy_from_slice(&identity.node.map_or(0, |node| node.0).to_be_bytes());
    out[20..36].copy_from_slice(&identity.store.0.to_be_bytes());
    out[36..44].copy_from_slice(&identity.boot.0.to_be_bytes());
}

fn take_ids(bytes: &[u8], roles: Roles) -> Result<SelfIdentity, HandshakeError> {
    let cluster = u128::from_be_bytes(array(&bytes[..16]));
    let node = u32::from_be_bytes(array(&bytes[16..20]));
    let store = u128::from_be_bytes(array(&bytes[20..36]));
    if store == 0 {
        return Err(HandshakeError::Garbled("a node without a store"));
    }
    Ok(SelfIdentity {
        cluster: (cluster != 0).then_some(ClusterId(cluster)),
        node: (node != 0).then_some(NodeNumber(node)),
        store: StoreId(store),
        boot: Boot(u64::from_be_bytes(array(&bytes[36..44]))),
        roles,
    })
}

fn roles_byte(roles: Roles) -> u8 {
    u8::from(roles.obelisk) | u8::from(roles.pyramid) << 1
}

fn roles(byte: u8) -> Result<Roles, HandshakeError> {
    if byte > 3 {
        return Err(HandshakeError::Garbled("a node with unknown roles"));
    }
    Ok(Roles { obelisk: byte & 1 != 0, pyramid: byte & 2 != 0 })
}

fn zeros(bytes: &[u8]) -> Result<(), HandshakeError> {
    match bytes.iter().all(|byte| *byte == 0) {
        true => Ok(()),
        false => Err(HandshakeError::Garbled("something stands where zeros belong")),
    }
}

fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes(array(bytes))
}

/// The slices above are cut to measure from arrays.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("the slice has the length of the field")
}
