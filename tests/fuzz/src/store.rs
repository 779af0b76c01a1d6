//! A store whose files are what the fuzzer says, started and read to its end.

use crate::{STORE, partition};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_log::{
    AuditRequest, CheckpointStore, Checkpoints, LogError, LogOptions, PartitionCheckpoint,
    RewrittenSegment, WalCheckpoint, audit, recover,
};
use pyralog_model::{LogNumber, Offset, PartitionId, stored_batches};
use std::path::Path;
use std::sync::Arc;

const PYRAMID: &str = "/data/pyramid";
const WAL_BYTES: usize = 32 << 10;

/// A simulated disk with a data directory.
pub struct Store {
    disk: SimDisk,
    checkpoints: Checkpoints,
}

/// Nothing is checkpointed, so that everything counts; there may be a manifest.
struct Kept(Checkpoints);

impl CheckpointStore for Kept {
    fn load(&self) -> Result<Checkpoints, LogError> {
        Ok(self.0.clone())
    }

    fn save(
        &mut self,
        _: &[(PartitionId, PartitionCheckpoint)],
        _: WalCheckpoint,
    ) -> Result<(), LogError> {
        Ok(())
    }

    fn save_start(
        &mut self,
        _: PartitionId,
        _: &PartitionCheckpoint,
        _: WalCheckpoint,
    ) -> Result<(), LogError> {
        Ok(())
    }

    fn replace(&mut self, _: PartitionId, _: &RewrittenSegment) -> Result<(), LogError> {
        Ok(())
    }

    fn save_cleaned(&mut self, _: PartitionId, _: Offset) -> Result<(), LogError> {
        Ok(())
    }

    fn remove_log(&mut self, _: LogNumber) -> Result<(), LogError> {
        Ok(())
    }
}

impl Store {
    /// An empty one.
    pub fn new() -> Store {
        let disk = SimDisk::new(1);
        for dir in ["wal", "logs/1/0"] {
            let dir = Path::new(PYRAMID).join(dir);
            disk.create_dir_all(&dir).expect("there is room");
        }
        Store { disk, checkpoints: Checkpoints::default() }
    }

    /// Puts a file into the WAL's directory or the partition's.
    pub fn put(&self, name: &str, mut bytes: Vec<u8>) {
        let dir = if name.ends_with(".wal") { "wal" } else { "logs/1/0" };
        if name.ends_with(".wal") {
            bytes.resize(WAL_BYTES, 0);
        }
        let path = Path::new(PYRAMID).join(dir).join(name);
        let file = self.disk.create(&path).expect("each file is put once");
        file.write_all_at(&bytes, 0).expect("there is room");
    }

    /// Says in the manifest that compaction wrote this segment.
    pub fn rewritten(&mut self, entry: RewrittenSegment) {
        self.checkpoints.manifests.entry(partition()).or_default().replace(entry);
    }

    /// Audits it, starts it, and reads all that it serves. It may be refused, and
    /// what is served is whole.
    pub fn check(self) {
        let pyramid = Path::new(PYRAMID);
        let request = AuditRequest {
            disk: &self.disk,
            pyramid,
            store: STORE,
            checkpoints: Some(&self.checkpoints),
            placed: None,
        };
        audit(&request, &mut |_| {});
        let options = LogOptions {
            wal_file_bytes: WAL_BYTES,
            wal_files_max: 2,
            wal_direct: false,
            ..LogOptions::default()
        };
        let disk: Arc<dyn Disk> = Arc::new(self.disk);
        let Ok(recovered) =
            recover(disk, pyramid, STORE, Box::new(Kept(self.checkpoints)), options)
        else {
            return;
        };
        let log = &recovered.partitions[&partition()];
        let (mut from, end) = log.bounds();
        while from < end {
            let Ok(slice) = log.read(from, 1 << 20) else { return };
            let before = from;
            for piece in slice.pieces {
                let batches = stored_batches(piece).expect("what is served is whole");
                for (header, _) in batches {
                    from = Offset(header.base_offset as u64).plus(header.offsets());
                }
            }
            assert!(from > before, "a read goes on");
        }
    }
}

impl Default for Store {
    fn default() -> Store {
        Store::new()
    }
}
