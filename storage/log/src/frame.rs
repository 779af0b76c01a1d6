//! The frame around every batch, the same in the WAL and in a segment.
//!
//! ```text
//! byte 0      4      8  9  10    12       16    24    32     36     40
//!      ├──────┼──────┼──┼──┼─────┼────────┼─────┼─────┼──────┼──────┼─ …
//!      │magic │ CRC  │ 1│ k│flags│ batch  │ LSN │ log │ par- │epoch │
//!      │"PFRM"│ 32-C │  │  │     │ bytes  │     │     │tition│      │
//!      └──────┴──────┴──┴──┴─────┴────────┴─────┴─────┴──────┴──────┴─ …
//!
//! … 40           48       52        56       64       72        80
//!   ├────────────┼────────┼─────────┼────────┼────────┼─────────┼────────────
//!   │ base offset│ record │ base    │session │ scarab │ synced  │ batch …
//!   │            │ count  │ sequence│        │ base   │ before  │
//!   └────────────┴────────┴─────────┴────────┴────────┴─────────┴────────────
//! ```
//!
//! Integers are little-endian. The CRC-32C covers the store id, bytes 8..80 and
//! the first 21 bytes of the batch, which the batch's own CRC leaves out; so the
//! two together cover every byte once, a frame from another store is refused, and
//! a producer who does not know the store id cannot forge a frame inside a record.
//!
//! Kind 1 is an append, kind 2 a truncation: it has no batch, and its base offset
//! is the new end. *Synced before* is, in a frame that went straight into a
//! segment, how many bytes of that file were already synced when it was written;
//! it tells a torn tail from a corrupt middle.
//!
//! Version history: 1, the first.

use crate::SessionBatch;
use crate::keyed_crc::keyed_crc;
use bytes::Bytes;
use pyralog_model::{
    BATCH_HEADER_BYTES, BatchHeader, BatchPrefix, Epoch, Lsn, Offset, PartitionId, ScarabId,
    StoreId, batch_crc, patched_prefix,
};

/// Length of the frame's fixed part.
pub const FRAME_HEADER_BYTES: usize = 80;

const MAGIC: [u8; 4] = *b"PFRM";
const VERSION: u8 = 1;
const PREFIX_BYTES: usize = size_of::<BatchPrefix>();

/// The largest batch that a frame may claim; bounds what a reader allocates.
pub const BATCH_BYTES_MAX: usize = 64 << 20;

/// What a frame does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Adds a batch.
    Append = 1,
    /// Cuts the partition back to `base_offset`.
    Truncate = 2,
}

/// The fixed part of a frame, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// What the frame does.
    pub kind: FrameKind,
    /// Length of the batch that follows, 0 for a truncation.
    pub batch_bytes: u32,
    /// Its place in the order of the store.
    pub lsn: Lsn,
    /// The partition it belongs to.
    pub partition: PartitionId,
    /// The epoch under which it was written.
    pub epoch: Epoch,
    /// Offset of the first record, or the new end of a truncation.
    pub base_offset: Offset,
    /// Number of records when it was written, which is that of its offsets for ever, 0
    /// for a truncation.
    pub record_count: u32,
    /// Producer's sequence of the first record, -1 without a session.
    pub base_sequence: i32,
    /// Producer's session, -1 without one.
    pub session: i64,
    /// Scarab id of the first record, 0 without one.
    pub scarab_base: u64,
    /// Bytes of the segment that were synced when this was written into it.
    pub synced_before: u64,
}

impl FrameHeader {
    /// The offset after the last record.
    pub fn next_offset(&self) -> Offset {
        self.base_offset.plus(u64::from(self.record_count))
    }

    /// Length of the whole frame in bytes.
    pub fn frame_bytes(&self) -> usize {
        FRAME_HEADER_BYTES + self.batch_bytes as usize
    }

    /// The header's bytes for this store and this batch prefix (empty for a
    /// truncation).
    pub fn encode(&self, store: StoreId, prefix: &[u8]) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[8] = VERSION;
        bytes[9] = self.kind as u8;
        bytes[12..16].copy_from_slice(&self.batch_bytes.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.lsn.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.partition.log.0.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.partition.partition.0.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.epoch.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.base_offset.0.to_le_bytes());
        bytes[48..52].copy_from_slice(&self.record_count.to_le_bytes());
        bytes[52..56].copy_from_slice(&self.base_sequence.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.session.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.scarab_base.to_le_bytes());
        bytes[72..80].copy_from_slice(&self.synced_before.to_le_bytes());
        let crc = frame_crc(store, &bytes, prefix);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `bytes`; `None` if this is not a frame
    /// of this store or is damaged. Of the batch, its first 21 bytes must be
    /// there; the rest is checked by [`FrameHeader::batch_is_intact`].
    pub fn decode(store: StoreId, bytes: &[u8]) -> Option<FrameHeader> {
        if bytes.len() < FRAME_HEADER_BYTES || bytes[0..4] != MAGIC || bytes[8] != VERSION {
            return None;
        }
        let kind = match bytes[9] {
            1 => FrameKind::Append,
            2 => FrameKind::Truncate,
            _ => return None,
        };
        let header = FrameHeader {
            kind,
            batch_bytes: u32::from_le_bytes(field(bytes, 12)),
            lsn: Lsn(u64::from_le_bytes(field(bytes, 16))),
            partition: PartitionId::new(
                u64::from_le_bytes(field(bytes, 24)),
                u32::from_le_bytes(field(bytes, 32)),
            ),
            epoch: Epoch(u32::from_le_bytes(field(bytes, 36))),
            base_offset: Offset(u64::from_le_bytes(field(bytes, 40))),
            record_count: u32::from_le_bytes(field(bytes, 48)),
            base_sequence: i32::from_le_bytes(field(bytes, 52)),
            session: i64::from_le_bytes(field(bytes, 56)),
            scarab_base: u64::from_le_bytes(field(bytes, 64)),
            synced_before: u64::from_le_bytes(field(bytes, 72)),
        };
        let prefix_bytes = match kind {
            FrameKind::Append => PREFIX_BYTES,
            FrameKind::Truncate => 0,
        };
        let prefix = bytes.get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + prefix_bytes)?;
        let crc = u32::from_le_bytes(field(bytes, 4));
        (frame_crc(store, bytes, prefix) == crc && header.is_plausible()).then_some(header)
    }

    /// True if `batch` is what this header was written for.
    pub fn batch_is_intact(&self, batch: &[u8]) -> bool {
        let Ok(header) = BatchHeader::parse(batch) else { return false };
        header.batch_bytes == batch.len()
            && self.has_offsets_of(&header)
            && batch_crc(batch) == header.crc
    }

    /// True if both speak of the same offsets. Readers go on by what the batch says, and
    /// frames follow each other by what they say themselves.
    pub(crate) fn has_offsets_of(&self, batch: &BatchHeader) -> bool {
        u64::try_from(batch.base_offset) == Ok(self.base_offset.0)
            && batch.offsets() == u64::from(self.record_count)
    }

    fn is_plausible(&self) -> bool {
        let offsets_fit = self.base_offset.0 <= i64::MAX as u64 - u64::from(self.record_count);
        // There is none after the last LSN, and the next frame needs one.
        if self.lsn.0 == u64::MAX {
            return false;
        }
        match self.kind {
            FrameKind::Append => {
                let bytes = self.batch_bytes as usize;
                (BATCH_HEADER_BYTES..=BATCH_BYTES_MAX).contains(&bytes)
                    && self.record_count > 0
                    && offsets_fit
            }
            FrameKind::Truncate => self.batch_bytes == 0 && self.record_count == 0 && offsets_fit,
        }
    }
}

/// A frame in memory: the header, the 21 bytes that the broker decided, and the
/// batch as the producer sent it (its own first 21 bytes are passed over).
#[derive(Debug, Clone)]
pub struct Frame {
    /// The fixed part.
    pub header: FrameHeader,
    /// Greatest timestamp of the batch in milliseconds.
    pub max_timestamp: i64,
    /// Epoch of the producer's session.
    producer_epoch: i16,
    prefix: BatchPrefix,
    batch: Bytes,
}

impl Frame {
    /// A frame that appends `batch` at `base`, its first record known as `scarab`.
    pub fn append(
        partition: PartitionId,
        lsn: Lsn,
        epoch: Epoch,
        base: Offset,
        scarab: Option<ScarabId>,
        batch_header: &BatchHeader,
        batch: Bytes,
    ) -> Frame {
        assert_eq!(batch_header.batch_bytes, batch.len(), "one batch a frame");
        let header = FrameHeader {
            kind: FrameKind::Append,
            batch_bytes: u32::try_from(batch.len()).expect("doors cap batches far below 4 GiB"),
            lsn,
            partition,
            epoch,
            base_offset: base,
            record_count: u32::try_from(batch_header.records()).expect("a positive i32"),
            base_sequence: batch_header.base_sequence,
            session: batch_header.producer_id,
            scarab_base: scarab.map_or(0, |id| id.0),
            synced_before: 0,
        };
        let prefix = patched_prefix(&batch, base, epoch);
        let BatchHeader { max_timestamp, producer_epoch, .. } = *batch_header;
        Frame { header, max_timestamp, producer_epoch, prefix, batch }
    }

    /// A frame that cuts the partition back to `end`.
    pub fn truncate(partition: PartitionId, lsn: Lsn, epoch: Epoch, end: Offset) -> Frame {
        let header = FrameHeader {
            kind: FrameKind::Truncate,
            batch_bytes: 0,
            lsn,
            partition,
            epoch,
            base_offset: end,
            record_count: 0,
            base_sequence: -1,
            session: -1,
            scarab_base: 0,
            synced_before: 0,
        };
        Frame {
            header,
            max_timestamp: i64::MIN,
            producer_epoch: -1,
            prefix: [0; PREFIX_BYTES],
            batch: Bytes::new(),
        }
    }

    /// A frame read back from a WAL round; `batch` is already patched.
    pub(crate) fn recovered(header: FrameHeader, batch: Bytes) -> Frame {
        let mut prefix = [0; PREFIX_BYTES];
        let (mut max_timestamp, mut producer_epoch) = (i64::MIN, -1);
        if header.kind == FrameKind::Append {
            prefix.copy_from_slice(&batch[..PREFIX_BYTES]);
            max_timestamp = batch_max_timestamp(&batch);
            producer_epoch = batch_producer_epoch(&batch);
        }
        Frame { header, max_timestamp, producer_epoch, prefix, batch }
    }

    /// The batch as its session sees it; none if it is of no session.
    pub(crate) fn session_batch(&self) -> Option<SessionBatch> {
        SessionBatch::in_frame(&self.header, self.producer_epoch)
    }

    /// Appends the whole frame to `buffer`.
    pub(crate) fn encode_into(&self, store: StoreId, buffer: &mut Vec<u8>) {
        match self.header.kind {
            FrameKind::Append => {
                buffer.extend_from_slice(&self.header.encode(store, &self.prefix));
                buffer.extend_from_slice(&self.prefix);
                buffer.extend_from_slice(&self.batch[PREFIX_BYTES..]);
            }
            FrameKind::Truncate => {
                buffer.extend_from_slice(&self.header.encode(store, &[]));
            }
        }
    }

    /// The same frame with memory of its own. What came from a socket shares the
    /// memory of its whole request, which a small batch in the tail must not keep
    /// alive.
    pub(crate) fn detached(mut self) -> Frame {
        let mut batch = Vec::with_capacity(self.batch.len());
        batch.extend_from_slice(&self.prefix);
        batch.extend_from_slice(&self.batch[PREFIX_BYTES..]);
        self.batch = Bytes::from(batch);
        self
    }

    /// The batch as it is stored. The frame is detached.
    pub(crate) fn stored_batch(&self) -> Bytes {
        assert_eq!(self.batch[..PREFIX_BYTES], self.prefix, "frames in the tail are detached");
        self.batch.clone()
    }
}

/// The greatest timestamp in a batch's header.
pub(crate) fn batch_max_timestamp(batch: &[u8]) -> i64 {
    i64::from_be_bytes(field(batch, 35))
}

/// The epoch of the producer's session in a batch's header.
pub(crate) fn batch_producer_epoch(batch: &[u8]) -> i16 {
    i16::from_be_bytes(field(batch, 51))
}

fn frame_crc(store: StoreId, header: &[u8], prefix: &[u8]) -> u32 {
    keyed_crc(store, &[&header[8..FRAME_HEADER_BYTES], prefix])
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes is an array of N bytes")
}
