//! A segment: one file of frames in offset order, growing until it is sealed.
//!
//! ```text
//! ├─ header 128 ─┼─ frame ─┼─ frame ─┼─ …
//!
//! header  ├─ "PYRASEG1" 8 ─┼─ CRC 4 ─┼─ version 2 ─┼─ 0 2 ─┼─ log 8 ─┼─ partition 4 ─┼─ 0 4 ─┼─ …
//!         … ─ base offset 8 ─┼─ store id 16 ─┼─ generation 8 ─┼─ end 8 ─┼─ zeros to byte 128 ─┤
//! ```
//!
//! Little-endian; the CRC-32C covers bytes 12..128. The header is synced, and so
//! is the file's name, before the first frame counts for anything. Frames are
//! drawn in [`crate::frame`].
//!
//! Version history: 1, the first, is a segment as it was appended: generation and end
//! are 0, and offsets have no gaps. 2 is one that compaction wrote: it holds what is
//! left of the offsets from its base to its end, and its last frame ends there.

mod cursor;
mod headers;
mod point;
mod scan;
mod walk;

pub(crate) use cursor::FrameCursor;
pub(crate) use scan::{ScanRequest, Scanned, scan};

use crate::error::io_error;
use crate::frame::FRAME_HEADER_BYTES;
use crate::paths::SegmentName;
use crate::sparse_index::SparseIndex;
use crate::{FrameHeader, LogError, RewrittenSegment, SessionBatch, Slice};
use bytes::Bytes;
use point::Mapped;
use pyralog_env::DiskFile;
use pyralog_model::{Epoch, Offset, PartitionId, StoreId};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Length of a segment's header.
pub const SEGMENT_HEADER_BYTES: usize = 128;

pub(crate) const MAGIC: [u8; 8] = *b"PYRASEG1";
pub(crate) const VERSION: u16 = 1;
/// Of what compaction wrote.
pub(crate) const VERSION_REWRITTEN: u16 = 2;

/// An open segment, shared by readers and the one who appends.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) name: SegmentName,
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    store: StoreId,
    extent: RwLock<Extent>,
    /// For reads of one batch, once there was one.
    mapping: RwLock<Option<Arc<Mapped>>>,
}

/// What of a segment readers may see.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    /// Readable bytes, header included.
    pub(crate) bytes: u64,
    /// The offset after the last readable record.
    pub(crate) end: Offset,
    /// The epoch of the last readable record; 0 without one.
    pub(crate) last_epoch: Epoch,
    /// The greatest timestamp of the first frame, where that was looked at.
    pub(crate) first_timestamp: Option<i64>,
    pub(crate) index: SparseIndex,
}

impl Extent {
    /// Takes in the frame that follows, of which the greatest timestamp is given.
    pub(crate) fn extend(&mut self, header: &FrameHeader, max_timestamp: i64) {
        self.index.note(header.base_offset, self.bytes, max_timestamp);
        self.first_timestamp.get_or_insert(max_timestamp);
        self.bytes += header.frame_bytes() as u64;
        self.end = header.next_offset();
        self.last_epoch = header.epoch;
    }
}

impl Segment {
    pub(crate) fn new(
        name: SegmentName,
        path: PathBuf,
        file: Arc<dyn DiskFile>,
        store: StoreId,
        extent: Extent,
    ) -> Segment {
        let (extent, mapping) = (RwLock::new(extent), RwLock::default());
        Segment { name, path, file, store, extent, mapping }
    }

    /// The offset that it begins at: its first record's, unless it was rewritten.
    pub(crate) fn base(&self) -> Offset {
        self.name.base
    }

    /// True for one that compaction wrote: records in it may be missing.
    pub(crate) fn is_rewritten(&self) -> bool {
        self.name.generation > 0
    }

    pub(crate) fn empty_extent(base: Offset) -> Extent {
        Extent {
            bytes: SEGMENT_HEADER_BYTES as u64,
            end: base,
            last_epoch: Epoch::default(),
            first_timestamp: None,
            index: SparseIndex::new(),
        }
    }

    pub(crate) fn with_extent<T>(&self, change: impl FnOnce(&mut Extent) -> T) -> T {
        change(&mut self.extent.write().expect("no one panics while holding an extent"))
    }

    pub(crate) fn extent<T>(&self, look: impl FnOnce(&Extent) -> T) -> T {
        look(&self.extent.read().expect("no one panics while holding an extent"))
    }

    /// Whole, verified batches from the one that holds `from`, or the next one if none
    /// does any more; at least one, until `bytes_max` is reached.
    pub(crate) fn read(
        &self,
        from: Offset,
        bytes_max: usize,
        slice: &mut Slice,
    ) -> Result<(), LogError> {
        let (end, start) = self.extent(|extent| (extent.bytes, extent.index.position_of(from)));
        let mut cursor = FrameCursor::for_read(self, end, bytes_max);
        // The first records of a rewritten segment may be gone.
        let mut position = start.unwrap_or(SEGMENT_HEADER_BYTES as u64);
        while position < end {
            let header = cursor.header_at(position)?;
            let header = header.ok_or_else(|| self.corrupt(position, "no frame begins here"))?;
            if header.next_offset() > from {
                let size = header.batch_bytes as usize;
                if slice.bytes > 0 && slice.bytes + size > bytes_max {
                    break;
                }
                let batch = self.verified_batch(&mut cursor, position, &header)?;
                slice.push(batch, &header);
            }
            position += header.frame_bytes() as u64;
        }
        Ok(())
    }

    /// The first batch with a timestamp of `time` or more that ends after `from`.
    pub(crate) fn batch_at_time(&self, time: i64, from: Offset) -> Result<Option<Bytes>, LogError> {
        let (end, max, start) = self.extent(|extent| {
            let index = &extent.index;
            let start = index.position_of_time(time).max(index.position_of(from));
            (extent.bytes, index.max_timestamp, start)
        });
        if max < time {
            return Ok(None);
        }
        // The way from the index entry is all there is to walk, and small: a
        // request of a few bytes must not cost a large buffer.
        let mut cursor = FrameCursor::for_read(self, end, 0);
        let mut position = start.unwrap_or(SEGMENT_HEADER_BYTES as u64);
        while position < end {
            let header = cursor.header_at(position)?;
            let header = header.ok_or_else(|| self.corrupt(position, "no frame begins here"))?;
            let late = cursor.max_timestamp_at(position)? >= time;
            if late && header.next_offset() > from {
                return self.verified_batch(&mut cursor, position, &header).map(Some);
            }
            position += header.frame_bytes() as u64;
        }
        Ok(None)
    }

    /// The extent of the frames that end at or before `end`.
    pub(crate) fn kept_below(&self, end: Offset) -> Result<Extent, LogError> {
        self.kept_below_with(end, |_| {})
    }

    /// As `kept_below`; shows every batch of a session in them, in order.
    pub(crate) fn kept_below_with(
        &self,
        end: Offset,
        mut visit: impl FnMut(&SessionBatch),
    ) -> Result<Extent, LogError> {
        let bytes = self.extent(|extent| extent.bytes);
        let mut cursor = FrameCursor::for_read(self, bytes, 256 << 10);
        let mut kept = Segment::empty_extent(self.base());
        while kept.bytes < bytes {
            let header = cursor.header_at(kept.bytes)?;
            let header = header.ok_or_else(|| self.corrupt(kept.bytes, "no frame begins here"))?;
            if header.next_offset() > end {
                break;
            }
            let time = cursor.max_timestamp_at(kept.bytes)?;
            if let Some(batch) = cursor.session_batch_at(kept.bytes, &header)? {
                visit(&batch);
            }
            kept.extend(&header, time);
        }
        Ok(kept)
    }

    fn verified_batch(
        &self,
        cursor: &mut FrameCursor,
        position: u64,
        header: &FrameHeader,
    ) -> Result<Bytes, LogError> {
        let begin = position + FRAME_HEADER_BYTES as u64;
        let batch = cursor.bytes_at(begin, header.batch_bytes as usize)?;
        if !header.batch_is_intact(&batch) {
            return Err(self.corrupt(position, "the batch fails its checksum"));
        }
        Ok(batch)
    }

    pub(crate) fn corrupt(&self, position: u64, what: &str) -> LogError {
        LogError::Corrupt { path: self.path.clone(), position, what: what.to_owned() }
    }

    pub(crate) fn store(&self) -> StoreId {
        self.store
    }
}

/// The header page of a segment.
pub(crate) fn encode_header(
    store: StoreId,
    partition: PartitionId,
    base: Offset,
) -> [u8; SEGMENT_HEADER_BYTES] {
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    bytes[0..8].copy_from_slice(&MAGIC);
    bytes[12..14].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&partition.log.0.to_le_bytes());
    bytes[24..28].copy_from_slice(&partition.partition.0.to_le_bytes());
    bytes[32..40].copy_from_slice(&base.0.to_le_bytes());
    bytes[40..56].copy_from_slice(&store.0.to_le_bytes());
    let crc = crc_fast::crc32_iscsi(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The header page of a segment that compaction wrote.
pub(crate) fn encode_rewritten_header(
    store: StoreId,
    partition: PartitionId,
    entry: &RewrittenSegment,
) -> [u8; SEGMENT_HEADER_BYTES] {
    let mut bytes = encode_header(store, partition, entry.base);
    bytes[12..14].copy_from_slice(&VERSION_REWRITTEN.to_le_bytes());
    bytes[56..64].copy_from_slice(&entry.generation.to_le_bytes());
    bytes[64..72].copy_from_slice(&entry.end.0.to_le_bytes());
    let crc = crc_fast::crc32_iscsi(&bytes[12..]);
    bytes[8..12].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// True if the file begins with exactly the header it should have.
pub(crate) fn has_header(
    file: &dyn DiskFile,
    path: &Path,
    expect: &[u8; SEGMENT_HEADER_BYTES],
) -> Result<bool, LogError> {
    let mut bytes = [0; SEGMENT_HEADER_BYTES];
    let read = file.read_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
    Ok(read == SEGMENT_HEADER_BYTES && bytes == *expect)
}
