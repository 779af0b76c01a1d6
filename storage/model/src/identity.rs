//! Who is who. Placement, frames, file names and messages carry these numbers,
//! never names: a name may be given again, a number never is.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// 128 random bits, made when a cluster is founded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub u128);

/// 128 random bits, made with a data directory. A new disk is a new store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoreId(pub u128);

macro_rules! hex_identity {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({:032x})"), self.0)
            }
        }
        impl FromStr for $type {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                u128::from_str_radix(text, 16).map($type)
            }
        }
    };
}
hex_identity!(ClusterId);
hex_identity!(StoreId);

/// Counts the starts of a data directory; raised durably at each of them.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Boot(pub u64);

/// The name an operator gives a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeName(pub String);

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number the directory gives a node name; also its Kafka broker id. Never
/// reused.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct NodeNumber(pub u32);

/// The number the directory gives a log. Never reused.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogNumber(pub u64);

impl LogNumber {
    /// Kafka's topic id: the first 16 bytes of SHA-256 over cluster id and log
    /// number (both little-endian), marked as a version 8 UUID.
    pub fn topic_id(self, cluster: ClusterId) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(b"pyralog topic id");
        hash.update(cluster.0.to_le_bytes());
        hash.update(self.0.to_le_bytes());
        let mut id: [u8; 16] = hash.finalize()[..16].try_into().expect("32 bytes hold 16");
        id[6] = (id[6] & 0x0f) | 0x80;
        id[8] = (id[8] & 0x3f) | 0x80;
        id
    }
}

/// The number of a partition in its log, from 0.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PartitionNumber(pub u32);

/// One partition of one log.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PartitionId {
    /// The log.
    pub log: LogNumber,
    /// The partition in it.
    pub partition: PartitionNumber,
}

impl PartitionId {
    /// From plain numbers.
    pub fn new(log: u64, partition: u32) -> PartitionId {
        PartitionId { log: LogNumber(log), partition: PartitionNumber(partition) }
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.log.0, self.partition.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_ids_differ_by_cluster_and_log_and_stay() {
        let id = LogNumber(7).topic_id(ClusterId(1));
        assert_eq!(id, LogNumber(7).topic_id(ClusterId(1)));
        assert_ne!(id, LogNumber(8).topic_id(ClusterId(1)));
        assert_ne!(id, LogNumber(7).topic_id(ClusterId(2)));
        assert_ne!(id, [0; 16], "the zero UUID means 'no id' to Kafka");
    }

    #[test]
    fn ids_survive_their_text_form() {
        let id = ClusterId(0x00ff_0000_0000_0000_0000_0000_0000_0001);
        assert_eq!(id.to_string().parse::<ClusterId>().unwrap(), id);
        assert_eq!(id.to_string().len(), 32);
    }
}
