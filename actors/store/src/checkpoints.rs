//! `storage/log` says what a checkpoint must promise, `storage/meta` keeps it:
//! this joins the two.

use pyralog_env::Disk;
use pyralog_log::{
    CheckpointStore, Checkpoints, LogError, Manifest, PartitionCheckpoint, RewrittenSegment,
    WalCheckpoint,
};
use pyralog_meta::{MetaError, MetaStore};
use pyralog_model::{Epoch, LogNumber, Lsn, Offset, PartitionId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Checkpoints in the data directory's `meta.redb`.
///
/// A full disk makes a change wait: the database is begun again before the next
/// one, and a change may be made twice, since it only says what is so. Any other
/// failure is final.
pub struct MetaCheckpoints {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// `None` after it found no room, until it is opened again.
    meta: Option<MetaStore>,
    /// The first failure that was not want of room.
    failed: Option<String>,
}

impl CheckpointStore for MetaCheckpoints {
    fn load(&self) -> Result<Checkpoints, LogError> {
        let Some(meta) = &self.meta else { return Err(self.full()) };
        let kept = meta.load_checkpoints().map_err(|error| self.io(error.to_string()))?;
        Ok(recovery_checkpoints(&kept))
    }

    fn save(
        &mut self,
        partitions: &[(PartitionId, PartitionCheckpoint)],
        wal: WalCheckpoint,
    ) -> Result<(), LogError> {
        let kept: Vec<_> = partitions.iter().map(|(id, new)| (*id, to_kept(new))).collect();
        self.change(|meta| meta.save_checkpoints(&kept, Some(wal_to_kept(wal))))
    }

    fn save_start(
        &mut self,
        partition: PartitionId,
        checkpoint: &PartitionCheckpoint,
        wal: WalCheckpoint,
    ) -> Result<(), LogError> {
        let (kept, wal) = (to_kept(checkpoint), wal_to_kept(wal));
        self.change(|meta| meta.save_start(partition, &kept, wal))
    }

    fn replace(&mut self, partition: PartitionId, new: &RewrittenSegment) -> Result<(), LogError> {
        let RewrittenSegment { base, end, generation, bytes } = *new;
        let kept = pyralog_meta::RewrittenSegment { end: end.0, generation, bytes };
        self.change(|meta| meta.replace_segments(partition, base.0, &kept))
    }

    fn save_cleaned(&mut self, partition: PartitionId, cleaned: Offset) -> Result<(), LogError> {
        self.change(|meta| meta.save_cleaned(partition, cleaned.0))
    }

    fn remove_log(&mut self, log: LogNumber) -> Result<(), LogError> {
        self.change(|meta| meta.remove_log(log))
    }
}

impl MetaCheckpoints {
    /// Opens the database at `path`, made if there is none.
    ///
    /// # Errors
    /// Those of `MetaStore::open`.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<MetaCheckpoints, MetaError> {
        let meta = Some(MetaStore::open(Arc::clone(&disk), path)?);
        Ok(MetaCheckpoints { disk, path: path.to_owned(), meta, failed: None })
    }

    fn change(
        &mut self,
        change: impl FnOnce(&MetaStore) -> Result<(), MetaError>,
    ) -> Result<(), LogError> {
        if let Some(cause) = &self.failed {
            return Err(self.io(cause.clone()));
        }
        match self.attempt(change) {
            Ok(()) => Ok(()),
            Err(error) if error.is_disk_full() => Err(self.full()),
            Err(error) => {
                let cause = error.to_string();
                self.failed = Some(cause.clone());
                Err(self.io(cause))
            }
        }
    }

    fn attempt(
        &mut self,
        change: impl FnOnce(&MetaStore) -> Result<(), MetaError>,
    ) -> Result<(), MetaError> {
        let meta = match self.meta.take() {
            Some(meta) => meta,
            None => MetaStore::open(Arc::clone(&self.disk), &self.path)?,
        };
        let changed = change(&meta);
        self.meta = match &changed {
            // It may find no room again: then the next attempt opens the file.
            Err(error) if error.is_disk_full() => match meta.reopen() {
                Ok(meta) => Some(meta),
                Err(error) if error.is_disk_full() => None,
                Err(error) => return Err(error),
            },
            _ => Some(meta),
        };
        changed
    }

    fn full(&self) -> LogError {
        LogError::DiskFull { what: self.path.display().to_string() }
    }

    fn io(&self, cause: String) -> LogError {
        LogError::Io { what: "the checkpoint store failed at", path: self.path.clone(), cause }
    }
}

/// What was kept, in the words of recovery.
pub fn recovery_checkpoints(kept: &pyralog_meta::Checkpoints) -> Checkpoints {
    let wal = kept.wal.unwrap_or_default();
    Checkpoints {
        partitions: kept.partitions.iter().map(|(id, kept)| (*id, from_kept(kept))).collect(),
        manifests: kept.manifests.iter().map(|(id, kept)| (*id, manifest(kept))).collect(),
        wal: WalCheckpoint {
            first_needed_round: wal.first_needed_round,
            next_lsn: Lsn(wal.next_lsn),
        },
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

fn wal_to_kept(wal: WalCheckpoint) -> pyralog_meta::WalCheckpoint {
    pyralog_meta::WalCheckpoint {
        first_needed_round: wal.first_needed_round,
        next_lsn: wal.next_lsn.0,
    }
}

fn manifest(kept: &pyralog_meta::Manifest) -> Manifest {
    let segment = |(base, kept): (&u64, &pyralog_meta::RewrittenSegment)| RewrittenSegment {
        base: Offset(*base),
        end: Offset(kept.end),
        generation: kept.generation,
        bytes: kept.bytes,
    };
    Manifest {
        cleaned: Offset(kept.cleaned),
        segments: kept.segments.iter().map(segment).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::sim::SimDisk;

    const FILE: &str = "/d/meta.redb";

    fn open(disk: &SimDisk) -> MetaCheckpoints {
        MetaCheckpoints::open(Arc::new(disk.clone()), Path::new(FILE)).unwrap()
    }

    fn disk() -> SimDisk {
        let disk = SimDisk::new(1);
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk
    }

    fn many() -> Vec<(PartitionId, PartitionCheckpoint)> {
        (0..20_000).map(|n| (PartitionId::new(1, n), PartitionCheckpoint::default())).collect()
    }

    #[test]
    fn a_full_disk_is_waited_for() {
        let disk = disk();
        let mut checkpoints = open(&disk);
        let wal = WalCheckpoint { first_needed_round: 7, ..WalCheckpoint::default() };
        checkpoints.save(&[], wal).unwrap();
        disk.set_capacity(disk.used_bytes());
        for _ in 0..3 {
            let full = checkpoints.save(&many(), WalCheckpoint::default()).unwrap_err();
            assert!(matches!(full, LogError::DiskFull { .. }), "{full}");
        }
        assert_eq!(checkpoints.load().unwrap().wal, wal, "and nothing has changed");
        disk.set_capacity(u64::MAX);
        checkpoints.save(&many(), wal).unwrap();
        drop(checkpoints);
        disk.crash(3);
        assert_eq!(open(&disk).load().unwrap().partitions.len(), 20_000);
    }

    #[test]
    fn a_failed_sync_is_final_even_with_a_full_disk_before_it() {
        let disk = disk();
        let mut checkpoints = open(&disk);
        disk.set_capacity(disk.used_bytes());
        checkpoints.save(&many(), WalCheckpoint::default()).unwrap_err();
        disk.set_capacity(u64::MAX);
        disk.fail_next_sync("meta.redb");
        for _ in 0..3 {
            let failed = checkpoints.save(&many(), WalCheckpoint::default()).unwrap_err();
            assert!(matches!(failed, LogError::Io { .. }), "{failed}");
        }
    }
}
