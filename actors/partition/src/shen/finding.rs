//! Records by their keys.
//!
//! Nobody knows by which rule producers choose partitions, so every partition is asked;
//! one that never had the key says so from its index, without reading a record.

use super::Shen;
use crate::log_entry::LogEntry;
use bytes::Bytes;
use pyralog_model::{ApiError, ErrorCode, Offset, PartitionId};
use pyralog_store::{FoundRecord, KeyQuestion};
use std::time::Duration;

/// Bytes of values of one answer, about: one more record may be in it.
const VALUES_BYTES_MAX: usize = 16 << 20;

/// What of a key is wanted.
#[derive(Debug, Clone)]
pub struct FindKey {
    /// The key, as its producer sent it.
    pub key: Bytes,
    /// Only in this partition.
    pub partition: Option<u32>,
    /// Only records before this offset.
    pub before: Option<Offset>,
    /// The most records that are wanted.
    pub records_max: usize,
    /// How long it may take where the index does not help yet.
    pub patience: Duration,
}

impl Shen {
    /// The committed records with a key, newest first: within a partition by offset,
    /// between partitions by their producers' time. One without value says that the key
    /// is deleted.
    ///
    /// # Errors
    /// `key-index-off` if the log keeps no index; `timeout` if it is not built yet and too
    /// much would have to be scanned; `partition-not-found`.
    pub async fn find_key(
        &self,
        log: &LogEntry,
        wanted: FindKey,
    ) -> Result<Vec<FoundRecord>, ApiError> {
        if !log.settings.indexes_keys() || log.name.is_internal() {
            return Err(off(log));
        }
        let partitions = match wanted.partition {
            None => 0..log.partitions,
            Some(partition) => partition..partition + 1,
        };
        let store = self.routes.store().ok_or_else(|| ApiError::unavailable("the store"))?;
        let deadline = store.clock().monotonic() + wanted.patience;
        let questions = partitions.map(|partition| {
            let id = PartitionId::new(log.number.0, partition);
            let high = self.gate(id)?.watermarks().high;
            let question = KeyQuestion {
                key: wanted.key.clone(),
                below: wanted.before.map_or(high, |before| before.min(high)),
                records_max: wanted.records_max,
                bytes_max: VALUES_BYTES_MAX,
                deadline,
            };
            Ok((id, question))
        });
        let found = store.find(questions.collect::<Result<_, ApiError>>()?).await?;
        Ok(newest_first(found, wanted.records_max))
    }
}

fn off(log: &LogEntry) -> ApiError {
    let name = &log.name;
    let message = if name.is_internal() {
        format!("'{name}' is one of the cluster's own logs: it keeps no index")
    } else if log.settings.keys {
        format!("log '{name}' is kept in memory, of which there is no index of keys")
    } else {
        format!(
            "log '{name}' keeps no index of its keys; `pyralog log alter {name} --set \
             pyralog.keys=true` has one built"
        )
    };
    ApiError::new(ErrorCode::KeyIndexOff, message)
}

/// Merges what partitions have found, each newest first.
fn newest_first(found: Vec<Vec<FoundRecord>>, records_max: usize) -> Vec<FoundRecord> {
    let mut heads: Vec<_> = found.into_iter().map(|found| found.into_iter().peekable()).collect();
    let mut merged = Vec::new();
    while merged.len() < records_max {
        let time = |found: &FoundRecord| (found.record.timestamp, found.offset);
        let times = heads.iter_mut().enumerate();
        let times = times.filter_map(|(at, head)| Some((time(head.peek()?), at)));
        let Some((_, newest)) = times.max() else { break };
        merged.extend(heads[newest].next());
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::Record;

    #[test]
    fn partitions_are_merged_by_time_and_each_stays_in_its_order() {
        let found = |partition, offset, timestamp| FoundRecord {
            partition: PartitionId::new(1, partition),
            offset: Offset(offset),
            scarab_id: None,
            record: Record {
                offset_delta: 0,
                timestamp,
                key: Some(Bytes::from_static(b"k")),
                value: None,
                headers: Vec::new(),
            },
        };
        let parts = vec![
            vec![found(0, 9, 50), found(0, 3, 70)],
            vec![],
            vec![found(2, 4, 60), found(2, 2, 10)],
        ];
        let merged = newest_first(parts.clone(), 10);
        let places = |merged: &[FoundRecord]| -> Vec<(u32, u64)> {
            merged.iter().map(|found| (found.partition.partition.0, found.offset.0)).collect()
        };
        assert_eq!(places(&merged), [(2, 4), (0, 9), (0, 3), (2, 2)]);
        assert_eq!(places(&newest_first(parts, 1)), [(2, 4)]);
    }
}
