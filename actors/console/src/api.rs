//! What travels over `/v1`, in both directions. The server here and the client
//! in `bin/` use the same types, so they cannot drift apart.

mod counter;
mod decimal;
mod group;
mod ids;
mod log;
mod record;
mod sql;
mod status;
mod text;

pub use counter::{
    COUNTERS_LISTED_MAX, CounterDescription, CounterList, CounterSummary, CreateCounterRequest,
    NextReply, NextRequest,
};
pub use decimal::Decimal;
pub use group::{
    AssignedLog, GroupDescription, GroupList, GroupMember, GroupOffset, GroupSummary, ResetEnd,
    ResetOffsetsReply, ResetOffsetsRequest, ResetPartition, ResetPlace, ResetTo,
};
pub use ids::{
    CausalRequest, IDS_LISTED_MAX, IDS_MAX, IdsReply, IdsRequest, TimestampReply, UniqueRequest,
};

pub use log::{
    AlterLogRequest, ColumnDescription, CreateLogRequest, LogDescription, LogList, LogSummary,
    PartitionDescription, SchemaDescription, ValidatedLog,
};
pub use record::{
    AppendedPartition, HeaderText, ProduceProgress, ProduceReply, RecordIn, RecordOut,
};
pub use sql::{SqlColumn, SqlDone, SqlFormat, SqlLine, SqlRequest};
pub use status::{LeaseLine, ObeliskLine, StatusReply};
pub use text::{Text, TextError};

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

/// `POST /v1/debug/kill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillRequest {
    /// The actor's path, as in `GET /v1/actors`.
    pub path: String,
}
