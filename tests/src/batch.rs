//! Record batches, written and read by hand.
//!
//! ```text
//! at  0 base offset i64   12 leader epoch i32   21 attributes i16     43 producer id i64
//!     8 length      i32   16 magic 2            23 last delta i32     51 producer epoch i16
//!                         17 CRC-32C of 21…     27 first, 35 max time 53 first sequence i32
//!                                               57 record count i32   61 records
//! ```

use crate::crc32c::crc32c;
use anyhow::{Context, Result, ensure};

/// Bytes before the records.
pub const HEADER_BYTES: usize = 61;

/// A record: its timestamp, key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
}

impl Record {
    /// A record without a key.
    pub fn value(value: impl Into<Vec<u8>>) -> Record {
        Record { timestamp: 1_357_000_000_000, key: None, value: Some(value.into()) }
    }
}

/// A batch as it was fetched.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Leader epoch.
    pub leader_epoch: i32,
    /// Codec in the lowest three bits.
    pub attributes: i16,
    /// How many records.
    pub record_count: i32,
    /// All its bytes.
    pub bytes: Vec<u8>,
}

/// Writes records, not compressed, with base offset 0.
pub fn encode(records: &[Record]) -> Vec<u8> {
    let first = records.first().map_or(0, |record| record.timestamp);
    let latest = records.iter().map(|record| record.timestamp).max().unwrap_or(0);
    let mut body = Vec::new();
    for (delta, record) in records.iter().enumerate() {
        let mut one = vec![0];
        put_varint(&mut one, record.timestamp - first);
        put_varint(&mut one, delta as i64);
        put_bytes(&mut one, record.key.as_deref());
        put_bytes(&mut one, record.value.as_deref());
        put_varint(&mut one, 0);
        put_varint(&mut body, one.len() as i64);
        body.extend(one);
    }
    assemble(0, records.len() as i32, (first, latest), &body)
}

/// A batch around a payload that is already encoded, perhaps compressed.
pub fn assemble(attributes: i16, record_count: i32, times: (i64, i64), payload: &[u8]) -> Vec<u8> {
    let mut checked = Vec::with_capacity(payload.len() + HEADER_BYTES);
    checked.extend(attributes.to_be_bytes());
    checked.extend((record_count - 1).to_be_bytes());
    checked.extend(times.0.to_be_bytes());
    checked.extend(times.1.to_be_bytes());
    checked.extend((-1_i64).to_be_bytes());
    checked.extend((-1_i16).to_be_bytes());
    checked.extend((-1_i32).to_be_bytes());
    checked.extend(record_count.to_be_bytes());
    checked.extend(payload);
    let mut bytes = Vec::with_capacity(checked.len() + 21);
    bytes.extend(0_i64.to_be_bytes());
    bytes.extend((checked.len() as i32 + 9).to_be_bytes());
    bytes.extend((-1_i32).to_be_bytes());
    bytes.push(2);
    bytes.extend(crc32c(&checked).to_be_bytes());
    bytes.extend(checked);
    bytes
}

/// The same batch as one of a producer's session: its first record has this
/// sequence.
pub fn in_session(mut bytes: Vec<u8>, producer: i64, epoch: i16, sequence: i32) -> Vec<u8> {
    bytes[43..51].copy_from_slice(&producer.to_be_bytes());
    bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    let checksum = crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Cuts fetched bytes into batches; a piece of one at the end is left out, as
/// Kafka allows.
///
/// # Errors
/// When a batch is not of version 2 or its checksum is wrong.
pub fn split(mut bytes: &[u8]) -> Result<Vec<Batch>> {
    let mut batches = Vec::new();
    while bytes.len() >= HEADER_BYTES {
        let length = usize::try_from(i32_at(bytes, 8))? + 12;
        if length > bytes.len() {
            break;
        }
        let (batch, rest) = bytes.split_at(length);
        ensure!(batch[16] == 2, "magic {}", batch[16]);
        ensure!(
            i32_at(batch, 17) as u32 == crc32c(&batch[21..]),
            "the checksum of a batch is wrong"
        );
        batches.push(Batch {
            base_offset: i64::from_be_bytes(batch[..8].try_into()?),
            leader_epoch: i32_at(batch, 12),
            attributes: i16::from_be_bytes(batch[21..23].try_into()?),
            record_count: i32_at(batch, 57),
            bytes: batch.to_vec(),
        });
        bytes = rest;
    }
    Ok(batches)
}

impl Batch {
    /// The records with their offsets; only of a batch that is not compressed.
    pub fn records(&self) -> Result<Vec<(i64, Record)>> {
        ensure!(self.attributes & 7 == 0, "the batch is compressed");
        let first = i64::from_be_bytes(self.bytes[27..35].try_into()?);
        let mut reader = &self.bytes[HEADER_BYTES..];
        let mut records = Vec::new();
        for _ in 0..self.record_count {
            let length = usize::try_from(varint(&mut reader)?)?;
            let (mut one, rest) = reader.split_at_checked(length).context("a record is cut off")?;
            reader = rest;
            one = one.get(1..).context("an empty record")?;
            let timestamp = first + varint(&mut one)?;
            let offset = self.base_offset + varint(&mut one)?;
            let (key, value) = (take_bytes(&mut one)?, take_bytes(&mut one)?);
            records.push((offset, Record { timestamp, key, value }));
        }
        ensure!(reader.is_empty(), "bytes after the last record");
        Ok(records)
    }

    /// The bytes without what a broker may change: base offset and leader epoch.
    pub fn kept(&self) -> Vec<u8> {
        [&self.bytes[8..12], &self.bytes[16..]].concat()
    }
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_varint(out, bytes.map_or(-1, |bytes| bytes.len() as i64));
    out.extend(bytes.unwrap_or_default());
}

fn put_varint(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn varint(reader: &mut &[u8]) -> Result<i64> {
    let (mut number, mut shift) = (0_u64, 0);
    loop {
        let (&byte, rest) = reader.split_first().context("a number is cut off")?;
        *reader = rest;
        ensure!(shift < 64, "a number is too long");
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
        }
        shift += 7;
    }
}

fn take_bytes(reader: &mut &[u8]) -> Result<Option<Vec<u8>>> {
    let length = varint(reader)?;
    if length < 0 {
        return Ok(None);
    }
    let (bytes, rest) =
        reader.split_at_checked(usize::try_from(length)?).context("bytes are cut off")?;
    *reader = rest;
    Ok(Some(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive() {
        let keyed = Record { timestamp: 5, key: Some(b"k".to_vec()), value: None };
        let records = vec![keyed, Record { timestamp: 9, ..Record::value("v") }];
        let batches = split(&[encode(&records), encode(&records)[..70].to_vec()].concat()).unwrap();
        assert_eq!(batches.len(), 1);
        let read: Vec<Record> =
            batches[0].records().unwrap().into_iter().map(|(_, record)| record).collect();
        assert_eq!(read, records);
    }

    #[test]
    fn a_wrong_bit_is_noticed() {
        let mut bytes = encode(&[Record::value("v")]);
        *bytes.last_mut().unwrap() ^= 1;
        assert!(split(&bytes).is_err());
    }
}
