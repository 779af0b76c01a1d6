//! Sealing a full segment and starting its successor.

use super::Appender;
use super::removal::remove_segment_files;
use crate::LogError;
use crate::error::io_error;
use crate::mutation::Mutation;
use crate::partition_log::PartitionLog;
use crate::paths::by_base;
use crate::segment::{SEGMENT_HEADER_BYTES, Segment, encode_header};
use crate::sessions::{SNAPSHOT_EXTENSION, SealedAt, write_file};
use crate::sparse_index::SealedFacts;
use pyralog_env::DiskFile;
use pyralog_model::Offset;
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
        let is_empty = self.position == SEGMENT_HEADER_BYTES as u64;
        if is_empty || self.position + bytes as u64 <= log.segment_bytes() {
            return Ok(());
        }
        self.sync()?;
        let (index, last_epoch) = active.extent(|extent| (extent.index.clone(), extent.last_epoch));
        let facts = SealedFacts {
            segment_bytes: self.position,
            next_offset: self.end,
            last_lsn: self.lsn,
            last_epoch,
            has_sessions: !self.sessions.is_empty(),
        };
        self.write_sessions(log, active.base)?;
        index.write_files(&*log.disk, &log.dir, active.base, &facts)?;
        self.start_segment(log)
    }

    /// Keeps the sessions as of the end of a segment that is full, before the index
    /// says that they are kept.
    fn write_sessions(&self, log: &PartitionLog, base: Offset) -> Result<(), LogError> {
        if self.sessions.is_empty() {
            return Ok(());
        }
        let path = by_base(&log.dir, base, SNAPSHOT_EXTENSION);
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
}
