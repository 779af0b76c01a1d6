//! A window over a segment file that steps from frame to frame.

use super::Segment;
use crate::error::io_error;
use crate::frame::{
    BATCH_BYTES_MAX, FRAME_HEADER_BYTES, FrameHeader, batch_max_timestamp, batch_producer_epoch,
};
use crate::sparse_index::INTERVAL_BYTES;
use crate::{FrameKind, LogError, SessionBatch};
use bytes::Bytes;
use pyralog_env::DiskFile;
use pyralog_model::{BATCH_HEADER_BYTES, StoreId};
use std::path::Path;

/// What must be in the window to judge a frame: its header and its batch's.
const HEAD_BYTES: usize = FRAME_HEADER_BYTES + BATCH_HEADER_BYTES;

pub(crate) struct FrameCursor<'a> {
    file: &'a dyn DiskFile,
    path: &'a Path,
    store: StoreId,
    end: u64,
    window_bytes: usize,
    window: Bytes,
    window_begin: u64,
}

impl<'a> FrameCursor<'a> {
    pub(crate) fn new(
        file: &'a dyn DiskFile,
        path: &'a Path,
        store: StoreId,
        end: u64,
        window_bytes: usize,
    ) -> FrameCursor<'a> {
        let window_bytes = window_bytes.max(HEAD_BYTES);
        FrameCursor { file, path, store, end, window_bytes, window: Bytes::new(), window_begin: 0 }
    }

    /// A window that takes what one read wants, and the way from the index entry.
    pub(crate) fn for_read(segment: &'a Segment, end: u64, bytes_max: usize) -> FrameCursor<'a> {
        let window = bytes_max.min(4 << 20) + INTERVAL_BYTES as usize + HEAD_BYTES;
        FrameCursor::new(&*segment.file, &segment.path, segment.store(), end, window)
    }

    /// The frame that begins at `position`, or `None` if none does. Only appends
    /// live in segments.
    pub(crate) fn header_at(&mut self, position: u64) -> Result<Option<FrameHeader>, LogError> {
        if position + HEAD_BYTES as u64 > self.end {
            return Ok(None);
        }
        let head = self.bytes_at(position, HEAD_BYTES)?;
        let header = FrameHeader::decode(self.store, &head);
        Ok(header.filter(|header| {
            header.kind == FrameKind::Append && position + header.frame_bytes() as u64 <= self.end
        }))
    }

    /// The greatest timestamp of the batch in the frame at `position`.
    pub(crate) fn max_timestamp_at(&mut self, position: u64) -> Result<i64, LogError> {
        let head = self.bytes_at(position, HEAD_BYTES)?;
        Ok(batch_max_timestamp(&head[FRAME_HEADER_BYTES..]))
    }

    /// The batch in the frame at `position` as its session sees it; none if it is of
    /// no session.
    pub(crate) fn session_batch_at(
        &mut self,
        position: u64,
        header: &FrameHeader,
    ) -> Result<Option<SessionBatch>, LogError> {
        if header.session < 0 {
            return Ok(None);
        }
        let head = self.bytes_at(position, HEAD_BYTES)?;
        Ok(SessionBatch::in_frame(header, batch_producer_epoch(&head[FRAME_HEADER_BYTES..])))
    }

    /// `len` bytes at `position`, which must lie before the end.
    pub(crate) fn bytes_at(&mut self, position: u64, len: usize) -> Result<Bytes, LogError> {
        assert!(len <= BATCH_BYTES_MAX && position + len as u64 <= self.end);
        let window_end = self.window_begin + self.window.len() as u64;
        if position < self.window_begin || position + len as u64 > window_end {
            let left = usize::try_from(self.end - position).unwrap_or(usize::MAX);
            let mut window = vec![0; self.window_bytes.max(len).min(left)];
            self.file
                .read_exact_at(&mut window, position)
                .map_err(io_error("cannot read", self.path))?;
            self.window = Bytes::from(window);
            self.window_begin = position;
        }
        let at = (position - self.window_begin) as usize;
        Ok(self.window.slice(at..at + len))
    }
}
