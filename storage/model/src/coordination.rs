//! What Obelisks give out: numbers of sessions and counters, tokens, names.

use crate::log_name::{LogName, LogNameError};
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A producer's session, Kafka's producer id: never given twice. Below 2⁶³.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// Counts the starts of all nodes of a cluster, given by the directory. What is
/// leased is leased to an incarnation: a later start begins with nothing.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u64);

/// 128 random bits that one start leaves for the next, so that a copy of a data
/// directory is known as one. A secret: it has no text form but in its file.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartToken(pub u128);

impl fmt::Debug for StartToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartToken(…)")
    }
}

/// The number of a counter, and its slot in the arena.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct CounterNumber(pub u64);

impl CounterNumber {
    /// Labels of epochs.
    pub const EPOCHS: CounterNumber = CounterNumber(3);
    /// Scarab ids issued by an Obelisk itself.
    pub const SCARABS: CounterNumber = CounterNumber(5);
    /// Producers' sessions.
    pub const SESSIONS: CounterNumber = CounterNumber(7);
    /// The first number of counters that users create.
    pub const FIRST_OF_USERS: CounterNumber = CounterNumber(16);
}

/// How a counter of a user is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CounterMode {
    /// By its owner alone: dense, in order, its value is the last one issued.
    #[default]
    Exact,
    /// In blocks leased to Pyramids: fast, unique, not in order between nodes.
    Leased,
}

impl CounterMode {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            CounterMode::Exact => "exact",
            CounterMode::Leased => "leased",
        }
    }
}

impl fmt::Display for CounterMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CounterMode {
    type Err = ();

    fn from_str(text: &str) -> Result<CounterMode, ()> {
        match text {
            "exact" => Ok(CounterMode::Exact),
            "leased" => Ok(CounterMode::Leased),
            _ => Err(()),
        }
    }
}

/// The name of a counter: the same rules as for logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CounterName(LogName);

impl CounterName {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Why a counter's name was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("counters are named by the rules of logs: {0}")]
pub struct CounterNameError(LogNameError);

impl FromStr for CounterName {
    type Err = CounterNameError;

    fn from_str(text: &str) -> Result<CounterName, CounterNameError> {
        text.parse().map(CounterName).map_err(CounterNameError)
    }
}

impl Borrow<str> for CounterName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for CounterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
