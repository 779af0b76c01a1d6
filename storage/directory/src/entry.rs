//! The rows of the directory.

use pyralog_model::{
    CounterMode, CounterName, CounterNumber, Incarnation, Lane, LogName, LogNumber, LogSettings,
    LogicalClock, NodeName, NodeNumber, Schema, StartToken, StoreId,
};
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

impl Roles {
    /// One process for both tiers.
    pub const BOTH: Roles = Roles { obelisk: true, pyramid: true };
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
    /// What it does. Partitions are placed on Pyramids only.
    pub roles: Roles,
    /// What its next start has to present; `None` until its first start.
    pub token: Option<StartToken>,
    /// Its present start; 0 before the first.
    pub incarnation: Incarnation,
}

/// A lane that was leased at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneEntry {
    /// The lane.
    pub lane: Lane,
    /// Who leased it last, unless it was given back. The lease has ended when the
    /// clock is past `to`.
    pub holder: Option<(NodeNumber, Incarnation)>,
    /// The beginning of the last lease.
    pub from: LogicalClock,
    /// Its end: the lane is never given for an earlier time again.
    pub to: LogicalClock,
}

/// A counter of a user, or one of the cluster's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterEntry {
    /// Given by the directory, never reused.
    pub number: CounterNumber,
    /// Given by a user.
    pub name: CounterName,
    /// How it is counted.
    pub mode: CounterMode,
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
    /// What SQL calls the fields of its values; none if they may be anything.
    pub schema: Option<Schema>,
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
