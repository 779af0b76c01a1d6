//! A node at a glance, as `/v1/status` shows it. What a role does not have, or a
//! node does not know yet, is `null`.

use super::Decimal;
use crate::Readiness;
use serde::{Deserialize, Serialize};

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    /// The program's version.
    pub version: String,
    /// What the node does: `obelisk`, `pyramid` or `obelisk,pyramid`.
    pub role: String,
    /// How ready it is.
    pub readiness: Readiness,
    /// Why it is not ready, if there is more to say.
    pub waits_for: Option<String>,
    /// The node's name.
    pub node: String,
    /// The directory's number for it, also its Kafka broker id.
    pub number: Option<u32>,
    /// The cluster, 32 hexadecimal digits.
    pub cluster: Option<String>,
    /// The cluster's count of starts at this one.
    pub incarnation: Option<u64>,
    /// The last change of the directory that the node knows.
    pub directory_index: Option<u64>,
    /// How its copy of the directory stands to the Obelisk's: `following`,
    /// `kept`, `waiting: …` or `diverged: …`.
    pub directory_copy: Option<String>,
    /// What went wrong with the Obelisks last, until it goes well again.
    pub coordination_error: Option<String>,
    /// The Obelisks, in order of preference.
    pub obelisks: Vec<ObeliskLine>,
    /// What it may make Scarab ids from.
    pub lease: Option<LeaseLine>,
    /// The store, 32 hexadecimal digits.
    pub store: String,
    /// Which start of the data directory this is.
    pub boot: u64,
    /// The data directory.
    pub data_dir: String,
    /// Where Kafka clients connect.
    pub kafka_address: Option<String>,
    /// Where other nodes connect.
    pub link_address: Option<String>,
    /// Where HTTP is served.
    pub http_address: String,
    /// Milliseconds since the start.
    pub uptime_ms: u64,
    /// Logs that are not internal.
    pub logs: Option<u64>,
    /// Their partitions.
    pub partitions: Option<u64>,
    /// Scarab ids issued since the start.
    pub ids_issued: Option<Decimal>,
    /// Resident memory in bytes, where the system tells.
    pub resident_bytes: Option<u64>,
}

/// One Obelisk, as the node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObeliskLine {
    /// Where it answers; `this process` for a node that is one.
    pub endpoint: String,
    /// True while it answers.
    pub up: bool,
    /// What was wrong last, if it does not.
    pub error: Option<String>,
}

/// A lane of Scarab ids and how long it is the node's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseLine {
    /// The lane.
    pub lane: u16,
    /// How long ids can still be made if no Obelisk answers, in milliseconds.
    pub remaining_ms: u64,
}
