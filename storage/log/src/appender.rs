//! Writing a partition's segments: rolling, syncing, cutting back.
//!
//! The order that makes a power cut harmless: a full segment is synced before its
//! successor is made; a new segment's header and name are synced before its first
//! frame; so only the last segment can ever be torn. A cut-back removes later
//! segments last to first, each removal synced, before it shortens the one that
//! stays; so no hole can appear, and nothing new is written until it is done.

use crate::checkpoint::PartitionCheckpoint;
use crate::durable::SyncProof;
use crate::error::{io_error, is_disk_full};
use crate::mutation::{Mutation, Planted};
use crate::partition_log::PartitionLog;
use crate::paths::by_base;
use crate::segment::{SEGMENT_HEADER_BYTES, Segment, encode_header};
use crate::sparse_index::SealedFacts;
use crate::{Frame, FrameHeader, LogError};
use pyralog_env::DiskFile;
use pyralog_model::{Epoch, Lsn, Offset};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Bytes that are written between two hints to start writing back, so that a big
/// file never holds up a small sync.
const PACE_BYTES: u64 = 4 << 20;

/// Bytes of tail that are gathered into one write.
const GATHER_BYTES: usize = 1 << 20;

/// The files that are derived from a segment.
const INDEX_EXTENSIONS: [&str; 2] = ["offsets", "times"];

/// The writing end of a partition's segments.
#[derive(Debug, Default)]
pub(crate) struct Appender {
    pub(crate) active: Option<Arc<Segment>>,
    /// Where the next frame goes in the active segment.
    pub(crate) position: u64,
    /// Bytes of the active segment that are synced.
    pub(crate) synced: u64,
    /// The last frame that was written or undone.
    pub(crate) lsn: Lsn,
    pub(crate) epoch: Epoch,
    /// The offset after the last record in segments.
    pub(crate) end: Offset,
    pub(crate) planted: Planted,
    buffer: Vec<u8>,
}

impl Appender {
    /// Writes what the tail holds at this moment into segments, unsynced, and
    /// takes it out of the tail. Frames that are published meanwhile wait for the
    /// next time: a busy partition must not keep its writer for ever.
    pub(crate) fn write_tail(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        let Some(last) = log.view(|view| view.tail.back().map(|frame| frame.header.lsn)) else {
            return Ok(());
        };
        loop {
            let frames = self.next_of_tail(log, last);
            if frames.is_empty() {
                return Ok(());
            }
            self.roll_if_full(log, frames[0].header.frame_bytes())?;
            self.write(log, &frames)?;
            self.publish(&frames);
            log.change_view(|view| view.pop_tail(frames.len()));
        }
    }

    /// Writes the tail and then `frames`, and syncs. Frames are shown to readers
    /// only afterwards.
    pub(crate) fn write_durably(
        &mut self,
        log: &PartitionLog,
        mut frames: Vec<Frame>,
    ) -> Result<SyncProof, LogError> {
        self.write_tail(log)?;
        let bytes: usize = frames.iter().map(|frame| frame.header.frame_bytes()).sum();
        self.roll_if_full(log, bytes)?;
        for frame in &mut frames {
            frame.header.synced_before = self.synced;
        }
        self.write(log, &frames)?;
        let proof = self.sync()?;
        self.publish(&frames);
        log.change_view(|view| frames.iter().for_each(|frame| view.advance(&frame.header)));
        Ok(proof)
    }

    /// Makes everything written so far durable.
    pub(crate) fn sync(&mut self) -> Result<SyncProof, LogError> {
        let Some(active) = self.active.clone() else {
            // Nothing was ever written: there is nothing that could be lost.
            return Ok(SyncProof::from_sync(Ok(())).expect("Ok was given"));
        };
        let synced = self.sync_file(&active);
        let failed = |error: io::Error| LogError::Failed {
            cause: format!("cannot sync {}: {error}", active.path.display()),
        };
        let proof = SyncProof::from_sync(synced).map_err(failed)?;
        self.synced = self.position;
        Ok(proof)
    }

    /// Cuts the partition back as `frame` says, durably: its base offset is the
    /// new end, which is where a batch begins, and it is in the WAL already.
    pub(crate) fn truncate(
        &mut self,
        log: &PartitionLog,
        frame: &FrameHeader,
    ) -> Result<(), LogError> {
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
            self.cut_active(end)?;
            self.end = end;
        }
        // What is left of the tail is older than the cut, and not in segments yet.
        if log.view(|view| view.tail.is_empty()) {
            self.lsn = frame.lsn;
        }
        // Epochs never go back, not even with the records that brought them.
        self.epoch = self.epoch.max(frame.epoch);
        Ok(())
    }

    /// What recovery may take for granted once this is saved. Call after `sync`.
    pub(crate) fn checkpoint(&self, log: &PartitionLog) -> PartitionCheckpoint {
        assert_eq!(self.synced, self.position, "a checkpoint follows a sync");
        PartitionCheckpoint {
            segment_base: self.active.as_ref().map_or(self.end, |segment| segment.base),
            segment_position: self.position,
            next_offset: self.end,
            lsn: self.lsn,
            log_start: log.bounds().0,
            epoch: self.epoch,
        }
    }

    fn next_of_tail(&self, log: &PartitionLog, last: Lsn) -> Vec<Frame> {
        let limit = log.segment_bytes();
        log.view(|view| {
            let (mut bytes, mut position) = (0, self.position);
            let fits = |frame: &&Frame| {
                if frame.header.lsn > last {
                    return false;
                }
                let size = frame.header.frame_bytes();
                let first = bytes == 0;
                let room = bytes + size <= GATHER_BYTES && position + size as u64 <= limit;
                bytes += size;
                position += size as u64;
                first || room
            };
            view.tail.iter().take_while(fits).cloned().collect()
        })
    }

    fn roll_if_full(&mut self, log: &PartitionLog, bytes: usize) -> Result<(), LogError> {
        let Some(active) = self.active.clone() else {
            return self.start_segment(log);
        };
        let is_empty = self.position == SEGMENT_HEADER_BYTES as u64;
        if is_empty || self.position + bytes as u64 <= log.segment_bytes() {
            return Ok(());
        }
        self.sync()?;
        let index = active.extent(|extent| extent.index.clone());
        let facts = SealedFacts {
            segment_bytes: self.position,
            next_offset: self.end,
            last_lsn: self.lsn,
            last_epoch: self.epoch,
        };
        index.write_files(&*log.disk, &log.dir, active.base, &facts)?;
        self.start_segment(log)
    }

    fn start_segment(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        // Names may be left: of a start that was refused for want of room, and of
        // indexes that outlived a cut-back.
        remove_segment_files(log, self.end)?;
        let path = by_base(&log.dir, self.end, "segment");
        let file = match self.make_segment_file(log, &path) {
            Ok(file) => file,
            Err(error) => {
                // Left behind, it would stand in the middle once the log has grown.
                let _ = log.disk.remove_file(&path);
                return Err(error);
            }
        };
        if !self.planted.is(Mutation::NoDirectorySync) {
            log.disk.sync_dir(&log.dir).map_err(io_error("cannot sync", &log.dir))?;
        }
        let extent = Segment::empty_extent(self.end);
        let segment = Arc::new(Segment::new(self.end, path, file, log.store, extent));
        log.change_view(|view| view.segments.push(Arc::clone(&segment)));
        self.active = Some(segment);
        self.position = SEGMENT_HEADER_BYTES as u64;
        self.synced = self.position;
        Ok(())
    }

    fn make_segment_file(
        &self,
        log: &PartitionLog,
        path: &Path,
    ) -> Result<Arc<dyn DiskFile>, LogError> {
        let file = log.disk.create(path).map_err(io_error("cannot create", path))?;
        let header = encode_header(log.store, log.id, self.end);
        file.write_all_at(&header, 0).map_err(io_error("cannot write", path))?;
        file.sync_all().map_err(io_error("cannot sync", path))?;
        Ok(file)
    }

    /// Writes frames behind the last one. On "no room" nothing of them stays.
    fn write(&mut self, log: &PartitionLog, frames: &[Frame]) -> Result<(), LogError> {
        let active = Arc::clone(self.active.as_ref().expect("roll_if_full makes one"));
        self.buffer.clear();
        for frame in frames {
            frame.encode_into(log.store, &mut self.buffer);
        }
        match active.file.write_all_at(&self.buffer, self.position) {
            Ok(()) => self.pace(&active),
            Err(error) if is_disk_full(&error) => {
                self.undo_partial_write(&active)?;
                return Err(LogError::DiskFull { what: active.path.display().to_string() });
            }
            Err(error) => {
                let cause = format!("cannot write {}: {error}", active.path.display());
                return Err(LogError::Failed { cause });
            }
        }
        self.position += self.buffer.len() as u64;
        // A bulk write must not pin its memory for ever.
        if self.buffer.capacity() > 2 * GATHER_BYTES {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Frames that were never acknowledged must not come back after a restart.
    fn undo_partial_write(&mut self, active: &Segment) -> Result<(), LogError> {
        let cut = active.file.set_len(self.position).and_then(|()| active.file.sync_all());
        cut.map_err(|error| LogError::Failed {
            cause: format!("cannot undo a partial write to {}: {error}", active.path.display()),
        })
    }

    fn publish(&mut self, frames: &[Frame]) {
        let Some(active) = &self.active else { return };
        active.with_extent(|extent| {
            for frame in frames {
                let header = &frame.header;
                extent.index.note(header.base_offset, extent.bytes, frame.max_timestamp);
                extent.bytes += header.frame_bytes() as u64;
                extent.end = header.next_offset();
            }
            assert_eq!(extent.bytes, self.position, "readers see what was written");
        });
        if let Some(last) = frames.last() {
            self.lsn = last.header.lsn;
            self.epoch = self.epoch.max(last.header.epoch);
            self.end = last.header.next_offset();
        }
    }

    fn pace(&self, active: &Segment) {
        let end = self.position + self.buffer.len() as u64;
        let (before, after) = (self.position / PACE_BYTES, end / PACE_BYTES);
        if after > before {
            let begin = before * PACE_BYTES;
            active.file.start_writeback(begin, after * PACE_BYTES - begin);
        }
    }

    fn sync_file(&self, active: &Segment) -> io::Result<()> {
        if self.planted.is(Mutation::AckBeforeSync) {
            return Ok(());
        }
        let synced = active.file.sync_data();
        if synced.is_err() && self.planted.is(Mutation::RetryAfterFailedSync) {
            return active.file.sync_data();
        }
        synced
    }

    fn remove_segments_from(&mut self, log: &PartitionLog, end: Offset) -> Result<(), LogError> {
        loop {
            // The first segment stays, so that the log keeps its place.
            let last = log.view(|view| match view.segments.as_slice() {
                [_, .., last] if last.base >= end => Some(Arc::clone(last)),
                _ => None,
            });
            let Some(last) = last else { break };
            remove_segment_files(log, last.base)?;
            log.disk.sync_dir(&log.dir).map_err(io_error("cannot sync", &log.dir))?;
            log.change_view(|view| view.segments.pop());
        }
        self.active = log.view(|view| view.segments.last().cloned());
        // It may have been sealed, and will have another content of maybe the same
        // length when it is sealed again.
        if let Some(active) = &self.active {
            for extension in INDEX_EXTENSIONS {
                remove_if_there(log, &by_base(&log.dir, active.base, extension))?;
            }
            log.disk.sync_dir(&log.dir).map_err(io_error("cannot sync", &log.dir))?;
        }
        Ok(())
    }

    fn cut_active(&mut self, end: Offset) -> Result<(), LogError> {
        let Some(active) = self.active.clone() else { return Ok(()) };
        let kept = active.kept_below(end)?;
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

fn remove_segment_files(log: &PartitionLog, base: Offset) -> Result<(), LogError> {
    for extension in INDEX_EXTENSIONS.iter().chain(&["segment"]) {
        remove_if_there(log, &by_base(&log.dir, base, extension))?;
    }
    Ok(())
}

fn remove_if_there(log: &PartitionLog, path: &Path) -> Result<(), LogError> {
    if log.disk.exists(path).map_err(io_error("cannot look at", path))? {
        log.disk.remove_file(path).map_err(io_error("cannot remove", path))?;
    }
    Ok(())
}
