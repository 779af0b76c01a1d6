//! A batch whose records are being turned into rows.

use crate::decode::{Place, RowDecoder};
use crate::failure::external;
use crate::predicate::TimeBounds;
use bytes::Bytes;
use datafusion::common::DataFusionError;
use pyralog_model::{
    ApiError, BATCH_HEADER_BYTES, BatchHeader, Compression, CompressionError, ErrorCode, Record,
    Records, RecordsError, decode_records, decompress,
};
use std::ops::Range;

/// The most that the records of one batch may take when decompressed.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// How many times as large records are usually when decompressed.
const RATIO_USUAL: usize = 8;
/// Room for the records of a small batch, however well they compress.
const DECOMPRESSED_BYTES_FIRST: usize = 256 << 10;

/// The bits of a batch's attributes that say how it is compressed.
const COMPRESSION_BITS: i16 = 0x07;

/// A batch that was begun.
pub(super) struct OpenBatch {
    /// The first record's.
    base: Place,
    /// Offsets that are wanted of it and not yet done.
    wanted: Range<u64>,
    /// `None` if places are enough.
    records: Option<Records>,
    /// The offset of the next of `records`, if every offset has one.
    next: u64,
    /// Some offsets have no record any more: those that are left say which they are.
    has_gaps: bool,
    /// Records that a broker wrote for itself: rows without key and value.
    is_control: bool,
    bytes: usize,
}

/// What one step has done.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Records that were passed, shown or not.
    pub(super) passed: u64,
    /// Rows that were made.
    pub(super) rows: u64,
    /// Fields that became NULL for not being what the schema says.
    pub(super) coerced: u64,
    /// Nothing of the batch is left.
    pub(super) ended: bool,
}

impl OpenBatch {
    /// `base` is the place of the batch's first record. Memory is asked of `reserve`
    /// before it is taken, with all that the batch will have then.
    pub(super) fn new(
        base: Place,
        header: BatchHeader,
        batch: Bytes,
        wanted: Range<u64>,
        needs_records: bool,
        reserve: impl Fn(usize) -> Result<(), DataFusionError>,
    ) -> Result<OpenBatch, DataFusionError> {
        let (mut records, mut bytes) = (None, 0);
        if needs_records {
            let refused = |error| external(unreadable(&base, base.offset, error));
            let (header, batch) = decompressed(&header, batch, refused, reserve)?;
            bytes = batch.len();
            records = Some(decode_records(&header, &batch, 0).map_err(refused)?);
        }
        let (next, is_control) = (base.offset as u64, header.is_control());
        let has_gaps = header.records() < header.offsets();
        Ok(OpenBatch { base, wanted, records, next, has_gaps, is_control, bytes })
    }

    /// Bytes that it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes rows until the batch ends, the columns are full or have `rows_max` rows.
    pub(super) fn decode_into(
        &mut self,
        decoder: &mut RowDecoder,
        time: &TimeBounds,
        rows_max: usize,
    ) -> Result<Done, ApiError> {
        let mut done = Done::default();
        while !self.wanted.is_empty() {
            if decoder.is_full() || decoder.rows() >= rows_max {
                return Ok(done);
            }
            if self.records.is_none() {
                decoder.push_place(&self.place(self.wanted.start));
                self.wanted.start += 1;
                done.passed += 1;
                continue;
            }
            let Some((offset, record)) = self.wanted_record()? else { break };
            if time.contains(record.timestamp) {
                done.coerced += decoder.push(&self.place(offset), &record);
                done.rows += 1;
            }
            self.wanted.start = offset + 1;
            done.passed += 1;
        }
        done.ended = true;
        Ok(done)
    }

    /// The first record that is `wanted`, and its offset; none if nothing is left.
    fn wanted_record(&mut self) -> Result<Option<(u64, Record)>, ApiError> {
        let Some(records) = &mut self.records else { return Ok(None) };
        loop {
            let short = RecordsError::Short { index: (self.next - self.base.offset as u64) as i32 };
            let record = match records.next() {
                None if self.has_gaps => return Ok(None),
                record => record.unwrap_or(Err(short)),
            };
            let record = record.map_err(|e| unreadable(&self.base, self.next as i64, e))?;
            let offset = match self.has_gaps {
                true => self.base.offset as u64 + u64::try_from(record.offset_delta).unwrap_or(0),
                false => self.next,
            };
            self.next = offset + 1;
            if offset >= self.wanted.end {
                return Ok(None);
            }
            if offset >= self.wanted.start {
                return Ok(Some((offset, self.shown(record))));
            }
        }
    }

    /// A control record is there, and its offset counts; what it says is not for queries.
    fn shown(&self, record: Record) -> Record {
        match self.is_control {
            false => record,
            true => Record { key: None, value: None, headers: Vec::new(), ..record },
        }
    }

    fn place(&self, offset: u64) -> Place {
        let index = offset - self.base.offset as u64;
        let scarab_id = self.base.scarab_id.map(|first| first.nth(index));
        Place { offset: offset as i64, scarab_id, ..self.base }
    }
}

/// The same batch, not compressed: so that it is known how much memory it takes.
fn decompressed(
    header: &BatchHeader,
    batch: Bytes,
    refused: impl Fn(RecordsError) -> DataFusionError,
    reserve: impl Fn(usize) -> Result<(), DataFusionError>,
) -> Result<(BatchHeader, Bytes), DataFusionError> {
    let compression = header.compression();
    let compression = compression
        .map_err(|_| refused(RecordsError::Malformed { index: 0, what: "compression" }))?;
    if compression == Compression::None {
        return Ok((*header, batch));
    }
    let packed = batch.get(BATCH_HEADER_BYTES..).unwrap_or_default();
    // How much comes out is not known before; so it begins with what is usual.
    let mut bytes_max = packed.len().saturating_mul(RATIO_USUAL);
    let records = loop {
        bytes_max = bytes_max.clamp(DECOMPRESSED_BYTES_FIRST, DECOMPRESSED_BYTES_MAX);
        // Twice: the records, and their copy behind the header.
        reserve(2 * bytes_max)?;
        match decompress(compression, packed, bytes_max) {
            Err(CompressionError::TooLarge { .. }) if bytes_max < DECOMPRESSED_BYTES_MAX => {
                bytes_max *= 2;
            }
            opened => break opened.map_err(|error| refused(error.into()))?,
        }
    };
    let whole = [&batch[..BATCH_HEADER_BYTES], &records].concat();
    let attributes = header.attributes & !COMPRESSION_BITS;
    Ok((BatchHeader { attributes, batch_bytes: whole.len(), ..*header }, Bytes::from(whole)))
}

/// Its checksum is right: the producer sent it so.
fn unreadable(base: &Place, offset: i64, error: RecordsError) -> ApiError {
    let Place { partition, .. } = base;
    let message = format!(
        "the record at offset {offset} of partition {partition} is stored as its producer sent it \
         and cannot be read ({error}); leave its batch out with conditions on _offset and _partition"
    );
    ApiError::new(ErrorCode::RecordCorrupt, message)
}
