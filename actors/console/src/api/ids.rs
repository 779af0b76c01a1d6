//! Scarab ids, as `/v1/ids` and `/v1/timestamps` give them.

use super::Decimal;
use serde::{Deserialize, Serialize};

/// The most ids of one request.
pub const IDS_MAX: u32 = 1_000_000;
/// The most ids that are listed; of more, the first and the last are named.
pub const IDS_LISTED_MAX: u32 = 10_000;

/// `POST /v1/ids`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdsRequest {
    /// How many, 1 to [`IDS_MAX`].
    #[serde(default = "one")]
    pub count: u32,
}

/// What `POST /v1/ids` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdsReply {
    /// How many.
    pub count: u32,
    /// The first of them.
    pub first: Decimal,
    /// The last of them.
    pub last: Decimal,
    /// All of them in order, if they are at most [`IDS_LISTED_MAX`]. Of more,
    /// each follows from `first` by counting on in milliseconds and sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<Decimal>>,
}

/// `POST /v1/timestamps/unique`: nothing has to be said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniqueRequest {}

/// `POST /v1/timestamps/causal`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CausalRequest {
    /// The latest id or timestamp that the caller has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Decimal>,
}

/// A Scarab id as a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampReply {
    /// The id.
    pub id: Decimal,
    /// Its milliseconds since 1970.
    pub unix_ms: u64,
}

impl Default for IdsRequest {
    fn default() -> IdsRequest {
        IdsRequest { count: one() }
    }
}

fn one() -> u32 {
    1
}
