//! Records: appending, reading, and what a partition says of itself.

use super::keys::check_keys;
use super::{Shen, internal};
use crate::gate::{PendingAppend, Watermarks};
use bytes::Bytes;
use pyralog_log::PartitionSizes;
use pyralog_model::{ApiError, BatchHeader, Epoch, ErrorCode, Offset, PartitionId, ScarabId};
use std::cmp::Ordering;
use std::path::PathBuf;
use tokio::sync::watch;

/// The answer to a read.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Pieces to be written back to back: whole batches, the first of which may
    /// begin before the offset asked for.
    pub batches: Vec<Bytes>,
    /// For each of them the Scarab id of its first record, 0 without one.
    pub scarab_bases: Vec<u64>,
    /// Sum of their lengths.
    pub bytes: usize,
    /// The partition's offsets at the time of the read.
    pub watermarks: Watermarks,
}

impl Slice {
    /// The Scarab id of the first record of `batches[batch]`; record `k` of it has
    /// `nth(k)` of that.
    pub fn scarab_base(&self, batch: usize) -> Option<ScarabId> {
        self.scarab_bases.get(batch).filter(|base| **base != 0).map(|base| ScarabId(*base))
    }
}

/// One partition, for people.
#[derive(Debug, Clone, Copy)]
pub struct PartitionView {
    /// Its offsets.
    pub watermarks: Watermarks,
    /// Its bytes.
    pub sizes: PartitionSizes,
    /// The label of its present leadership, once an Obelisk has given one.
    pub epoch_label: Option<u64>,
    /// Producers' sessions that it knows.
    pub sessions: usize,
    /// Compaction has taken records out: offsets may be missing.
    pub has_gaps: bool,
}

/// Where this node keeps its records.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    /// Its path.
    pub path: PathBuf,
    /// Bytes that may still be written there.
    pub free_bytes: u64,
}

impl Shen {
    /// Admits and queues an append, in the order of the calls. The batches were
    /// verified by `split_batches`. What is returned resolves when all of them
    /// are durable.
    ///
    /// # Errors
    /// `log-name-invalid` for an internal log, unless this is the cluster's façade;
    /// `key-missing` if the log is compacted and a record has no key.
    pub async fn append(
        &self,
        partition: PartitionId,
        batches: Vec<(BatchHeader, Bytes)>,
    ) -> Result<PendingAppend, ApiError> {
        let gate = self.gate(partition)?;
        if gate.log_name.is_internal() && !self.for_cluster {
            return Err(internal(&gate.log_name));
        }
        // By the directory: partitions follow it a moment later.
        let directory = self.hub.directory();
        let log = directory.log_by_number(partition.log);
        if log.is_some_and(|log| log.settings.upkeep.cleanup.compacts()) {
            check_keys(&batches)?;
        }
        gate.append(batches).await
    }

    /// Whole batches from the one that holds `from`, or the next one if compaction has
    /// left nothing there: at least one if there is any below the high watermark, more
    /// until `bytes_max`.
    pub async fn read(
        &self,
        partition: PartitionId,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Slice, ApiError> {
        let gate = self.gate(partition)?;
        let slice = gate.store.read(&gate.log, from, bytes_max).await?;
        let mut watermarks = gate.watermarks();
        // The committer shows bytes a moment before it moves the watermark.
        watermarks.high = watermarks.high.max(slice.end);
        let pyralog_log::Slice { pieces: batches, scarab_bases, bytes, .. } = slice;
        Ok(Slice { batches, scarab_bases, bytes, watermarks })
    }

    /// The partition's offsets.
    pub fn watermarks(&self, partition: PartitionId) -> Result<Watermarks, ApiError> {
        Ok(self.gate(partition)?.watermarks())
    }

    /// Waits until the partition serves here.
    pub async fn serving(&self, partition: PartitionId) {
        let mut changes = self.routes.watch();
        while self.routes.gate(partition).is_none() {
            // The sender lives as long as the routes.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Told when the high watermark moves.
    pub fn watch(&self, partition: PartitionId) -> Result<watch::Receiver<Offset>, ApiError> {
        Ok(self.gate(partition)?.watch())
    }

    /// The first batch that holds a record with a timestamp of `timestamp_ms` or
    /// later; the caller finds the record in it.
    pub async fn batch_at_time(
        &self,
        partition: PartitionId,
        timestamp_ms: i64,
    ) -> Result<Option<Bytes>, ApiError> {
        self.batch_at_time_from(partition, timestamp_ms, Offset::ZERO).await
    }

    /// As `batch_at_time`, of the batches that end after `from`.
    pub async fn batch_at_time_from(
        &self,
        partition: PartitionId,
        timestamp_ms: i64,
        from: Offset,
    ) -> Result<Option<Bytes>, ApiError> {
        let gate = self.gate(partition)?;
        Ok(gate.store.batch_at_time(&gate.log, timestamp_ms, from).await?)
    }

    /// Where the records of an epoch end: the greatest epoch up to `epoch` that has
    /// records, and the offset at which a later one begins. For an epoch before
    /// the first that is kept this is that epoch and the log's start; there is no
    /// answer for one that has not begun.
    pub async fn epoch_end(
        &self,
        partition: PartitionId,
        epoch: Epoch,
    ) -> Result<Option<(Epoch, Offset)>, ApiError> {
        let gate = self.gate(partition)?;
        let Watermarks { log_start, high, epoch: present } = gate.watermarks();
        match epoch.cmp(&present) {
            Ordering::Greater => Ok(None),
            Ordering::Equal => Ok(Some((present, high))),
            Ordering::Less => {
                let found = gate.store.epoch_end(&gate.log, epoch).await?;
                Ok(Some(found.unwrap_or((epoch, log_start))))
            }
        }
    }

    /// Lets a partition begin at `before`, durably: what lies before it is not read
    /// any more, and its room is given back by whole segments. Returns where the
    /// partition begins then.
    ///
    /// # Errors
    /// `offset-out-of-range` past the high watermark.
    pub async fn delete_records(
        &self,
        partition: PartitionId,
        before: Offset,
    ) -> Result<Offset, ApiError> {
        self.changeable(partition.log)?;
        let gate = self.gate(partition)?;
        let Watermarks { log_start, high, .. } = gate.watermarks();
        if before > high {
            let message = format!("offset {before} is outside {log_start}..{high}");
            return Err(ApiError::new(ErrorCode::OffsetOutOfRange, message));
        }
        Ok(gate.store.move_start(&gate.log, before).await?)
    }

    /// Where this node keeps its records, and how much room there is.
    pub async fn data_directory(&self) -> Result<DataDirectory, ApiError> {
        let store = self.routes.store().ok_or_else(|| ApiError::unavailable("the store"))?;
        let free_bytes = store.free_bytes().await?;
        Ok(DataDirectory { path: store.pyramid().to_owned(), free_bytes })
    }

    /// Offsets and sizes of a partition.
    pub fn partition(&self, partition: PartitionId) -> Result<PartitionView, ApiError> {
        let gate = self.gate(partition)?;
        Ok(PartitionView {
            watermarks: gate.watermarks(),
            sizes: gate.log.sizes(),
            epoch_label: gate.epoch_label(),
            sessions: gate.log.sessions(),
            has_gaps: gate.log.has_gaps(),
        })
    }
}
