//! What lies before a start that moves: whole segments, of which only what they
//! knew of producers' sessions stays.

use super::PartitionLog;
use crate::LogError;
use crate::segment::Segment;
use crate::sparse_index::SealedFacts;
use pyralog_model::Offset;
use std::sync::Arc;

impl PartitionLog {
    /// The sealed segments that end at `start` or before it.
    pub(crate) fn segments_before(&self, start: Offset) -> Vec<Arc<Segment>> {
        self.view(|view| {
            let sealed = view.segments.len().saturating_sub(1);
            let whole = view.segments[..sealed].iter();
            whole.take_while(|s| s.extent(|extent| extent.end) <= start).cloned().collect()
        })
    }

    /// Moves the start, and lets go of the segments before it. Readers that have one
    /// of them in hand read on.
    pub(crate) fn begin_at(&self, start: Offset, first: Option<Offset>) {
        self.change_view(|view| {
            view.log_start = start;
            view.segments.retain(|segment| first.is_none_or(|first| segment.base() >= first));
        });
    }

    /// Makes sure that the sessions as of the end of the last of these segments can
    /// be read once they are gone.
    pub(crate) fn keep_sessions_of(&self, gone: &[Arc<Segment>]) -> Result<(), LogError> {
        let (Some(first), Some(last)) = (gone.first(), gone.last()) else { return Ok(()) };
        let place = self.place();
        if place.kept(last)?.is_some() {
            return Ok(());
        }
        let sessions = place.sessions_after(first.base(), gone)?;
        let (index, bytes, next_offset, last_epoch) = last
            .extent(|extent| (extent.index.clone(), extent.bytes, extent.end, extent.last_epoch));
        let facts = SealedFacts {
            segment_bytes: bytes,
            next_offset,
            last_lsn: last.last_frame()?.lsn,
            last_epoch,
            has_sessions: !sessions.is_empty(),
        };
        place.keep(last.name, &sessions, &index, &facts)
    }
}
