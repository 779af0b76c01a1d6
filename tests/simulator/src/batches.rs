//! Batches to append: well-formed on the outside, noise within, no two alike.

use crate::chance::Chance;
use bytes::Bytes;
use pyralog_model::batch_crc;

const HEADER_BYTES: usize = 61;

/// Makes a batch of `records` records in `bytes` bytes, at least its header.
pub(crate) fn make_batch(chance: &Chance, records: u32, bytes: usize, time: i64) -> Bytes {
    let mut batch = vec![0; bytes.max(HEADER_BYTES)];
    chance.fill(&mut batch[HEADER_BYTES..]);
    let length = i32::try_from(batch.len() - 12).expect("small batches");
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[16] = 2;
    batch[23..27].copy_from_slice(&(records - 1).to_be_bytes());
    batch[27..35].copy_from_slice(&time.to_be_bytes());
    batch[35..43].copy_from_slice(&(time + i64::from(records)).to_be_bytes());
    // A producer id of its own for every batch, so that even empty ones differ.
    batch[43..51].copy_from_slice(&(chance.next() >> 1).to_be_bytes());
    batch[57..61].copy_from_slice(&records.to_be_bytes());
    let crc = batch_crc(&batch);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    Bytes::from(batch)
}

/// Mostly small, sometimes large, rarely a third of a WAL file.
pub(crate) fn some_bytes(chance: &Chance) -> usize {
    let largest = match chance.below(20) {
        0..10 => 700,
        10..17 => 3_000,
        17..19 => 9_000,
        _ => 20_000,
    };
    HEADER_BYTES + chance.below(largest) as usize
}
