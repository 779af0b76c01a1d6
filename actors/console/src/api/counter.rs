//! Named counters, as `/v1/counters` shows and takes them.

use super::Decimal;
use pyralog_model::CounterMode;
use serde::{Deserialize, Serialize};

/// The most counters of one page of the list.
pub const COUNTERS_LISTED_MAX: u32 = 1_000;

/// `POST /v1/counters`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateCounterRequest {
    /// Its name, by the rules of logs.
    pub name: String,
    /// `exact` when absent.
    #[serde(default)]
    pub mode: CounterMode,
}

/// One counter in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterSummary {
    /// Its name.
    pub name: String,
    /// Its number, never reused.
    pub number: Decimal,
    /// How it counts.
    pub mode: CounterMode,
}

/// `GET /v1/counters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterList {
    /// In the order in which they were made, at most [`COUNTERS_LISTED_MAX`].
    pub counters: Vec<CounterSummary>,
    /// `?after=` this for the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Decimal>,
}

/// `GET /v1/counters/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CounterDescription {
    /// What the list says.
    #[serde(flatten)]
    pub summary: CounterSummary,
    /// The last value issued, of an exact counter; the last one leased away, of
    /// a leased one. 0 before the first.
    pub value: Decimal,
    /// No value above this was ever given out, whatever crashes now.
    pub durable_bound: Decimal,
}

/// `POST /v1/counters/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextRequest {
    /// How many values, from 1.
    #[serde(default = "one")]
    pub count: u32,
    /// Makes the counter in this mode if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<CounterMode>,
}

/// What `POST /v1/counters/{name}` answers: `first` to `last`, without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextReply {
    /// The counter.
    pub name: String,
    /// How it counts.
    pub mode: CounterMode,
    /// How many values.
    pub count: u32,
    /// The first of them.
    pub first: Decimal,
    /// The last of them.
    pub last: Decimal,
}

impl Default for NextRequest {
    fn default() -> NextRequest {
        NextRequest { count: one(), mode: None }
    }
}

fn one() -> u32 {
    1
}
