//! The moment at which a new file takes the place of others: the segment writer's
//! part.
//!
//! A crash before the manifest is saved leaves the new file as a leftover, a crash
//! after it the old ones; the next start removes either. Readers see the segments of
//! before or those of after, and read on in what they have in hand.

use super::{Replacement, Switched};
use crate::appender::remove_segment_files;
use crate::mutation::Mutation;
use crate::partition_log::View;
use crate::segment::Segment;
use crate::{LogError, PartitionLog, RewrittenSegment, SegmentWriter};
use pyralog_model::{Offset, PartitionId};
use std::ops::Range;
use std::sync::Arc;

impl SegmentWriter {
    /// Puts a file in the place of those that it was written from, durably and in one
    /// step.
    ///
    /// # Errors
    /// `NotOpen` if the log was deleted, `DiskFull`: then nothing has changed. Any other
    /// error is final.
    pub fn replace(
        &mut self,
        log: &PartitionLog,
        replacement: Replacement,
    ) -> Result<Switched, LogError> {
        self.check_sound()?;
        let replaced = self.try_replace(log, &replacement);
        self.judged(replaced)
    }

    /// Saves how far a partition is compacted, durably.
    ///
    /// # Errors
    /// As `replace`.
    pub fn save_cleaned(&mut self, log: &PartitionLog, cleaned: Offset) -> Result<(), LogError> {
        self.check_sound()?;
        let saved = match log.is_gone() {
            Ok(true) => Err(LogError::NotOpen(log.id())),
            Ok(false) => self.checkpoints.save_cleaned(log.id(), cleaned),
            Err(error) => Err(error),
        };
        self.judged(saved)?;
        log.set_cleaned(cleaned);
        Ok(())
    }

    fn try_replace(
        &mut self,
        log: &PartitionLog,
        replacement: &Replacement,
    ) -> Result<Switched, LogError> {
        if log.is_gone()? {
            return Err(LogError::NotOpen(log.id()));
        }
        // Nothing is cut back, sealed or begun later meanwhile.
        let appender = log.lock_appender();
        let planted = appender.planted;
        let Some(places) = log.view(|view| places(view, &replacement.sources)) else {
            return Ok(Switched::Overtaken);
        };
        if !is_as_it_was(replacement) {
            return Ok(Switched::Overtaken);
        }
        if planted.is(Mutation::UnlinkBeforeManifest) {
            replacement.sources.iter().try_for_each(|s| remove_segment_files(log, s.name))?;
        }
        if !self.name_in_manifest(log.id(), &replacement.entry)? {
            return Ok(Switched::Unknown);
        }
        let old: Vec<Arc<Segment>> = log.change_view(|view| {
            // The planted bug: only the first one is taken out.
            let end = match planted.is(Mutation::HalfReplaced) {
                true => places.start + 1,
                false => places.end,
            };
            view.segments.splice(places.start..end, [Arc::clone(&replacement.segment)]).collect()
        });
        log.retire(old);
        Ok(Switched::Done)
    }

    /// False if it is not known whether the manifest names the file: it was changed
    /// while there was no room, and there is none to look at it either.
    fn name_in_manifest(
        &mut self,
        partition: PartitionId,
        entry: &RewrittenSegment,
    ) -> Result<bool, LogError> {
        let Err(error) = self.checkpoints.replace(partition, entry) else { return Ok(true) };
        if !matches!(error, LogError::DiskFull { .. }) {
            return Err(error);
        }
        let Ok(known) = self.checkpoints.load() else { return Ok(false) };
        let manifest = known.manifests.get(&partition);
        match manifest.is_some_and(|manifest| manifest.segments.contains(entry)) {
            true => Ok(true),
            false => Err(error),
        }
    }
}

/// Where these segments stand, if they do, and one after them.
fn places(view: &View, sources: &[Arc<Segment>]) -> Option<Range<usize>> {
    let first = sources.first()?;
    let start = view.segments.iter().position(|segment| Arc::ptr_eq(segment, first))?;
    let there = view.segments.get(start..start + sources.len())?;
    let same = there.iter().zip(sources).all(|(there, source)| Arc::ptr_eq(there, source));
    let end = start + sources.len();
    // What is rewritten is never the last one, which grows.
    (same && (end < view.segments.len() || sources[sources.len() - 1].is_rewritten()))
        .then_some(start..end)
}

/// A segment that was cut back and has grown again is another one.
fn is_as_it_was(replacement: &Replacement) -> bool {
    let Some(last) = replacement.sources.last() else { return false };
    let same_end = last.extent(|extent| extent.end) == replacement.entry.end;
    same_end && last.last_frame().is_ok_and(|frame| frame.lsn == replacement.last_lsn)
}
