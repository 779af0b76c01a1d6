//! Sealing a full segment and starting its successor.

use super::Appender;
use super::removal::{remove_if_there, remove_segment_files};
use crate::LogError;
use crate::error::{io_error, sync_error};
use crate::mutation::Mutation;
use crate::partition_log::PartitionLog;
use crate::paths::SegmentName;
use crate::segment::{SEGMENT_HEADER_BYTES, Segment, encode_header};
use crate::sessions::{SNAPSHOT_EXTENSION, SealedAt, write_file};
use crate::sparse_index::SealedFacts;
use pyralog_env::DiskFile;
use pyralog_model::Durability;
use std::path::Path;
use std::sync::Arc;

impl Appender {
    /// Makes sure of a segment that takes `bytes` more; one that is empty takes
    /// any number.
    pub(super) fn roll_if_full(
        &mut self,
        log: &PartitionLog,
        bytes: usize,
    ) -> Result<(), LogError> {
        let Some(active) = self.active.clone() else {
            return self.start_segment(log);
        };
        if self.is_empty() || self.position + bytes as u64 <= log.segment_bytes() {
            return Ok(());
        }
        self.roll(log, &active)
    }

    /// Writes the tail and seals the segment that holds its end, unless that is empty.
    pub(crate) fn seal(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        self.write_tail(log)?;
        let Some(active) = self.active.clone().filter(|_| !self.is_empty()) else {
            return Ok(());
        };
        let sealed = self.roll(log, &active);
        self.latch(sealed)
    }

    fn is_empty(&self) -> bool {
        self.position == SEGMENT_HEADER_BYTES as u64
    }

    fn roll(&mut self, log: &PartitionLog, active: &Segment) -> Result<(), LogError> {
        if !self.planted.is(Mutation::SealedUnsynced) || log.durability() == Durability::Fsync {
            self.sync()?;
        }
        let (index, last_epoch) = active.extent(|extent| (extent.index.clone(), extent.last_epoch));
        let facts = SealedFacts {
            segment_bytes: self.position,
            next_offset: self.end,
            last_lsn: self.lsn,
            last_epoch,
            has_sessions: !self.sessions.is_empty(),
        };
        self.write_sessions(log, active.name)?;
        index.write_files(&*log.disk, &log.dir, active.name, &facts)?;
        self.start_segment(log)
    }

    /// Keeps the sessions as of the end of a segment that is full, before the index
    /// says that they are kept.
    fn write_sessions(&self, log: &PartitionLog, name: SegmentName) -> Result<(), LogError> {
        if self.sessions.is_empty() {
            return Ok(());
        }
        let path = name.file(&log.dir, SNAPSHOT_EXTENSION);
        let at = SealedAt {
            store: log.store,
            partition: log.id,
            next_offset: self.end,
            last_lsn: self.lsn,
        };
        write_file(&*log.disk, &path, &self.sessions, &at)
    }

    fn start_segment(&mut self, log: &PartitionLog) -> Result<(), LogError> {
        // Names may be left: of a start that was refused for want of room, and of
        // indexes that outlived a cut-back.
        let name = SegmentName::appended(self.end);
        remove_segment_files(log, name)?;
        let path = name.file(&log.dir, "segment");
        let file = match self.make_segment_file(log, &path) {
            Ok(file) => file,
            Err(error) => {
                // Left behind, or back after a power cut, it would stand in the middle
                // once the segment before it has grown.
                remove_if_there(log, &path)?;
                log.disk.sync_dir(&log.dir).map_err(sync_error(&log.dir))?;
                return Err(error);
            }
        };
        if !self.planted.is(Mutation::NoDirectorySync) {
            log.disk.sync_dir(&log.dir).map_err(io_error("cannot sync", &log.dir))?;
        }
        let extent = Segment::empty_extent(self.end);
        let segment = Arc::new(Segment::new(name, path, file, log.store, extent));
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
}
