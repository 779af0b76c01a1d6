//! Walking a segment that is known to be whole, batch by batch, each verified.

use super::cursor::FrameCursor;
use super::{SEGMENT_HEADER_BYTES, Segment};
use crate::{FrameHeader, LogError};
use bytes::Bytes;
use pyralog_model::Offset;
use std::ops::ControlFlow;

/// Bytes that are read at once.
const WINDOW_BYTES: usize = 1 << 20;

impl Segment {
    /// Shows every batch that ends after `from`, in order, until told to stop.
    pub(crate) fn walk(
        &self,
        from: Offset,
        mut visit: impl FnMut(&FrameHeader, &Bytes) -> Result<ControlFlow<()>, LogError>,
    ) -> Result<(), LogError> {
        let (end, start) = self.extent(|extent| (extent.bytes, extent.index.position_of(from)));
        let mut cursor = FrameCursor::for_read(self, end, WINDOW_BYTES);
        let mut position = start.unwrap_or(SEGMENT_HEADER_BYTES as u64);
        while position < end {
            let header = cursor.header_at(position)?;
            let header = header.ok_or_else(|| self.corrupt(position, "no frame begins here"))?;
            if header.next_offset() > from {
                let batch = self.verified_batch(&mut cursor, position, &header)?;
                if visit(&header, &batch)?.is_break() {
                    return Ok(());
                }
            }
            position += header.frame_bytes() as u64;
        }
        Ok(())
    }
}
