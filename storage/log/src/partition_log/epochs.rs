//! Where the records of an epoch end: what a follower or a consumer asks that has
//! to find out whether it has read something that is no longer so.

use super::PartitionLog;
use crate::LogError;
use crate::segment::Segment;
use pyralog_model::{Epoch, Offset};
use std::sync::Arc;

/// Where the first record of a later epoch is looked for.
enum Place {
    /// In this segment; the epoch is that of the record before it.
    In(Arc<Segment>, Option<Epoch>),
    /// Here; the epoch is that of the record before it.
    At(Offset, Option<Epoch>),
}

impl PartitionLog {
    /// The greatest epoch up to `epoch` that has records here, and the offset after
    /// the last of them: where a later epoch begins, or the end. None if every
    /// record is of a later epoch, or there is none.
    pub fn epoch_end(&self, epoch: Epoch) -> Result<Option<(Epoch, Offset)>, LogError> {
        let (start, place) = self.view(|view| {
            let mut before = None;
            for segment in &view.segments {
                let (last, is_empty) =
                    segment.extent(|extent| (extent.last_epoch, extent.end == segment.base()));
                if last > epoch {
                    return (view.log_start, Place::In(Arc::clone(segment), before));
                }
                before = if is_empty { before } else { Some(last) };
            }
            for frame in view.tail.iter() {
                if frame.header.epoch > epoch {
                    let begin = frame.header.base_offset;
                    return (view.log_start, Place::At(begin, before));
                }
                before = Some(frame.header.epoch);
            }
            (view.log_start, Place::At(view.end, before))
        });
        let (found, end) = match place {
            Place::At(end, found) => (found, end),
            Place::In(segment, before) => match segment.first_after_epoch(epoch)? {
                Some((in_segment, end)) => (in_segment.or(before), end),
                // It was cut back meanwhile.
                None => (before, segment.extent(|extent| extent.end)),
            },
        };
        // Of what lies before the start nothing is known.
        Ok(found.filter(|_| end > start).map(|found| (found, end)))
    }
}
