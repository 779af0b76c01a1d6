//! Records, one JSON document a line.

use super::{Decimal, Text};
use serde::{Deserialize, Serialize};

/// A record to append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordIn {
    /// The key; it chooses the partition when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Text>,
    /// The value. It must be there; `null` is Kafka's mark of deletion.
    #[serde(deserialize_with = "Option::deserialize")]
    pub value: Option<Text>,
    /// The partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<u32>,
    /// In order; names may repeat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderText>,
    /// Milliseconds since 1970; the time of arrival when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
}

/// A record as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordOut {
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// Its Scarab id, if its batch was given ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scarab_id: Option<Decimal>,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Text>,
    /// Its value.
    pub value: Option<Text>,
    /// In order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderText>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderText {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Option<Text>,
}

/// A line of the reply while records are still coming in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProduceProgress {
    /// Records durable so far.
    pub acknowledged: u64,
    /// So many of the first records of the body are durable without a gap: with
    /// several partitions, others behind them may be too.
    #[serde(default)]
    pub without_gap: u64,
}

/// The last line of the reply: everything is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProduceReply {
    /// Records appended.
    pub records: u64,
    /// Where, in order of the partitions.
    pub partitions: Vec<AppendedPartition>,
}

/// What one partition took of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendedPartition {
    /// The partition.
    pub partition: u32,
    /// Offset of the first of these records.
    pub first_offset: u64,
    /// Offset of the last.
    pub last_offset: u64,
    /// How many; others may have appended in between.
    pub records: u64,
    /// What the acknowledgement promises.
    pub durability: String,
}
