//! Kafka's record batch, version 2: the unit at rest, in flight and in
//! replication. It is kept byte for byte as the producer sent it, but for the
//! two fields that lie outside its checksum:
//!
//! ```text
//! byte  0        8        12       16  17     21    23        27
//!       ├────────┼────────┼────────┼───┼──────┼─────┼─────────┼─ …
//!       │ base   │ length │ leader │ 2 │ CRC  │attri│ last    │
//!       │ offset │ - 12   │ epoch  │   │ 32-C │butes│ delta   │
//!       └────────┴────────┴────────┴───┴──────┴─────┴─────────┴─ …
//!        patched           patched       covers ──▶ everything after it
//!
//!  … 27          35       43       51       53       57       61
//!    ├───────────┼────────┼────────┼────────┼────────┼────────┼──────────
//!    │ base time │max time│producer│producer│ base   │ record │ records …
//!    │           │        │ id     │ epoch  │sequence│ count  │
//!    └───────────┴────────┴────────┴────────┴────────┴────────┴──────────
//! ```
//!
//! All integers are big-endian, as on Kafka's wire.
//!
//! A producer's batch is dense: record k has the offset k after the first one's. Of a
//! batch that was compacted some records, or all of them, are gone; their offsets
//! stay its own. Attribute bit 6 says then, as in Kafka, that the base time is the
//! time from which on its marks of deletion may go.

use crate::{Epoch, Offset};
use bytes::Bytes;
use thiserror::Error;

/// Length of the fixed part of a batch.
pub const BATCH_HEADER_BYTES: usize = 61;

/// Bytes before the part that the batch's own checksum covers.
const UNCHECKED_BYTES: usize = 21;

/// The bit of the attributes which says that the base time is a delete horizon.
pub(crate) const DELETE_HORIZON: i16 = 0x40;

/// The first 21 bytes of a batch: all that its own checksum leaves out.
pub type BatchPrefix = [u8; UNCHECKED_BYTES];

/// Why bytes are not a batch that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BatchError {
    /// Fewer bytes than the header or its length field needs.
    #[error("the batch is cut short: {have} of {need} bytes")]
    Short {
        /// Bytes there are.
        have: usize,
        /// Bytes it takes.
        need: usize,
    },
    /// A length field below the header's own length, or negative.
    #[error("the batch claims an impossible length of {0}")]
    Length(i32),
    /// Message formats 0 and 1.
    #[error("record batches of version 2 are taken, this one has version {0}")]
    Magic(i8),
    /// The checksum does not match.
    #[error("the batch's CRC-32C is {stored:08x} but its bytes have {computed:08x}")]
    Crc {
        /// The checksum in the batch.
        stored: u32,
        /// The checksum of its bytes.
        computed: u32,
    },
    /// Record count and last offset delta disagree, or there is no record where one
    /// must be.
    #[error("a batch of {records} records cannot end {last_delta} after its base offset")]
    Count {
        /// The record count.
        records: i32,
        /// The last offset delta.
        last_delta: i32,
    },
    /// An unknown compression.
    #[error("compression type {0} is unknown")]
    Compression(u8),
    /// Bytes that no record needs, or no batch at all.
    #[error("the record field holds no batch")]
    Empty,
}

/// How a producer compressed the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip.
    Gzip,
    /// Snappy, raw or in Xerial frames.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// The fixed part of a batch, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record.
    pub base_offset: i64,
    /// Length of the whole batch in bytes, this header included.
    pub batch_bytes: usize,
    /// The epoch under which it was stored.
    pub leader_epoch: i32,
    /// CRC-32C of everything from byte 21.
    pub crc: u32,
    /// Compression, timestamp type, transactional and control bits.
    pub attributes: i16,
    /// Offset of the last record minus `base_offset`.
    pub last_offset_delta: i32,
    /// Timestamp of the first record in milliseconds.
    pub base_timestamp: i64,
    /// Greatest timestamp in milliseconds.
    pub max_timestamp: i64,
    /// The producer's session, or -1.
    pub producer_id: i64,
    /// The session's epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence of the first record, or -1.
    pub base_sequence: i32,
    /// Number of records.
    pub record_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes` and checks what can be checked
    /// without the records: version, lengths, counts. `bytes` may end anywhere
    /// after the header.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        if bytes.len() < BATCH_HEADER_BYTES {
            return Err(BatchError::Short { have: bytes.len(), need: BATCH_HEADER_BYTES });
        }
        let magic = bytes[16] as i8;
        if magic != 2 {
            return Err(BatchError::Magic(magic));
        }
        let length = i32::from_be_bytes(field(bytes, 8));
        if length < (BATCH_HEADER_BYTES - 12) as i32 {
            return Err(BatchError::Length(length));
        }
        let header = BatchHeader {
            base_offset: i64::from_be_bytes(field(bytes, 0)),
            batch_bytes: length as usize + 12,
            leader_epoch: i32::from_be_bytes(field(bytes, 12)),
            crc: u32::from_be_bytes(field(bytes, 17)),
            attributes: i16::from_be_bytes(field(bytes, 21)),
            last_offset_delta: i32::from_be_bytes(field(bytes, 23)),
            base_timestamp: i64::from_be_bytes(field(bytes, 27)),
            max_timestamp: i64::from_be_bytes(field(bytes, 35)),
            producer_id: i64::from_be_bytes(field(bytes, 43)),
            producer_epoch: i16::from_be_bytes(field(bytes, 51)),
            base_sequence: i32::from_be_bytes(field(bytes, 53)),
            record_count: i32::from_be_bytes(field(bytes, 57)),
        };
        let (records, last_delta) = (header.record_count, header.last_offset_delta);
        if records < 0 || last_delta < 0 || records - 1 > last_delta {
            return Err(BatchError::Count { records, last_delta });
        }
        header.compression()?;
        Ok(header)
    }

    /// As `parse`, and the checksum. `bytes` is exactly one batch.
    pub fn verify(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        if header.batch_bytes != bytes.len() {
            return Err(BatchError::Short { have: bytes.len(), need: header.batch_bytes });
        }
        let computed = batch_crc(bytes);
        if computed != header.crc {
            return Err(BatchError::Crc { stored: header.crc, computed });
        }
        Ok(header)
    }

    /// Number of records.
    pub fn records(&self) -> u64 {
        u64::try_from(self.record_count).expect("parse refuses counts below 0")
    }

    /// Number of offsets that belong to it: as many as it had records when it was
    /// written, at least one.
    pub fn offsets(&self) -> u64 {
        u64::try_from(self.last_offset_delta).expect("parse refuses deltas below 0") + 1
    }

    /// From when on its marks of deletion may go, in milliseconds; none if that was
    /// never decided. A producer may have set it: ask only of what was compacted.
    pub fn delete_horizon(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }

    /// As a producer sends it: every offset has its record.
    fn is_dense(&self) -> bool {
        self.records() == self.offsets()
    }

    /// How the records are compressed.
    pub fn compression(&self) -> Result<Compression, BatchError> {
        match (self.attributes & 0x07) as u8 {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip),
            2 => Ok(Compression::Snappy),
            3 => Ok(Compression::Lz4),
            4 => Ok(Compression::Zstd),
            other => Err(BatchError::Compression(other)),
        }
    }

    /// Part of a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & 0x10 != 0
    }

    /// Written by a broker, not by a producer.
    pub fn is_control(&self) -> bool {
        self.attributes & 0x20 != 0
    }
}

/// The first 21 bytes of `batch` with base offset and leader epoch replaced:
/// the only bytes of a batch that the broker decides.
pub fn patched_prefix(batch: &[u8], base: Offset, epoch: Epoch) -> BatchPrefix {
    let mut prefix: BatchPrefix = field(batch, 0);
    prefix[0..8].copy_from_slice(&base.0.to_be_bytes());
    prefix[12..16].copy_from_slice(&epoch.0.to_be_bytes());
    prefix
}

/// CRC-32C of the part of a batch that its checksum covers.
pub fn batch_crc(batch: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(&batch[UNCHECKED_BYTES..])
}

/// Cuts a produce request's record field into verified batches, without copying.
/// All of them are good and dense, or none is returned.
pub fn split_batches(records: Bytes) -> Result<Vec<(BatchHeader, Bytes)>, BatchError> {
    let batches = stored_batches(records)?;
    match batches.iter().find(|(header, _)| !header.is_dense()) {
        None => Ok(batches),
        Some((header, _)) => Err(BatchError::Count {
            records: header.record_count,
            last_delta: header.last_offset_delta,
        }),
    }
}

/// As `split_batches`, of what was read: compacted batches are good, too.
pub fn stored_batches(mut records: Bytes) -> Result<Vec<(BatchHeader, Bytes)>, BatchError> {
    let mut batches = Vec::new();
    while !records.is_empty() {
        let header = BatchHeader::parse(&records)?;
        if header.batch_bytes > records.len() {
            return Err(BatchError::Short { have: records.len(), need: header.batch_bytes });
        }
        let batch = records.split_to(header.batch_bytes);
        BatchHeader::verify(&batch)?;
        batches.push((header, batch));
    }
    if batches.is_empty() {
        return Err(BatchError::Empty);
    }
    Ok(batches)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A batch with `records` and a valid checksum; the records are opaque here.
    fn batch(count: i32, records: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; BATCH_HEADER_BYTES];
        bytes.extend_from_slice(records);
        let length = (bytes.len() - 12) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[16] = 2;
        bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        let crc = batch_crc(&bytes);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    #[test]
    fn a_patched_batch_still_verifies() {
        let mut bytes = batch(3, b"abc");
        let prefix = patched_prefix(&bytes, Offset(1 << 40), Epoch(9));
        bytes[..21].copy_from_slice(&prefix);
        let header = BatchHeader::verify(&bytes).unwrap();
        assert_eq!((header.base_offset, header.leader_epoch, header.records()), (1 << 40, 9, 3));
    }

    #[test]
    fn several_batches_are_split_and_none_is_lost() {
        let (a, b) = (batch(1, b"a"), batch(2, b"bb"));
        let both = Bytes::from([a.clone(), b.clone()].concat());
        let split = split_batches(both).unwrap();
        assert_eq!(split.iter().map(|(_, bytes)| bytes.to_vec()).collect::<Vec<_>>(), [a, b]);
        assert_eq!(split_batches(Bytes::new()), Err(BatchError::Empty));
    }

    #[test]
    fn gaps_are_read_and_not_taken() {
        for (records, last_delta, stored, taken) in
            [(2, 1, true, true), (1, 1, true, false), (0, 5, true, false), (2, 0, false, false)]
        {
            let mut bytes = batch(2, b"ab");
            bytes[23..27].copy_from_slice(&i32::to_be_bytes(last_delta));
            bytes[57..61].copy_from_slice(&i32::to_be_bytes(records));
            let crc = batch_crc(&bytes);
            bytes[17..21].copy_from_slice(&crc.to_be_bytes());
            let bytes = Bytes::from(bytes);
            assert_eq!(stored_batches(bytes.clone()).is_ok(), stored, "{records} of {last_delta}");
            assert_eq!(split_batches(bytes).is_ok(), taken, "{records} of {last_delta}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_bit_is_found(records in proptest::collection::vec(any::<u8>(), 0..64), bit in any::<proptest::sample::Index>()) {
            let mut bytes = batch(2, &records);
            // Base offset and leader epoch are the broker's and outside the checksum.
            let bit = bit.index(bytes.len() * 8);
            prop_assume!(!matches!(bit / 8, 0..8 | 12..16));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(BatchHeader::verify(&bytes).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = split_batches(Bytes::from(bytes));
        }
    }
}
