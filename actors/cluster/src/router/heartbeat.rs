//! The heartbeat: a call that the router answers itself.
//!
//! ```text
//!   call   0 16  sender's store     reply   0 16  cluster, 0 not known
//!         16  8  sender's boot             16  4  node, 0 not known
//!         24 20  as in the reply
//! ```
//!
//! It carries what may have become known since the handshake.

use crate::SelfIdentity;
use pyralog_model::{Boot, ClusterId, NodeNumber, StoreId};

/// The service's number.
pub(crate) const HEARTBEAT: u16 = 0;

const KNOWN_BYTES: usize = 20;
const HEARTBEAT_BYTES: usize = 24 + KNOWN_BYTES;

/// What a node learns about itself while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub cluster: Option<ClusterId>,
    pub node: Option<NodeNumber>,
}

/// The call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    pub store: StoreId,
    pub boot: Boot,
    pub known: Known,
}

impl Known {
    pub(crate) fn of(identity: &SelfIdentity) -> Known {
        Known { cluster: identity.cluster, node: identity.node }
    }

    pub(crate) fn encode(&self) -> [u8; KNOWN_BYTES] {
        let mut out = [0; KNOWN_BYTES];
        out[..16].copy_from_slice(&self.cluster.map_or(0, |id| id.0).to_be_bytes());
        out[16..].copy_from_slice(&self.node.map_or(0, |node| node.0).to_be_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Known> {
        let bytes: &[u8; KNOWN_BYTES] = bytes.try_into().ok()?;
        let cluster = u128::from_be_bytes(*bytes.first_chunk()?);
        let node = u32::from_be_bytes(*bytes.last_chunk()?);
        Some(Known {
            cluster: (cluster != 0).then_some(ClusterId(cluster)),
            node: (node != 0).then_some(NodeNumber(node)),
        })
    }
}

impl Heartbeat {
    pub(crate) fn of(identity: &SelfIdentity) -> Heartbeat {
        Heartbeat { store: identity.store, boot: identity.boot, known: Known::of(identity) }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEARTBEAT_BYTES);
        out.extend_from_slice(&self.store.0.to_be_bytes());
        out.extend_from_slice(&self.boot.0.to_be_bytes());
        out.extend_from_slice(&self.known.encode());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Heartbeat> {
        let (store, rest) = bytes.split_first_chunk()?;
        let (boot, rest) = rest.split_first_chunk()?;
        Some(Heartbeat {
            store: StoreId(u128::from_be_bytes(*store)),
            boot: Boot(u64::from_be_bytes(*boot)),
            known: Known::decode(rest)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_survive_and_other_lengths_are_none() {
        let known = Known { cluster: Some(ClusterId(9)), node: None };
        let heartbeat = Heartbeat { store: StoreId(5), boot: Boot(6), known };
        let bytes = heartbeat.encode();
        assert_eq!(Heartbeat::decode(&bytes), Some(heartbeat));
        for end in 0..bytes.len() {
            assert_eq!(Heartbeat::decode(&bytes[..end]), None);
        }
        assert_eq!(Heartbeat::decode(&[bytes, vec![0]].concat()), None);
    }
}
