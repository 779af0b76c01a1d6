//! Records as they lie in a batch, for who throws some away and keeps the others byte
//! for byte: headers are not opened, for a name that is no UTF-8 must survive.

use super::{Records, RecordsError, decode_records};
use crate::BatchHeader;
use bytes::{Buf, Bytes};

/// The most that the records of one batch may take when they are decompressed to be
/// compacted, in bytes.
pub const COMPACTED_BATCH_BYTES_MAX: usize = 64 << 20;
/// The most records of one batch that are compacted: in memory each takes a hundred
/// bytes, whatever it takes in the batch.
pub const COMPACTED_BATCH_RECORDS_MAX: u64 = 1 << 19;

/// One record, its key looked at and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// Its offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds since 1970, as the producer said.
    pub timestamp: i64,
    /// The key, if there is one.
    pub key: Option<Bytes>,
    /// It has no value: Kafka's mark of deletion.
    pub is_tombstone: bool,
    pub(super) attributes: u8,
    /// Everything from the key's length on.
    pub(super) rest: Bytes,
}

/// The records of one batch, in order. Ends after the batch's record count, or with
/// the first error.
#[derive(Debug)]
pub struct RawRecords(Records);

/// As `decode_records`, without opening what need not be.
pub fn raw_records(
    header: &BatchHeader,
    batch: &Bytes,
    bytes_max: usize,
) -> Result<RawRecords, RecordsError> {
    decode_records(header, batch, bytes_max).map(RawRecords)
}

impl Iterator for RawRecords {
    type Item = Result<RawRecord, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let records = &mut self.0;
        if records.index >= records.count {
            return None;
        }
        let record = raw_record(records);
        records.index = if record.is_ok() { records.index + 1 } else { records.count };
        Some(record)
    }
}

fn raw_record(records: &mut Records) -> Result<RawRecord, RecordsError> {
    let mut body = records.body()?;
    let attributes = body.get_u8();
    let time_delta = records.varlong(&mut body)?;
    let offset_delta = records.varint(&mut body, "offset delta")?;
    let rest = body.clone();
    let key = records.bytes(&mut body, "key length")?;
    let is_tombstone = records.bytes(&mut body, "value length")?.is_none();
    let timestamp = records.base_timestamp.wrapping_add(time_delta);
    Ok(RawRecord { offset_delta, timestamp, key, is_tombstone, attributes, rest })
}
