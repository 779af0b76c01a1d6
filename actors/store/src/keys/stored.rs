//! Stored batches, as an index looks at them.
//!
//! A batch that its producer sent so that nobody can open it has no keys, and neither
//! have the cluster's own records.

use bytes::Bytes;
use pyralog_index::KeyIndex;
use pyralog_log::{LogError, PartitionLog, Slice};
use pyralog_model::{
    BatchHeader, COMPACTED_BATCH_BYTES_MAX, Offset, Record, ScarabId, decode_records, raw_records,
};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;

pub(super) struct Stored {
    header: BatchHeader,
    batch: Bytes,
    /// The id of its first record, 0 without one.
    scarab_base: u64,
}

impl Stored {
    /// Some batches from the one that holds `from`, or the next one that is there: at
    /// least one, unless none is left.
    pub(super) fn read(log: &PartitionLog, from: Offset) -> Result<Vec<Stored>, LogError> {
        let mut from = from;
        loop {
            match log.read(from, READ_BYTES) {
                // The start has moved on.
                Err(LogError::OutOfRange { start, .. }) if from < start => from = start,
                read => return Ok(Stored::of(read?).collect()),
            }
        }
    }

    /// The batch that holds `offset`, or the next one that is there.
    pub(super) fn at(log: &PartitionLog, offset: Offset) -> Result<Option<Stored>, LogError> {
        match log.read_one(offset) {
            Err(LogError::OutOfRange { .. }) => Ok(None),
            read => Ok(Stored::of(read?).next()),
        }
    }

    fn of(slice: Slice) -> impl Iterator<Item = Stored> {
        let stored = slice.pieces.into_iter().zip(slice.scarab_bases);
        // What is stored was parsed when it was taken.
        stored.filter_map(|(batch, scarab_base)| {
            let header = BatchHeader::parse(&batch).ok()?;
            Some(Stored { header, batch, scarab_base })
        })
    }

    fn base(&self) -> u64 {
        self.header.base_offset as u64
    }

    /// The offset after it.
    pub(super) fn end(&self) -> Offset {
        Offset(self.base() + self.header.offsets())
    }

    /// The records from `from` on that have a key, for [`KeyIndex::insert_all`].
    pub(super) fn keyed(&self, index: &KeyIndex, from: Offset) -> Vec<(u64, Offset, bool)> {
        let records = raw_records(&self.header, &self.batch, COMPACTED_BATCH_BYTES_MAX);
        let records = records.ok().filter(|_| !self.header.is_control());
        let records = records.into_iter().flatten().map_while(Result::ok);
        let keyed = records.filter_map(|record| {
            let offset = self.offset(record.offset_delta);
            let key = record.key.filter(|_| offset >= from)?;
            Some((index.hash(&key), offset, record.is_tombstone))
        });
        keyed.collect()
    }

    /// Its records with their offsets.
    pub(super) fn records(&self) -> impl Iterator<Item = (Offset, Record)> + '_ {
        let records = decode_records(&self.header, &self.batch, COMPACTED_BATCH_BYTES_MAX);
        let records = records.ok().filter(|_| !self.header.is_control());
        let records = records.into_iter().flatten().map_while(Result::ok);
        records.map(|record| (self.offset(record.offset_delta), record))
    }

    /// The id of the record at `offset`.
    pub(super) fn scarab_id(&self, offset: Offset) -> Option<ScarabId> {
        let nth = offset.0.saturating_sub(self.base());
        (self.scarab_base != 0).then(|| ScarabId(self.scarab_base).nth(nth))
    }

    fn offset(&self, delta: i32) -> Offset {
        Offset(self.base().wrapping_add(delta as u64))
    }
}
