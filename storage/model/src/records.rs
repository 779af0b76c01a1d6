//! The records inside a batch, read one by one; `BatchBuilder` makes batches.
//!
//! ```text
//!   one record (all lengths and numbers are zigzag variable-length integers,
//!   a length of -1 says "none"):
//!
//!   ├────────┼────────┼─────────┼────────┼─────────┼───────────┼─────────┤
//!   │ length │ 0 (1 B)│ time    │ offset │ key     │ value     │ headers │
//!   │        │        │ delta   │ delta  │ len+data│ len+data  │ count+… │
//!   └────────┴────────┴─────────┴────────┴─────────┴───────────┴─────────┘
//! ```
//!
//! The checksum says that bytes are what the producer sent, not that the
//! producer was sane: every length is held against the bytes that are there.

use crate::compression::{CompressionError, decompress};
use crate::{BATCH_HEADER_BYTES, BatchHeader, Compression};
use bytes::{Buf, Bytes};
use thiserror::Error;

mod builder;
mod raw;
mod rewriting;

pub use builder::BatchBuilder;
pub use raw::{
    COMPACTED_BATCH_BYTES_MAX, COMPACTED_BATCH_RECORDS_MAX, RawRecord, RawRecords, raw_records,
};
pub use rewriting::rewrite_batch;

/// The attribute bit which says that `max_timestamp` is every record's time.
const LOG_APPEND_TIME: i16 = 0x08;

/// Why the records of a batch cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordsError {
    /// They do not decompress.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// A record is longer than its batch, or a field than its record.
    #[error("record {index} of the batch is cut short")]
    Short {
        /// The record's place in the batch, from 0.
        index: i32,
    },
    /// A length or number that cannot be.
    #[error("record {index} of the batch is malformed: {what}")]
    Malformed {
        /// The record's place in the batch, from 0.
        index: i32,
        /// The field.
        what: &'static str,
    },
}

/// One record. Keys and values share the memory of the batch they came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The key, if there is one.
    pub key: Option<Bytes>,
    /// The value; none is Kafka's mark of deletion.
    pub value: Option<Bytes>,
    /// In the order they were sent.
    pub headers: Vec<RecordHeader>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeader {
    /// UTF-8; bytes that are not are replaced by U+FFFD.
    pub key: String,
    /// The value, if there is one.
    pub value: Option<Bytes>,
}

/// The records of one batch, in order. Ends after the batch's record count, or
/// with the first error.
#[derive(Debug)]
pub struct Records {
    rest: Bytes,
    index: i32,
    count: i32,
    base_timestamp: i64,
    append_time: Option<i64>,
}

/// Opens the records of a verified batch. Compressed ones are decompressed into
/// at most `bytes_max` bytes; uncompressed ones are never copied.
pub fn decode_records(
    header: &BatchHeader,
    batch: &Bytes,
    bytes_max: usize,
) -> Result<Records, RecordsError> {
    let end = header.batch_bytes.min(batch.len());
    if end < BATCH_HEADER_BYTES {
        return Err(RecordsError::Short { index: 0 });
    }
    let packed = batch.slice(BATCH_HEADER_BYTES..end);
    let rest = match header.compression() {
        Ok(Compression::None) => packed,
        Ok(compression) => Bytes::from(decompress(compression, &packed, bytes_max)?),
        Err(_) => return Err(RecordsError::Malformed { index: 0, what: "compression" }),
    };
    let append_time = (header.attributes & LOG_APPEND_TIME != 0).then_some(header.max_timestamp);
    Ok(Records {
        rest,
        index: 0,
        count: header.record_count,
        base_timestamp: header.base_timestamp,
        append_time,
    })
}

impl Iterator for Records {
    type Item = Result<Record, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.count {
            return None;
        }
        let record = self.record();
        self.index = if record.is_ok() { self.index + 1 } else { self.count };
        Some(record)
    }
}

impl Records {
    fn record(&mut self) -> Result<Record, RecordsError> {
        let mut body = self.body()?;
        let body = &mut body;
        body.advance(1);
        let time_delta = self.varlong(body)?;
        let offset_delta = self.varint(body, "offset delta")?;
        let key = self.bytes(body, "key length")?;
        let value = self.bytes(body, "value length")?;
        let headers = self.headers(body)?;
        let timestamp =
            self.append_time.unwrap_or_else(|| self.base_timestamp.wrapping_add(time_delta));
        Ok(Record { offset_delta, timestamp, key, value, headers })
    }

    /// The bytes of the next record behind its length: one at least.
    fn body(&mut self) -> Result<Bytes, RecordsError> {
        let mut rest = std::mem::take(&mut self.rest);
        let length =
            self.length(&mut rest, "record length")?.ok_or(self.malformed("record length"))?;
        let body = rest.split_to(length);
        self.rest = rest;
        if body.is_empty() { Err(self.short()) } else { Ok(body) }
    }

    fn headers(&self, body: &mut Bytes) -> Result<Vec<RecordHeader>, RecordsError> {
        let count = self.varint(body, "header count")?;
        // A header has two lengths of a byte each at the least.
        let count = usize::try_from(count).ok().filter(|count| *count <= body.len() / 2);
        let count = count.ok_or(self.malformed("header count"))?;
        // Grown as headers are found: in memory a header is many times its wire size.
        let mut headers = Vec::new();
        for _ in 0..count {
            let key = self.bytes(body, "header key")?.ok_or(self.malformed("header key"))?;
            let key = String::from_utf8_lossy(&key).into_owned();
            headers.push(RecordHeader { key, value: self.bytes(body, "header value")? });
        }
        Ok(headers)
    }

    fn bytes(&self, from: &mut Bytes, what: &'static str) -> Result<Option<Bytes>, RecordsError> {
        Ok(self.length(from, what)?.map(|length| from.split_to(length)))
    }

    /// A length that is there in `from`, or `None` for -1.
    fn length(&self, from: &mut Bytes, what: &'static str) -> Result<Option<usize>, RecordsError> {
        match self.varint(from, what)? {
            -1 => Ok(None),
            length if length < 0 => Err(self.malformed(what)),
            length if length as usize > from.len() => Err(self.short()),
            length => Ok(Some(length as usize)),
        }
    }

    fn varint(&self, from: &mut Bytes, what: &'static str) -> Result<i32, RecordsError> {
        i32::try_from(self.varlong(from)?).map_err(|_| self.malformed(what))
    }

    fn varlong(&self, from: &mut Bytes) -> Result<i64, RecordsError> {
        let mut raw = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = from.try_get_u8().map_err(|_| self.short())?;
            raw |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
            }
        }
        Err(self.malformed("a number of more than ten bytes"))
    }

    fn short(&self) -> RecordsError {
        RecordsError::Short { index: self.index }
    }

    fn malformed(&self, what: &'static str) -> RecordsError {
        RecordsError::Malformed { index: self.index, what }
    }
}

#[cfg(test)]
mod tests;
