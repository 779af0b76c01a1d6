//! Reading one batch, as it is done for a key: nothing is read that is not looked at.
//!
//! A segment is mapped when it is first read so, and again when it has grown a lot. That
//! copies one batch instead of the stretch between two entries of the sparse index, which
//! is most of the time that a lookup takes. Only bytes within the segment's extent are
//! looked at, and those are never changed. Mappings are counted, because a process may
//! have only so many; without one, and in what was appended since, the stretch is read.

use super::Segment;
use crate::error::io_error;
use crate::frame::FRAME_HEADER_BYTES;
use crate::{FrameHeader, FrameKind, LogError, Slice};
use bytes::Bytes;
use pyralog_env::FileMapping;
use pyralog_model::Offset;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Mapped segments of the process: a quarter of what Linux allows a process by default.
const MAPPINGS_MAX: usize = 16_384;
static MAPPINGS: AtomicUsize = AtomicUsize::new(0);

/// Bytes that a segment grows before it is mapped again, or an eighth of it if that is more.
const GROWTH_BYTES: u64 = 1 << 20;

/// A mapping, counted; none if there can be none.
#[derive(Debug)]
pub(super) struct Mapped(Option<Arc<dyn FileMapping>>);

impl Mapped {
    fn of(segment: &Segment) -> Mapped {
        if MAPPINGS.fetch_add(1, Ordering::Relaxed) < MAPPINGS_MAX
            && let Ok(Some(mapping)) = segment.file.map()
        {
            return Mapped(Some(mapping));
        }
        MAPPINGS.fetch_sub(1, Ordering::Relaxed);
        Mapped(None)
    }

    /// True if it should give way to one of a segment that has `bytes` by now.
    fn is_outgrown(&self, bytes: u64) -> bool {
        let Some(mapping) = &self.0 else { return false };
        bytes > mapping.len() + GROWTH_BYTES.max(mapping.len() / 8)
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        if self.0.is_some() {
            MAPPINGS.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Segment {
    /// The batch that holds `offset`, or the next one if none does any more; verified.
    pub(crate) fn read_one(&self, offset: Offset, slice: &mut Slice) -> Result<(), LogError> {
        let (span, extent_bytes) =
            self.extent(|extent| (extent.index.span_of(offset, extent.bytes), extent.bytes));
        let mapped = self.mapped(&span, extent_bytes);
        let read;
        let stretch = match mapped.as_deref() {
            Some(Mapped(Some(mapping))) => {
                mapping.bytes(span.clone()).map_err(io_error("cannot read", &self.path))?
            }
            _ => {
                // An interval of the index and a frame at the most.
                let bytes = usize::try_from(span.end - span.start).unwrap_or(usize::MAX);
                let mut buffer = vec![0; bytes];
                let done = self.file.read_exact_at(&mut buffer, span.start);
                done.map_err(io_error("cannot read", &self.path))?;
                read = buffer;
                &read
            }
        };
        match self.find_in(stretch, span.start, offset)? {
            Some((batch, header)) => {
                slice.push(Bytes::copy_from_slice(batch), &header);
                Ok(())
            }
            // Compaction has left nothing of it there: the next stretch has what follows.
            None => self.read(offset, 1, slice),
        }
    }

    /// A mapping that has the span.
    fn mapped(&self, span: &Range<u64>, extent_bytes: u64) -> Option<Arc<Mapped>> {
        let present = self.mapping.read().expect("mapping does not panic").clone();
        let is_good = present.as_ref().is_some_and(|mapped| !mapped.is_outgrown(extent_bytes));
        let mapped = match present.filter(|_| is_good) {
            Some(mapped) => mapped,
            None => {
                let mapped = Arc::new(Mapped::of(self));
                *self.mapping.write().expect("mapping does not panic") = Some(Arc::clone(&mapped));
                mapped
            }
        };
        let len = mapped.0.as_ref().map_or(0, |mapping| mapping.len());
        (span.end <= len).then_some(mapped)
    }

    /// The batch in a stretch of frames that begins at `position`.
    fn find_in<'a>(
        &self,
        stretch: &'a [u8],
        position: u64,
        offset: Offset,
    ) -> Result<Option<(&'a [u8], FrameHeader)>, LogError> {
        let mut at = 0;
        while at < stretch.len() {
            let corrupt = |what| self.corrupt(position + at as u64, what);
            let header = FrameHeader::decode(self.store(), &stretch[at..]);
            let header = header.filter(|header| header.kind == FrameKind::Append);
            let header = header.ok_or_else(|| corrupt("no frame begins here"))?;
            let end = at + header.frame_bytes();
            if header.next_offset() > offset {
                let begin = at + FRAME_HEADER_BYTES;
                let batch = stretch.get(begin..begin + header.batch_bytes as usize);
                let batch = batch.ok_or_else(|| corrupt("a frame is longer than its place"))?;
                if !header.batch_is_intact(batch) {
                    return Err(corrupt("the batch fails its checksum"));
                }
                return Ok(Some((batch, header)));
            }
            at = end;
        }
        Ok(None)
    }
}
