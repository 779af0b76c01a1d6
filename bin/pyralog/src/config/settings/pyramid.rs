//! What only a Pyramid is told.

use super::Keys;
use std::time::Duration;

/// Storage and the doors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PyramidSettings {
    /// Where Kafka clients connect.
    pub listen_addr: String,
    /// What Kafka clients are told; `None` for the address they dialled.
    pub advertised: Option<(String, u16)>,
    /// Segment size of a new log in bytes.
    pub segment_bytes: u64,
    /// Largest record batch of a new log in bytes.
    pub message_bytes_max: u64,
    /// Copies of a new log.
    pub replication_factor: u64,
    /// Copies that must have a record.
    pub min_in_sync_replicas: u64,
    /// Kafka clients make logs by naming them.
    pub auto_create_logs: bool,
    /// Partitions of a new log.
    pub partitions_default: u32,
    /// How long an idle producer session is remembered.
    pub producer_id_expiration: Duration,
    /// How long the first member of an empty group waits for others.
    pub group_rebalance_delay: Duration,
    /// How long offsets of a group without members are kept.
    pub group_offsets_retention: Duration,
    /// Memory of all SQL queries together in bytes.
    pub query_memory_bytes: u64,
    /// How long a SQL query may run.
    pub query_time_max: Duration,
    /// SQL queries that run at once.
    pub queries_max: u64,
    /// Between two scrubs of the sealed segments; zero for none.
    pub scrub_interval: Duration,
    /// How fast they are read.
    pub scrub_bytes_per_second: u64,
    /// Bytes that compaction may read and write in a second.
    pub compaction_bytes_per_second_max: u64,
    /// Memory for the keys of a partition that is being compacted, in bytes.
    pub compaction_memory_bytes: u64,
    /// Memory for finding records by their keys, in bytes.
    pub key_index_memory_bytes: u64,
}

impl PyramidSettings {
    pub(super) fn of(keys: &Keys<'_>) -> PyramidSettings {
        PyramidSettings {
            listen_addr: keys.text("listen_addr").unwrap_or_default(),
            advertised: keys.text("advertised_addr").and_then(|address| {
                let (host, port) = address.rsplit_once(':')?;
                Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
            }),
            segment_bytes: keys.number("segment_size"),
            message_bytes_max: keys.number("max_message_bytes"),
            replication_factor: keys.number("replication_factor"),
            min_in_sync_replicas: keys.number("min_in_sync_replicas"),
            auto_create_logs: keys.switch("auto_create_logs"),
            partitions_default: u32::try_from(keys.number("default_partitions"))
                .expect("the table caps it"),
            producer_id_expiration: keys.duration("producer_id_expiration"),
            group_rebalance_delay: keys.duration("group_rebalance_delay"),
            group_offsets_retention: keys.duration("group_offsets_retention"),
            query_memory_bytes: keys.number("query_memory"),
            query_time_max: keys.duration("query_time_max"),
            queries_max: keys.number("queries_max"),
            scrub_interval: keys.duration("scrub_interval"),
            scrub_bytes_per_second: keys.number("scrub_rate"),
            compaction_bytes_per_second_max: keys.number("compaction_rate"),
            compaction_memory_bytes: keys.number("compaction_memory"),
            key_index_memory_bytes: keys.number("key_index_memory"),
        }
    }
}
