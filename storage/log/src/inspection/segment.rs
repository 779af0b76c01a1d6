//! A segment from its first frame to its last byte.

use super::SegmentHeader;
use super::explain;
use crate::error::io_error;
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::segment::{FrameCursor, SEGMENT_HEADER_BYTES};
use crate::{LogError, SessionBatch};
use bytes::Bytes;
use pyralog_env::DiskFile;
use pyralog_model::{BATCH_HEADER_BYTES, BatchHeader, Damage, Epoch, Lsn, Offset};
use std::path::Path;

/// How far one read reaches, in bytes.
const WINDOW_BYTES: usize = 1 << 20;

/// A frame that is whole.
#[derive(Debug, Clone)]
pub struct SegmentFrame {
    /// Where it begins, in bytes from the beginning of the file.
    pub position: u64,
    /// Its fixed part.
    pub header: FrameHeader,
    /// The fixed part of its batch.
    pub batch_header: BatchHeader,
    /// The batch.
    pub batch: Bytes,
}

impl SegmentFrame {
    pub(crate) fn session_batch(&self) -> Option<SessionBatch> {
        SessionBatch::in_frame(&self.header, self.batch_header.producer_epoch)
    }
}

/// What lies next in a segment.
#[derive(Debug, Clone)]
pub enum SegmentItem {
    /// A whole frame that continues the segment.
    Frame(SegmentFrame),
    /// A frame that does, with a batch that is not what it was written for.
    LostBatch(FrameHeader, Damage),
    /// Bytes that do not.
    Damage(Damage),
}

/// How far a walk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentPlace {
    /// The next byte, from the beginning of the file.
    pub position: u64,
    /// The offset that is due; none after damage, when any later one may follow.
    pub next: Option<Offset>,
    /// The offset after the last record that was met.
    pub end: Offset,
    /// The last frame's place in the order of the store.
    pub lsn: Lsn,
    /// The last frame's epoch.
    pub epoch: Epoch,
}

impl SegmentPlace {
    /// The beginning of the segment that begins at `base`.
    pub fn begin(base: Offset) -> SegmentPlace {
        SegmentPlace {
            position: SEGMENT_HEADER_BYTES as u64,
            next: Some(base),
            end: base,
            lsn: Lsn::default(),
            epoch: Epoch::default(),
        }
    }
}

/// Goes through a segment.
pub struct SegmentWalk<'a> {
    cursor: FrameCursor<'a>,
    header: SegmentHeader,
    len: u64,
    place: SegmentPlace,
}

impl<'a> SegmentWalk<'a> {
    /// A walk from `place` to the end of the file of which `header` is, or should be,
    /// the header.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn new(
        file: &'a dyn DiskFile,
        path: &'a Path,
        header: &SegmentHeader,
        place: SegmentPlace,
    ) -> Result<SegmentWalk<'a>, LogError> {
        SegmentWalk::with_window(file, path, header, place, WINDOW_BYTES)
    }

    /// As `new`, with reads of `window_bytes`.
    pub(crate) fn with_window(
        file: &'a dyn DiskFile,
        path: &'a Path,
        header: &SegmentHeader,
        place: SegmentPlace,
        window_bytes: usize,
    ) -> Result<SegmentWalk<'a>, LogError> {
        let len = file.len().map_err(io_error("cannot measure", path))?;
        let cursor = FrameCursor::new(file, path, header.store, len, window_bytes);
        Ok(SegmentWalk { cursor, header: *header, len, place })
    }

    /// How far it has come.
    pub fn place(&self) -> SegmentPlace {
        self.place
    }

    /// What lies next; none at the end of the file. After damage it goes on at the
    /// next frame of this segment that can be found.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn step(&mut self) -> Result<Option<SegmentItem>, LogError> {
        match self.look()? {
            Some(SegmentItem::Damage(damage)) if self.place.position == damage.position => {
                self.search()?;
                let damage = Damage { end: self.place.position, ..damage };
                Ok(Some(SegmentItem::Damage(damage)))
            }
            seen => Ok(seen),
        }
    }

    /// As `step`, but where no frame begins it stays, and the damage ends where it
    /// begins: the caller knows where to go on.
    pub(crate) fn look(&mut self) -> Result<Option<SegmentItem>, LogError> {
        let position = self.place.position;
        if position >= self.len {
            return Ok(None);
        }
        let Some(header) = self.cursor.header_at(position)? else {
            let (expected, found) = self.explain(position)?;
            return Ok(Some(SegmentItem::Damage(Damage::new(position..position, expected, found))));
        };
        let end = position + header.frame_bytes() as u64;
        if let Some((expected, found)) = self.misplaced(&header) {
            self.go_on_at(end);
            return Ok(Some(SegmentItem::Damage(Damage::new(position..end, expected, found))));
        }
        let begin = position + FRAME_HEADER_BYTES as u64;
        let batch = self.cursor.bytes_at(begin, header.batch_bytes as usize)?;
        let is_whole = header.batch_is_intact(&batch);
        self.place = SegmentPlace {
            position: end,
            next: Some(header.next_offset()),
            end: header.next_offset(),
            lsn: header.lsn,
            epoch: header.epoch,
        };
        match BatchHeader::parse(&batch) {
            Ok(batch_header) if is_whole => {
                let frame = SegmentFrame { position, header, batch_header, batch };
                Ok(Some(SegmentItem::Frame(frame)))
            }
            _ => {
                let (expected, found) = explain::batch(&header, &batch);
                let damage = Damage::new(position..end, expected, found);
                Ok(Some(SegmentItem::LostBatch(header, damage)))
            }
        }
    }

    /// Goes on at `position`, where any later frame may begin.
    pub(crate) fn go_on_at(&mut self, position: u64) {
        self.place.position = position.min(self.len);
        self.place.next = None;
    }

    /// Why a whole frame does not belong here, if it does not.
    fn misplaced(&self, header: &FrameHeader) -> Option<(String, String)> {
        let SegmentPlace { next, end, lsn, epoch, .. } = self.place;
        if header.partition != self.header.partition {
            let expected = format!("a frame of partition {}", self.header.partition);
            return Some((expected, format!("one of partition {}", header.partition)));
        }
        // Compaction leaves gaps.
        let next = next.filter(|_| !self.header.is_rewritten());
        let fits = match next {
            Some(next) => header.base_offset == next,
            None => header.base_offset >= end,
        };
        if !fits {
            let expected = match next {
                Some(next) => format!("a frame that begins at offset {next}"),
                None => format!("a frame that begins at offset {end} or later"),
            };
            return Some((expected, format!("one that begins at {}", header.base_offset)));
        }
        if let Some(last) = self.header.end.filter(|last| header.next_offset() > *last) {
            let expected = format!("a frame that ends at offset {last} or before");
            return Some((expected, format!("one that ends at {}", header.next_offset())));
        }
        // Older ones behind younger ones are the rest of a truncation.
        (header.lsn <= lsn || header.epoch < epoch).then(|| {
            let expected = format!("a frame after LSN {} of epoch {} or later", lsn.0, epoch.0);
            (expected, format!("LSN {} of epoch {}", header.lsn.0, header.epoch.0))
        })
    }

    /// What is missing where the walk has come to the end of a rewritten segment: its
    /// last frame ends where the header says. A segment that grows ends anywhere.
    pub fn missing_end(&self) -> Option<Damage> {
        let SegmentPlace { position, end, .. } = self.place;
        let due = self.header.end.filter(|due| *due != end)?;
        let found = format!("the end of the file behind offset {end}");
        Some(Damage::new(position..position, format!("frames up to offset {due}"), found))
    }

    fn explain(&mut self, position: u64) -> Result<(String, String), LogError> {
        let left = self.len - position;
        let head = left.min((FRAME_HEADER_BYTES + BATCH_HEADER_BYTES) as u64) as usize;
        let bytes = self.cursor.bytes_at(position, head)?;
        Ok(explain::frame(self.header.store, &bytes, left))
    }

    /// Moves to the next frame of this partition that is younger than the last one,
    /// or to the end.
    fn search(&mut self) -> Result<(), LogError> {
        let mut from = self.place.position + 1;
        while from < self.len {
            let chunk_bytes = (WINDOW_BYTES as u64).min(self.len - from) as usize;
            let chunk = self.cursor.bytes_at(from, chunk_bytes)?;
            let magic = chunk.windows(4).enumerate().filter(|(_, four)| *four == b"PFRM");
            for (at, _) in magic {
                let position = from + at as u64;
                let Some(header) = self.cursor.header_at(position)? else { continue };
                if header.partition == self.header.partition && header.lsn > self.place.lsn {
                    self.go_on_at(position);
                    return Ok(());
                }
            }
            // The magic number may lie across two chunks.
            from += chunk_bytes.saturating_sub(3).max(1) as u64;
        }
        self.go_on_at(self.len);
        Ok(())
    }
}
