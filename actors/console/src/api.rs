//! What travels over `/v1`, in both directions. The server here and the client
//! in `bin/` use the same types, so they cannot drift apart.

mod log;
mod record;
mod text;

pub use log::{
    CreateLogRequest, LogDescription, LogList, LogSummary, PartitionDescription, ValidatedLog,
};
pub use record::{
    AppendedPartition, HeaderText, ProduceProgress, ProduceReply, RecordIn, RecordOut,
};
pub use text::{Text, TextError};

use crate::Readiness;
use serde::{Deserialize, Serialize};

/// Every error: `{"error": {"code", "message", "remedy"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReply {
    /// The error.
    pub error: ErrorBody,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A kebab-case word of the public list.
    pub code: String,
    /// What happened, why, and what to do.
    pub message: String,
    /// What the caller should do: `retry`, `go-elsewhere`, `refresh`, `give-up`
    /// or `repair`.
    pub remedy: String,
}

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReply {
    /// The program's version.
    pub version: String,
    /// What the node does.
    pub role: String,
    /// How ready it is.
    pub readiness: Readiness,
    /// The node's name.
    pub node: String,
    /// The directory's number for it, also its Kafka broker id.
    pub number: u32,
    /// The cluster, 32 hexadecimal digits.
    pub cluster: String,
    /// The store, 32 hexadecimal digits.
    pub store: String,
    /// Which start of the data directory this is.
    pub boot: u64,
    /// The data directory.
    pub data_dir: String,
    /// Where Kafka clients connect.
    pub kafka_address: String,
    /// Where HTTP is served.
    pub http_address: String,
    /// Milliseconds since the start.
    pub uptime_ms: u64,
    /// Logs that are not internal.
    pub logs: u64,
    /// Their partitions.
    pub partitions: u64,
    /// Resident memory in bytes, where the system tells.
    pub resident_bytes: Option<u64>,
}

/// `POST /v1/debug/kill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillRequest {
    /// The actor's path, as in `GET /v1/actors`.
    pub path: String,
}
