//! What recovery may take for granted, and who keeps it.
//!
//! A checkpoint says: everything of this partition up to here is synced in its
//! segments. It is written after the sync and before the WAL file that held the
//! same frames is used again. The keeper is `storage/meta`; here is only the
//! contract, since neither crate may name the other.

use crate::{LogError, Manifest, RewrittenSegment};
use pyralog_model::{Epoch, LogNumber, Lsn, Offset, PartitionId};
use std::collections::BTreeMap;

/// How far one partition is synced in its segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartitionCheckpoint {
    /// Base offset of the active segment.
    pub segment_base: Offset,
    /// Synced bytes of the active segment, its header included.
    pub segment_position: u64,
    /// The offset after the last synced record.
    pub next_offset: Offset,
    /// Every frame of the partition up to this one is in the segments or undone.
    pub lsn: Lsn,
    /// The first offset that is kept.
    pub log_start: Offset,
    /// The last epoch.
    pub epoch: Epoch,
}

/// What the whole WAL may forget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalCheckpoint {
    /// Rounds below this one are not needed any more.
    pub first_needed_round: u64,
    /// No frame was ever given this number or a greater one before the checkpoint.
    pub next_lsn: Lsn,
}

/// Everything that was checkpointed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// By partition.
    pub partitions: BTreeMap<PartitionId, PartitionCheckpoint>,
    /// Of each partition that was ever compacted.
    pub manifests: BTreeMap<PartitionId, Manifest>,
    /// The WAL's.
    pub wal: WalCheckpoint,
}

/// Keeps checkpoints durably. Every call is one atomic, synced transaction.
pub trait CheckpointStore: Send {
    /// Everything that was saved.
    fn load(&self) -> Result<Checkpoints, LogError>;
    /// Saves some partitions' checkpoints together with the WAL's.
    fn save(
        &mut self,
        partitions: &[(PartitionId, PartitionCheckpoint)],
        wal: WalCheckpoint,
    ) -> Result<(), LogError>;
    /// As `save` of one partition whose start has moved; its manifest begins there, too.
    fn save_start(
        &mut self,
        partition: PartitionId,
        checkpoint: &PartitionCheckpoint,
        wal: WalCheckpoint,
    ) -> Result<(), LogError>;
    /// Puts a rewritten segment in the place of those that lie in its offsets.
    fn replace(&mut self, partition: PartitionId, new: &RewrittenSegment) -> Result<(), LogError>;
    /// Saves how far a partition is compacted.
    fn save_cleaned(&mut self, partition: PartitionId, cleaned: Offset) -> Result<(), LogError>;
    /// Forgets a deleted log.
    fn remove_log(&mut self, log: LogNumber) -> Result<(), LogError>;
}
