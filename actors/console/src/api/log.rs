//! Logs, as `/v1/logs` shows and takes them.

use pyralog_model::SettingRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /v1/logs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogList {
    /// Sorted by name.
    pub logs: Vec<LogSummary>,
}

/// One log in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSummary {
    /// Its name.
    pub name: String,
    /// Its number, never reused.
    pub number: u64,
    /// How many partitions it has.
    pub partition_count: u32,
    /// Copies of each.
    pub replication_factor: u16,
    /// One of the system's own.
    pub internal: bool,
}

/// `POST /v1/logs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateLogRequest {
    /// Its name.
    pub name: String,
    /// How many partitions; the node's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// Copies; the node's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_factor: Option<u16>,
    /// Settings under Kafka's names.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Only check.
    #[serde(default)]
    pub validate_only: bool,
}

/// What `POST /v1/logs` answers when it only checked: the log as it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatedLog {
    /// Its name.
    pub name: String,
    /// How many partitions it would have.
    pub partition_count: u32,
    /// Copies of each.
    pub replication_factor: u16,
    /// Every setting with its value.
    pub settings: Vec<SettingRow>,
    /// Always true: nothing was made.
    pub validate_only: bool,
}

/// `GET /v1/logs/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogDescription {
    /// What the list says.
    #[serde(flatten)]
    pub summary: LogSummary,
    /// Kafka's topic id, 32 hexadecimal digits.
    pub topic_id: String,
    /// Every setting with its value.
    pub settings: Vec<SettingRow>,
    /// In order of their numbers.
    pub partitions: Vec<PartitionDescription>,
}

/// One partition of a described log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionDescription {
    /// From 0.
    pub partition: u32,
    /// The oldest record's offset.
    pub start: Option<u64>,
    /// One past the newest committed record's offset.
    pub high: Option<u64>,
    /// The present epoch.
    pub epoch: Option<u32>,
    /// Bytes of its record batches, in segments and not yet there.
    pub bytes: Option<u64>,
    /// Segment files.
    pub segments: Option<u64>,
    /// Why the numbers are absent, if the partition does not serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
