//! One file per API: what a request means here.

pub(crate) mod api_versions;
pub(crate) mod create_topics;
pub(crate) mod delete_topics;
pub(crate) mod fetch;
pub(crate) mod find_coordinator;
pub(crate) mod init_producer_id;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod produce;

use pyralog_model::PartitionId;
use pyralog_partition::LogEntry;

/// The partition of `log` that a client calls `index`, if there is one.
fn partition_id(log: Option<&LogEntry>, index: i32) -> Option<PartitionId> {
    let log = log?;
    let index = u32::try_from(index).ok()?;
    (index < log.partitions).then(|| PartitionId::new(log.number.0, index))
}
