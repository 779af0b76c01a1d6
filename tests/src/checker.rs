//! The judge of what producers were told and what readers found.
//!
//! Every value is sent once, so each that is read can be traced. A value whose
//! outcome its producer never learned may be there or not; one that was
//! acknowledged must be at the offset of its acknowledgement.

use std::collections::HashMap;
use std::fmt;

#[cfg(test)]
mod tests;

/// What one producer did to one partition, which it has to itself.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Every value in the order it was sent.
    pub sent: Vec<String>,
    /// Places in `sent` with the offsets of their acknowledgements.
    pub acknowledged: Vec<(usize, i64)>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// An acknowledged value is not there.
    Lost {
        /// The value.
        value: String,
        /// The offset of its acknowledgement.
        offset: i64,
    },
    /// An acknowledged value is at another offset.
    Moved {
        /// The value.
        value: String,
        /// The offset of its acknowledgement.
        acknowledged: i64,
        /// Where it is.
        found: i64,
    },
    /// A value is there twice.
    Duplicate {
        /// The value.
        value: String,
    },
    /// A value is there that nobody sent.
    Phantom {
        /// The value.
        value: String,
    },
    /// A value comes before one that was sent earlier.
    Reordered {
        /// The value that comes too late.
        value: String,
    },
    /// The offsets do not go up by one from 0.
    Offsets {
        /// The offset that should be there.
        expected: i64,
        /// The one that is.
        found: i64,
    },
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Holds what was read of a partition, from its start to its end, against its
/// history.
pub fn check(history: &History, read: &[(i64, String)]) -> Vec<Anomaly> {
    let mut anomalies = Vec::new();
    let place_of: HashMap<&str, usize> =
        history.sent.iter().enumerate().map(|(place, value)| (value.as_str(), place)).collect();
    assert_eq!(place_of.len(), history.sent.len(), "a run that sends a value twice proves nothing");

    let mut found: HashMap<usize, i64> = HashMap::new();
    let mut latest = None;
    for (expected, (offset, value)) in (0..).zip(read) {
        if *offset != expected {
            anomalies.push(Anomaly::Offsets { expected, found: *offset });
        }
        let Some(&place) = place_of.get(value.as_str()) else {
            anomalies.push(Anomaly::Phantom { value: value.clone() });
            continue;
        };
        if found.insert(place, *offset).is_some() {
            anomalies.push(Anomaly::Duplicate { value: value.clone() });
        } else if latest.is_some_and(|latest| latest > place) {
            anomalies.push(Anomaly::Reordered { value: value.clone() });
        }
        latest = latest.max(Some(place));
    }
    for &(place, acknowledged) in &history.acknowledged {
        let value = history.sent[place].clone();
        match found.get(&place) {
            None => anomalies.push(Anomaly::Lost { value, offset: acknowledged }),
            Some(&found) if found != acknowledged => {
                anomalies.push(Anomaly::Moved { value, acknowledged, found });
            }
            Some(_) => {}
        }
    }
    anomalies
}
