//! The rows of the directory.

use pyralog_model::{LogName, LogNumber, LogSettings, NodeName, NodeNumber, StoreId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most partitions one log has.
pub const PARTITIONS_MAX: u32 = 10_000;

/// What a node does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Coordinates.
    pub obelisk: bool,
    /// Keeps data.
    pub pyramid: bool,
}

/// A member of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Given by the directory, from 1, never reused.
    pub number: NodeNumber,
    /// Given by the operator.
    pub name: NodeName,
    /// Its data directory.
    pub store: StoreId,
    /// Door to `host:port`.
    pub advertised: BTreeMap<String, String>,
}

/// A log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Given by the directory, from 1, never reused.
    pub number: LogNumber,
    /// Given by a user; free again when the log is deleted.
    pub name: LogName,
    /// How many partitions it has, numbered from 0.
    pub partitions: u32,
    /// How many nodes hold each of them.
    pub replication_factor: u16,
    /// Its settings.
    pub settings: LogSettings,
    /// One of the cluster's own.
    pub internal: bool,
}

/// Which nodes hold one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Raised by every change of the replica set, from 1, so that a node can
    /// tell an old set from a new one with the same members.
    pub generation: u64,
    /// The nodes, in chain order: the first takes the writes.
    pub replicas: Vec<NodeNumber>,
}
