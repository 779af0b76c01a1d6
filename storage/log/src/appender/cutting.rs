//! Cutting a partition back.

use super::Appender;
use super::removal::{INDEX_EXTENSIONS, remove_if_there, remove_segment_files};
use crate::error::io_error;
use crate::partition_log::PartitionLog;
use crate::{Frame, FrameHeader, LogError};
use pyralog_model::Offset;
use std::sync::Arc;

impl Appender {
    /// Cuts the partition back as `frame` says, durably: its base offset is the
    /// new end, which is where a batch begins, and it is in the WAL already.
    pub(crate) fn truncate(
        &mut self,
        log: &PartitionLog,
        frame: &FrameHeader,
    ) -> Result<(), LogError> {
        let cut = self.try_truncate(log, frame);
        self.latch(cut)
    }

    fn try_truncate(&mut self, log: &PartitionLog, frame: &FrameHeader) -> Result<(), LogError> {
        let end = frame.base_offset;
        log.change_view(|view| {
            while view.tail.back().is_some_and(|frame| frame.header.base_offset >= end) {
                let frame = view.tail.pop_back().expect("back was looked at");
                view.tail_bytes -= frame.header.frame_bytes();
            }
            view.end = view.end.min(end);
            view.last_epoch = view.last_epoch.max(frame.epoch);
        });
        if end < self.end {
            self.remove_segments_from(log, end)?;
            self.cut_active(log, end)?;
            self.end = end;
        }
        log.change_view(|view| {
            let mut sessions = self.sessions.clone();
            view.tail.iter().filter_map(Frame::session_batch).for_each(|b| sessions.fold(&b));
            sessions.remember_forgotten(&view.sessions);
            view.sessions = sessions;
        });
        // What is left of the tail is older than the cut, and not in segments yet.
        self.pending_cut = Some((frame.lsn, frame.epoch));
        if log.view(|view| view.tail.is_empty()) {
            self.settle_cut();
        }
        Ok(())
    }

    /// The segments have all that is older than the last cut-back. Epochs never go
    /// back, not even with the records that brought them.
    pub(super) fn settle_cut(&mut self) {
        if let Some((lsn, epoch)) = self.pending_cut.take() {
            self.lsn = self.lsn.max(lsn);
            self.epoch = self.epoch.max(epoch);
        }
    }

    fn remove_segments_from(&mut self, log: &PartitionLog, end: Offset) -> Result<(), LogError> {
        loop {
            // The first segment stays, so that the log keeps its place.
            let last = log.view(|view| match view.segments.as_slice() {
                // What was rewritten does not grow again: an empty one stays behind it.
                [.., before, last] if last.base() >= end && !before.is_rewritten() => {
                    Some(Arc::clone(last))
                }
                _ => None,
            });
            let Some(last) = last else { break };
            remove_segment_files(log, last.name)?;
            log.disk.sync_dir(&log.dir).map_err(io_error("cannot sync", &log.dir))?;
            log.change_view(|view| view.segments.pop());
        }
        self.active = log.view(|view| view.segments.last().cloned());
        // It may have been sealed, and will have another content of maybe the same
        // length when it is sealed again.
        if let Some(active) = &self.active {
            for extension in INDEX_EXTENSIONS {
                remove_if_there(log, &active.name.file(&log.dir, extension))?;
            }
            log.disk.sync_dir(&log.dir).map_err(io_error("cannot sync", &log.dir))?;
        }
        Ok(())
    }

    fn cut_active(&mut self, log: &PartitionLog, end: Offset) -> Result<(), LogError> {
        let Some(active) = self.active.clone() else { return Ok(()) };
        let mut sessions = log.sessions_before(&active)?;
        let kept = active.kept_below_with(end, |batch| sessions.fold(batch))?;
        sessions.remember_forgotten(&self.sessions);
        self.sessions = sessions;
        let cut = active.file.set_len(kept.bytes).and_then(|()| active.file.sync_all());
        cut.map_err(|error| LogError::Failed {
            cause: format!("cannot cut {}: {error}", active.path.display()),
        })?;
        self.position = kept.bytes;
        self.synced = kept.bytes;
        active.with_extent(|extent| *extent = kept);
        Ok(())
    }
}
