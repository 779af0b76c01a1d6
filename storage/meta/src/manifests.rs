//! Which segments of which partition were rewritten, and how far each is compacted.
//!
//! A segment takes the place of those that lie in its offsets in one transaction: at
//! any moment each offset is in one file.

use crate::database::Database;
use crate::{
    Manifest, MetaError, MetaStore, PartitionCheckpoint, RewrittenSegment, WalCheckpoint, record,
};
use pyralog_model::{LogNumber, PartitionId};
use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use std::collections::BTreeMap;

/// (log, partition, first offset) to a versioned `RewrittenSegment`.
const REWRITTEN: TableDefinition<'static, (u64, u32, u64), &[u8]> =
    TableDefinition::new("rewritten");

/// (log, partition) to the versioned offset up to which it is compacted.
const CLEANED: TableDefinition<'static, (u64, u32), &[u8]> = TableDefinition::new("cleaned");

impl MetaStore {
    /// As `save_checkpoints` of one partition whose start has moved: forgets, in the
    /// same transaction, rewritten segments that end there or before.
    ///
    /// # Errors
    /// As `save_checkpoints`; `Corrupt` if what is known of a segment cannot be read.
    pub fn save_start(
        &self,
        partition: PartitionId,
        checkpoint: &PartitionCheckpoint,
        wal: WalCheckpoint,
    ) -> Result<(), MetaError> {
        let start = checkpoint.log_start;
        let gone = self.rewritten(partition, 0, start)?;
        let gone = gone.into_iter().filter(|(_, segment)| segment.end <= start);
        let gone: Vec<u64> = gone.map(|(base, _)| base).collect();
        self.save_checkpoints_with(&[(partition, *checkpoint)], Some(wal), |transaction| {
            let mut table = transaction.open_table(REWRITTEN)?;
            for base in &gone {
                table.remove(key(partition, *base))?;
            }
            Ok(())
        })
    }

    /// Puts the rewritten segment that begins at `base` in the place of all that begin
    /// in its offsets, durably.
    ///
    /// # Errors
    /// The disk's. Whether the change happened is then only known after the next
    /// `open`.
    pub fn replace_segments(
        &self,
        partition: PartitionId,
        base: u64,
        segment: &RewrittenSegment,
    ) -> Result<(), MetaError> {
        self.database.write(|transaction| {
            let mut table = transaction.open_table(REWRITTEN)?;
            table.retain_in(key(partition, base)..key(partition, segment.end), |_, _| false)?;
            table.insert(key(partition, base), record::encode(segment).as_slice())?;
            Ok(())
        })
    }

    /// Saves up to which offset a partition is compacted, durably.
    ///
    /// # Errors
    /// As `replace_segments`.
    pub fn save_cleaned(&self, partition: PartitionId, cleaned: u64) -> Result<(), MetaError> {
        self.database.write(|transaction| {
            let key = (partition.log.0, partition.partition.0);
            transaction.open_table(CLEANED)?.insert(key, record::encode(&cleaned).as_slice())?;
            Ok(())
        })
    }

    /// Those of a partition that begin in a range.
    fn rewritten(
        &self,
        partition: PartitionId,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, RewrittenSegment)>, MetaError> {
        let found = self.database.read(|transaction| {
            let table = transaction.open_table(REWRITTEN)?;
            let mut found = Vec::new();
            for row in table.range(key(partition, from)..key(partition, to))? {
                let (key, value) = row?;
                found.push((key.value().2, value.value().to_vec()));
            }
            Ok(found)
        })?;
        found.into_iter().map(|(base, bytes)| Ok((base, decode(&self.database, &bytes)?))).collect()
    }
}

/// Rows as they lie in the tables.
pub(crate) struct Rows {
    rewritten: Vec<((u64, u32, u64), Vec<u8>)>,
    cleaned: Vec<((u64, u32), Vec<u8>)>,
}

pub(crate) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(REWRITTEN)?;
    transaction.open_table(CLEANED)?;
    Ok(())
}

pub(crate) fn load(transaction: &ReadTransaction) -> Result<Rows, redb::Error> {
    let mut rows = Rows { rewritten: Vec::new(), cleaned: Vec::new() };
    for row in transaction.open_table(REWRITTEN)?.iter()? {
        let (key, value) = row?;
        rows.rewritten.push((key.value(), value.value().to_vec()));
    }
    for row in transaction.open_table(CLEANED)?.iter()? {
        let (key, value) = row?;
        rows.cleaned.push((key.value(), value.value().to_vec()));
    }
    Ok(rows)
}

pub(crate) fn remove_log(
    transaction: &WriteTransaction,
    log: LogNumber,
) -> Result<(), redb::Error> {
    let mut rewritten = transaction.open_table(REWRITTEN)?;
    rewritten.retain_in((log.0, 0, 0)..=(log.0, u32::MAX, u64::MAX), |_, _| false)?;
    let mut cleaned = transaction.open_table(CLEANED)?;
    cleaned.retain_in((log.0, 0)..=(log.0, u32::MAX), |_, _| false)?;
    Ok(())
}

impl Rows {
    pub(crate) fn decode(
        self,
        database: &Database,
    ) -> Result<BTreeMap<PartitionId, Manifest>, MetaError> {
        let mut manifests: BTreeMap<PartitionId, Manifest> = BTreeMap::new();
        for ((log, partition, base), bytes) in self.rewritten {
            let manifest = manifests.entry(PartitionId::new(log, partition)).or_default();
            manifest.segments.insert(base, decode(database, &bytes)?);
        }
        for ((log, partition), bytes) in self.cleaned {
            let manifest = manifests.entry(PartitionId::new(log, partition)).or_default();
            manifest.cleaned = decode(database, &bytes)?;
        }
        Ok(manifests)
    }
}

fn key(partition: PartitionId, base: u64) -> (u64, u32, u64) {
    (partition.log.0, partition.partition.0, base)
}

fn decode<T: serde::de::DeserializeOwned>(
    database: &Database,
    bytes: &[u8],
) -> Result<T, MetaError> {
    record::decode(bytes).map_err(|what| MetaError::corrupt(database.path(), what))
}
