//! The checkpoints of a data directory.

use crate::database::{Database, Schema};
use crate::{Checkpoints, MetaError, PartitionCheckpoint, WalCheckpoint, manifests, record};
use pyralog_env::Disk;
use pyralog_model::{LogNumber, PartitionId};
use redb::{ReadableTable, TableDefinition, WriteTransaction};
use std::path::Path;
use std::sync::Arc;

/// (log, partition) to a versioned `PartitionCheckpoint`.
const PARTITIONS: TableDefinition<'static, (u64, u32), &[u8]> = TableDefinition::new("partitions");

/// One row: a versioned `WalCheckpoint`.
const WAL: TableDefinition<'static, (), &[u8]> = TableDefinition::new("wal");

/// 2 has manifests.
const SCHEMA: Schema = Schema {
    kind: "checkpoints",
    format: 2,
    tables: |transaction| {
        transaction.open_table(PARTITIONS)?;
        transaction.open_table(WAL)?;
        manifests::make_tables(transaction)
    },
};

/// The checkpoints and manifests in one file. One process opens it once.
#[derive(Debug)]
pub struct MetaStore {
    pub(crate) database: Database,
}

impl MetaStore {
    /// Opens the store at `path`, and makes it if there is none; its directory
    /// must exist.
    ///
    /// # Errors
    /// `Corrupt` or `Version` for a file that is not ours to read; it is left
    /// as it is.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<MetaStore, MetaError> {
        Ok(MetaStore { database: Database::open(&*disk, path, SCHEMA)? })
    }

    /// Opens the file at `path` without changing it, for those who look. What is
    /// changed through it is in memory and goes with it.
    ///
    /// # Errors
    /// As `open`, and when there is none.
    pub fn look(disk: &dyn Disk, path: &Path) -> Result<MetaStore, MetaError> {
        Ok(MetaStore { database: Database::look(disk, path, SCHEMA)? })
    }

    /// Begins again after a change that failed with `DiskFull`. Needs no room.
    ///
    /// # Errors
    /// `NotSound` if anything but room was wanting, ever: stop then. `DiskFull`
    /// if it failed for want of room again: `open` makes another attempt.
    pub fn reopen(self) -> Result<MetaStore, MetaError> {
        Ok(MetaStore { database: self.database.reopen()? })
    }

    /// Replaces the given checkpoints, all of them or none, durably. `None`
    /// leaves the one of the write-ahead log as it is.
    ///
    /// # Errors
    /// The disk's. Whether the change happened is then only known after the
    /// next `open`.
    pub fn save_checkpoints(
        &self,
        partitions: &[(PartitionId, PartitionCheckpoint)],
        wal: Option<WalCheckpoint>,
    ) -> Result<(), MetaError> {
        self.save_checkpoints_with(partitions, wal, |_| Ok(()))
    }

    /// As `save_checkpoints`, with something more in the same transaction.
    pub(crate) fn save_checkpoints_with(
        &self,
        partitions: &[(PartitionId, PartitionCheckpoint)],
        wal: Option<WalCheckpoint>,
        more: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<(), MetaError> {
        self.database.write(|transaction| {
            let mut table = transaction.open_table(PARTITIONS)?;
            for (partition, checkpoint) in partitions {
                let key = (partition.log.0, partition.partition.0);
                table.insert(key, record::encode(checkpoint).as_slice())?;
            }
            if let Some(wal) = wal {
                transaction.open_table(WAL)?.insert((), record::encode(&wal).as_slice())?;
            }
            more(transaction)
        })
    }

    /// Reads every checkpoint.
    ///
    /// # Errors
    /// `Corrupt` if one of them cannot be read.
    pub fn load_checkpoints(&self) -> Result<Checkpoints, MetaError> {
        let (partitions, wal, manifests) = self.database.read(|transaction| {
            let mut partitions = Vec::new();
            for row in transaction.open_table(PARTITIONS)?.iter()? {
                let (key, value) = row?;
                partitions.push((key.value(), value.value().to_vec()));
            }
            let wal = transaction.open_table(WAL)?.get(())?.map(|row| row.value().to_vec());
            Ok((partitions, wal, manifests::load(transaction)?))
        })?;
        let manifests = manifests.decode(&self.database)?;
        let mut checkpoints = Checkpoints { manifests, ..Checkpoints::default() };
        for ((log, partition), bytes) in partitions {
            let checkpoint = self.decode(&bytes)?;
            checkpoints.partitions.insert(PartitionId::new(log, partition), checkpoint);
        }
        checkpoints.wal = wal.map(|bytes| self.decode(&bytes)).transpose()?;
        Ok(checkpoints)
    }

    /// Removes the checkpoints and manifests of all partitions of `log`, durably. A log
    /// without any is no error.
    ///
    /// # Errors
    /// The disk's.
    pub fn remove_log(&self, log: LogNumber) -> Result<(), MetaError> {
        self.database.write(|transaction| {
            let mut table = transaction.open_table(PARTITIONS)?;
            table.retain_in((log.0, 0)..=(log.0, u32::MAX), |_, _| false)?;
            manifests::remove_log(transaction, log)
        })
    }

    fn decode<T: serde::de::DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, MetaError> {
        record::decode(bytes).map_err(|what| MetaError::corrupt(self.database.path(), what))
    }
}
