//! Frames that are looked for in a segment by their headers alone. Epochs never fall
//! in a log, so a few frames that the sparse index names are enough to find the place
//! where a later one begins.

use super::cursor::FrameCursor;
use super::{SEGMENT_HEADER_BYTES, Segment};
use crate::{FrameHeader, LogError};
use pyralog_model::{Epoch, Offset};

impl Segment {
    /// The first record of an epoch after `epoch`, and the epoch of the frame
    /// before it in this segment. None if there is no such record.
    pub(crate) fn first_after_epoch(
        &self,
        epoch: Epoch,
    ) -> Result<Option<(Option<Epoch>, Offset)>, LogError> {
        let end = self.extent(|extent| extent.bytes);
        let mut position = self.last_entry_within(epoch, end)?;
        let mut cursor = FrameCursor::for_read(self, end, 0);
        let mut before = None;
        while position < end {
            let header = self.frame_at(&mut cursor, position)?;
            if header.epoch > epoch {
                return Ok(Some((before, header.base_offset)));
            }
            before = Some(header.epoch);
            position += header.frame_bytes() as u64;
        }
        Ok(None)
    }

    /// The last place that the index names whose frame is of `epoch` or an earlier
    /// one; the first place of all if none is.
    fn last_entry_within(&self, epoch: Epoch, end: u64) -> Result<u64, LogError> {
        let positions = self.extent(|extent| extent.index.positions());
        let mut cursor = FrameCursor::new(&*self.file, &self.path, self.store(), end, 0);
        let (mut within, mut after) = (0, positions.len());
        while within < after {
            let middle = within.midpoint(after);
            match self.frame_at(&mut cursor, positions[middle])?.epoch <= epoch {
                true => within = middle + 1,
                false => after = middle,
            }
        }
        let first = SEGMENT_HEADER_BYTES as u64;
        Ok(within.checked_sub(1).map_or(first, |last| positions[last]))
    }

    /// The last frame; there must be one.
    pub(crate) fn last_frame(&self) -> Result<FrameHeader, LogError> {
        let (end, positions) = self.extent(|extent| (extent.bytes, extent.index.positions()));
        let mut position = positions.last().copied().unwrap_or(SEGMENT_HEADER_BYTES as u64);
        let mut cursor = FrameCursor::for_read(self, end, 0);
        loop {
            let header = self.frame_at(&mut cursor, position)?;
            position += header.frame_bytes() as u64;
            if position >= end {
                return Ok(header);
            }
        }
    }

    fn frame_at(&self, cursor: &mut FrameCursor, position: u64) -> Result<FrameHeader, LogError> {
        let header = cursor.header_at(position)?;
        header.ok_or_else(|| self.corrupt(position, "no frame begins here"))
    }
}
