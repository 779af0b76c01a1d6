//! `storage/log` says what a checkpoint must promise, `storage/meta` keeps it:
//! this joins the two.

use pyralog_log::{CheckpointStore, Checkpoints, LogError, PartitionCheckpoint, WalCheckpoint};
use pyralog_meta::{MetaError, MetaStore};
use pyralog_model::{Epoch, LogNumber, Lsn, Offset, PartitionId};
use std::path::PathBuf;

/// Checkpoints in the data directory's `meta.redb`.
pub struct MetaCheckpoints {
    /// The database.
    pub meta: MetaStore,
    /// Where it lies, for errors.
    pub path: PathBuf,
}

impl CheckpointStore for MetaCheckpoints {
    fn load(&self) -> Result<Checkpoints, LogError> {
        let kept = self.meta.load_checkpoints().map_err(|error| self.error(error))?;
        let wal = kept.wal.unwrap_or_default();
        Ok(Checkpoints {
            partitions: kept.partitions.iter().map(|(id, kept)| (*id, from_kept(kept))).collect(),
            wal: WalCheckpoint {
                first_needed_round: wal.first_needed_round,
                next_lsn: Lsn(wal.next_lsn),
            },
        })
    }

    fn save(
        &mut self,
        partitions: &[(PartitionId, PartitionCheckpoint)],
        wal: WalCheckpoint,
    ) -> Result<(), LogError> {
        let kept: Vec<_> = partitions.iter().map(|(id, new)| (*id, to_kept(new))).collect();
        let wal = pyralog_meta::WalCheckpoint {
            first_needed_round: wal.first_needed_round,
            next_lsn: wal.next_lsn.0,
        };
        let saved = self.meta.save_checkpoints(&kept, Some(wal));
        saved.map_err(|error| self.error(error))
    }

    fn remove_log(&mut self, log: LogNumber) -> Result<(), LogError> {
        self.meta.remove_log(log).map_err(|error| self.error(error))
    }
}

impl MetaCheckpoints {
    fn error(&self, error: MetaError) -> LogError {
        LogError::Io {
            what: "the checkpoint store failed at",
            path: self.path.clone(),
            cause: error.to_string(),
        }
    }
}

fn from_kept(kept: &pyralog_meta::PartitionCheckpoint) -> PartitionCheckpoint {
    PartitionCheckpoint {
        segment_base: Offset(kept.segment_base),
        segment_position: kept.segment_position,
        next_offset: Offset(kept.next_offset),
        lsn: Lsn(kept.lsn),
        log_start: Offset(kept.log_start),
        epoch: Epoch(kept.epoch),
    }
}

fn to_kept(new: &PartitionCheckpoint) -> pyralog_meta::PartitionCheckpoint {
    pyralog_meta::PartitionCheckpoint {
        segment_base: new.segment_base.0,
        segment_position: new.segment_position,
        next_offset: new.next_offset.0,
        lsn: new.lsn.0,
        log_start: new.log_start.0,
        epoch: new.epoch.0,
    }
}
