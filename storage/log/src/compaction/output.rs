//! The new file: written from its first byte to its last, synced with its indexes, and
//! nobody's until the manifest names it.

use super::Replacement;
use crate::appender::remove_segment_files;
use crate::error::{io_error, sync_error};
use crate::frame::batch_max_timestamp;
use crate::mutation::Mutation;
use crate::paths::SegmentName;
use crate::segment::{Extent, SEGMENT_HEADER_BYTES, Segment, encode_rewritten_header};
use crate::sparse_index::SealedFacts;
use crate::{FrameHeader, LogError, PartitionLog, RewrittenSegment, SessionTable};
use bytes::Bytes;
use pyralog_env::DiskFile;
use pyralog_model::{BatchPrefix, Lsn, Offset};
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes that are gathered into one write.
const GATHER_BYTES: usize = 1 << 20;

/// A file that is being written.
pub(super) struct Output<'a> {
    log: &'a PartitionLog,
    name: SegmentName,
    end: Offset,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// Bytes that are in the file.
    written: u64,
    buffer: Vec<u8>,
    extent: Extent,
    last_lsn: Lsn,
}

impl<'a> Output<'a> {
    /// Begins a file of a new name for the offsets from there to `end`.
    pub(super) fn create(
        log: &'a PartitionLog,
        name: SegmentName,
        end: Offset,
    ) -> Result<Output<'a>, LogError> {
        let path = name.file(&log.dir, "segment");
        let file = log.disk.create(&path).map_err(io_error("cannot create", &path))?;
        Ok(Output {
            log,
            name,
            end,
            path,
            file,
            written: SEGMENT_HEADER_BYTES as u64,
            buffer: Vec::new(),
            extent: Segment::empty_extent(name.base),
            last_lsn: Lsn::default(),
        })
    }

    /// Adds a batch, which keeps the place that it had. Returns the bytes that were
    /// written to the disk for it.
    pub(super) fn push(&mut self, header: &FrameHeader, batch: &Bytes) -> Result<u64, LogError> {
        let header = FrameHeader {
            batch_bytes: u32::try_from(batch.len()).expect("no larger than a frame may be"),
            // All of the file is synced before anybody reads it.
            synced_before: 0,
            ..*header
        };
        let prefix = &batch[..size_of::<BatchPrefix>()];
        self.buffer.extend_from_slice(&header.encode(self.log.store, prefix));
        self.buffer.extend_from_slice(batch);
        self.extent.extend(&header, batch_max_timestamp(batch));
        self.last_lsn = header.lsn;
        if self.buffer.len() < GATHER_BYTES { Ok(0) } else { self.flush() }
    }

    /// Makes it durable, with its indexes and what is known of producers' `sessions` at
    /// its end.
    pub(super) fn finish(
        mut self,
        sources: &[Arc<Segment>],
        sessions: &SessionTable,
    ) -> Result<Replacement, LogError> {
        self.flush()?;
        assert_eq!(self.extent.end, self.end, "the last batch of a file stays");
        let entry = RewrittenSegment {
            base: self.name.base,
            end: self.end,
            generation: self.name.generation,
            bytes: self.extent.bytes,
        };
        let header = encode_rewritten_header(self.log.store, self.log.id, &entry);
        self.file.write_all_at(&header, 0).map_err(io_error("cannot write", &self.path))?;
        if !self.log.planted().is(Mutation::ManifestBeforeSync) {
            self.file.sync_all().map_err(sync_error(&self.path))?;
        }
        let facts = SealedFacts {
            segment_bytes: self.extent.bytes,
            next_offset: self.end,
            last_lsn: self.last_lsn,
            last_epoch: self.extent.last_epoch,
            has_sessions: !sessions.is_empty(),
        };
        // The names, too, the file's own among them.
        self.log.place().keep(self.name, sessions, &self.extent.index, &facts)?;
        let Output { log, name, path, file, extent, last_lsn, .. } = self;
        let segment = Arc::new(Segment::new(name, path, file, log.store, extent));
        Ok(Replacement { entry, segment, sources: sources.to_vec(), last_lsn })
    }

    fn flush(&mut self) -> Result<u64, LogError> {
        let written = self.file.write_all_at(&self.buffer, self.written);
        written.map_err(io_error("cannot write", &self.path))?;
        let bytes = self.buffer.len() as u64;
        self.written += bytes;
        self.buffer.clear();
        Ok(bytes)
    }
}

/// Removes what was written of a file that nobody will use.
pub(super) fn discard(log: &PartitionLog, name: SegmentName) {
    // What cannot be removed now is removed by the next start.
    let _ = remove_segment_files(log, name);
}
