//! A batch with some of its records: what compaction leaves of it.
//!
//! Offsets, sequences and epochs stay what they were, and so does the compression.
//! The greatest time becomes that of the records that are left. A batch of which no
//! record is left is a header that tells of its producer's session.

use super::builder::{put_varlong, varlong_bytes};
use super::{LOG_APPEND_TIME, RawRecord};
use crate::batch::DELETE_HORIZON;
use crate::compression::compress;
use crate::{BATCH_HEADER_BYTES, BatchHeader, Compression, batch_crc};
use bytes::Bytes;

/// The bits of the attributes that say how the records are compressed.
const COMPRESSION_BITS: i16 = 0x07;

/// What the greatest time is where there is no record.
const NO_TIME: i64 = -1;

/// `batch`, of which `header` is the header, with the records in `kept`, which are
/// its own and in their order. `horizon` is the time in milliseconds from which on
/// its marks of deletion may go; without one nothing is said of it.
///
/// # Panics
/// If the batch becomes larger than 2 GiB, which no batch from a producer does.
pub fn rewrite_batch(
    header: &BatchHeader,
    batch: &Bytes,
    kept: &[RawRecord],
    horizon: Option<i64>,
) -> Bytes {
    let base_timestamp = horizon.unwrap_or(header.base_timestamp);
    let compression = match kept {
        [] => Compression::None,
        _ => header.compression().unwrap_or(Compression::None),
    };
    let records = encode(kept, base_timestamp);
    let mut bytes = batch[..BATCH_HEADER_BYTES].to_vec();
    match compression {
        Compression::None => bytes.extend_from_slice(&records),
        compression => bytes.extend_from_slice(&compress(compression, &records)),
    }
    let length = i32::try_from(bytes.len() - 12).expect("a batch is below 2 GiB");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    let attributes = attributes(header, kept.is_empty(), horizon.is_some());
    bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
    bytes[27..35].copy_from_slice(&base_timestamp.to_be_bytes());
    bytes[35..43].copy_from_slice(&max_timestamp(header, kept).to_be_bytes());
    let count = i32::try_from(kept.len()).expect("no more than there were");
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = batch_crc(&bytes);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    Bytes::from(bytes)
}

fn encode(kept: &[RawRecord], base_timestamp: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(kept.iter().map(|record| record.rest.len() + 24).sum());
    for record in kept {
        let time_delta = record.timestamp.wrapping_sub(base_timestamp);
        let offset_delta = i64::from(record.offset_delta);
        let before = 1 + varlong_bytes(time_delta) + varlong_bytes(offset_delta);
        put_varlong(&mut bytes, (before + record.rest.len()) as i64);
        bytes.push(record.attributes);
        put_varlong(&mut bytes, time_delta);
        put_varlong(&mut bytes, offset_delta);
        bytes.extend_from_slice(&record.rest);
    }
    bytes
}

fn attributes(header: &BatchHeader, is_empty: bool, has_horizon: bool) -> i16 {
    let mut attributes = header.attributes & !DELETE_HORIZON;
    if is_empty {
        attributes &= !COMPRESSION_BITS;
    }
    if has_horizon {
        attributes |= DELETE_HORIZON;
    }
    attributes
}

fn max_timestamp(header: &BatchHeader, kept: &[RawRecord]) -> i64 {
    match kept.iter().map(|record| record.timestamp).max() {
        None => NO_TIME,
        // It is every record's time.
        Some(_) if header.attributes & LOG_APPEND_TIME != 0 => header.max_timestamp,
        Some(greatest) => greatest,
    }
}
