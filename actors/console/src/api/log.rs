//! Logs, as `/v1/logs` shows and takes them.

use pyralog_model::{Schema, SettingRow};
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
    /// What SQL finds in the values, as a column list: `carrier TEXT, dep_delay BIGINT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Only check.
    #[serde(default)]
    pub validate_only: bool,
}

/// `PATCH /v1/logs/{name}`: what is named changes, everything or nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlterLogRequest {
    /// Settings with their new values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// Settings that get the node's default back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// The whole column list; it begins with the columns that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// How many partitions it has then: more than before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<u32>,
    /// Only check.
    #[serde(default)]
    pub validate_only: bool,
}

/// The columns that SQL finds in the values of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaDescription {
    /// From 1, one more with each change.
    pub version: u32,
    /// The column list, as it may be given again.
    pub text: String,
    /// The same, taken apart.
    pub columns: Vec<ColumnDescription>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDescription {
    /// Its name, which is that of a field of the JSON documents.
    pub name: String,
    /// Its type in SQL.
    #[serde(rename = "type")]
    pub kind: String,
}

impl SchemaDescription {
    /// Of a schema.
    pub fn of(schema: &Schema) -> SchemaDescription {
        let columns = schema.columns.iter().map(|column| ColumnDescription {
            name: column.name.clone(),
            kind: column.kind.to_string(),
        });
        SchemaDescription {
            version: schema.version,
            text: schema.to_string(),
            columns: columns.collect(),
        }
    }
}

/// What `POST` and `PATCH` answer when they only checked: the log as it would be.
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
    /// The columns that it would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaDescription>,
    /// Always true: nothing was made, and nothing changed.
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
    /// The columns that SQL finds in its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaDescription>,
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
