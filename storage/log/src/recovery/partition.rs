//! Opening one partition: its sealed segments by their indexes, the last one by
//! a walk.

use super::{LogOptions, RecoveryReport};
use crate::appender::{Appender, remove_before};
use crate::checkpoint::PartitionCheckpoint;
use crate::error::io_error;
use crate::mutation::{Mutation, Planted};
use crate::partition_log::{PartitionLog, View};
use crate::segment::{
    Extent, SEGMENT_HEADER_BYTES, ScanRequest, Scanned, Segment, encode_header, has_header, scan,
};
use crate::sessions::Place;
use crate::sparse_index::SparseIndex;
use crate::{LogError, SessionTable, paths};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::{Epoch, Lsn, Offset, PartitionId, StoreId};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const REWRITE_CHUNK_BYTES: usize = 1 << 20;

pub(super) struct Opening<'a> {
    pub(super) disk: &'a Arc<dyn Disk>,
    pub(super) pyramid: &'a Path,
    pub(super) store: StoreId,
    pub(super) options: &'a LogOptions,
    pub(super) planted: Planted,
}

/// A segment that was looked into.
struct Found {
    segment: Segment,
    last_lsn: Lsn,
    last_epoch: Epoch,
    torn: bool,
}

impl Opening<'_> {
    pub(super) fn open(
        &self,
        id: PartitionId,
        checkpoint: Option<PartitionCheckpoint>,
        truncated_at: Lsn,
        report: &mut RecoveryReport,
    ) -> Result<PartitionLog, LogError> {
        let dir = paths::partition_dir(self.pyramid, id);
        let known = checkpoint.unwrap_or_default();
        let mut bases = self.bases(&dir)?;
        self.drop_unfinished(id, &dir, &mut bases, &known, truncated_at)?;
        self.drop_before(known.log_start, &dir, &mut bases)?;

        let mut view = View { log_start: known.log_start, ..View::default() };
        let mut appender = Appender::default();
        appender.planted = self.planted;
        appender.lsn = known.lsn;
        appender.epoch = known.epoch;
        let mut end = bases.first().copied().unwrap_or_default();
        if end > known.log_start {
            let what = format!("offsets {}..{end} are missing", known.log_start);
            return Err(self.corrupt(&dir, end, what));
        }
        let mut sessions = SessionTable::default();
        for (index, &base) in bases.iter().enumerate() {
            let is_last = index + 1 == bases.len();
            if base != end {
                return Err(self.corrupt(&dir, base, format!("offsets {end}..{base} are missing")));
            }
            let found = if is_last {
                sessions = self.sessions_after(id, &dir, bases[0], &view.segments)?;
                self.open_last(id, &dir, base, &known, truncated_at, &mut sessions)?
            } else {
                self.open_sealed(id, &dir, base)?
            };
            report.torn_tails += u64::from(found.torn);
            end = found.segment.extent(|extent| extent.end);
            appender.lsn = appender.lsn.max(found.last_lsn);
            appender.epoch = appender.epoch.max(found.last_epoch);
            view.segments.push(Arc::new(found.segment));
        }
        if end < known.next_offset && truncated_at <= known.lsn {
            return Err(self.corrupt(&dir, end, format!("synced up to {}", known.next_offset)));
        }
        if let Some(last) = view.segments.last() {
            appender.position = last.extent(|extent| extent.bytes);
            appender.synced = appender.position;
            appender.active = Some(Arc::clone(last));
        }
        appender.end = end;
        view.sessions = sessions.clone();
        appender.sessions = sessions;
        view.end = end;
        view.last_epoch = appender.epoch;
        let disk = Arc::clone(self.disk);
        let segment_bytes = self.options.segment_bytes;
        Ok(PartitionLog::new(id, self.store, disk, dir, segment_bytes, appender, view))
    }

    /// The segments there are, their names durable.
    fn bases(&self, dir: &Path) -> Result<Vec<Offset>, LogError> {
        self.disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
        let entries = self.disk.list(dir).map_err(io_error("cannot list", dir))?;
        let mut bases: Vec<Offset> =
            entries.iter().filter_map(|entry| paths::segment_base(&entry.name)).collect();
        bases.sort_unstable();
        Ok(bases)
    }

    /// A last segment whose header never became durable holds nothing: its first
    /// frame would have been written after the header's sync.
    fn drop_unfinished(
        &self,
        id: PartitionId,
        dir: &Path,
        bases: &mut Vec<Offset>,
        known: &PartitionCheckpoint,
        truncated_at: Lsn,
    ) -> Result<(), LogError> {
        let Some(&last) = bases.last() else { return Ok(()) };
        let path = paths::by_base(dir, last, "segment");
        let file = self.open_file(&path)?;
        if has_header(&*file, &path, &encode_header(self.store, id, last))? {
            return Ok(());
        }
        let len = file.len().map_err(io_error("cannot measure", &path))?;
        // After a cut-back the checkpoint speaks of segments that are gone.
        let was_synced =
            known.segment_position > 0 && known.segment_base >= last && truncated_at <= known.lsn;
        if was_synced || len > SEGMENT_HEADER_BYTES as u64 {
            return Err(self.corrupt(&path, Offset(0), "its header is damaged".into()));
        }
        self.disk.remove_file(&path).map_err(io_error("cannot remove", &path))?;
        self.disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
        bases.pop();
        Ok(())
    }

    /// Whole segments before the start may have come back, or were never removed.
    fn drop_before(
        &self,
        start: Offset,
        dir: &Path,
        bases: &mut Vec<Offset>,
    ) -> Result<(), LogError> {
        let Some(first) = bases.iter().copied().filter(|base| *base <= start).max() else {
            return Ok(());
        };
        bases.retain(|base| *base >= first);
        remove_before(&**self.disk, dir, first)
    }

    fn open_sealed(&self, id: PartitionId, dir: &Path, base: Offset) -> Result<Found, LogError> {
        let path = paths::by_base(dir, base, "segment");
        let file = self.open_file(&path)?;
        let len = file.len().map_err(io_error("cannot measure", &path))?;
        let index = SparseIndex::read_files(&**self.disk, dir, base)?;
        if let Some((index, facts)) = index.filter(|(_, facts)| facts.segment_bytes == len) {
            let (end, last_epoch) = (facts.next_offset, facts.last_epoch);
            let extent = Extent { bytes: len, end, last_epoch, index };
            let segment = Segment::new(base, path, file, self.store, extent);
            let (last_lsn, last_epoch) = (facts.last_lsn, facts.last_epoch);
            return Ok(Found { segment, last_lsn, last_epoch, torn: false });
        }
        // Everything in a sealed segment was synced: damage is corruption.
        let request = self.scan_request(id, &file, &path, base, len, Lsn::default());
        let scanned = scan(&request, &mut SessionTable::default())?;
        let Scanned { extent, last_lsn, last_epoch, torn, .. } = scanned;
        let segment = Segment::new(base, path, file, self.store, extent);
        Ok(Found { segment, last_lsn, last_epoch, torn })
    }

    fn sessions_after(
        &self,
        id: PartitionId,
        dir: &Path,
        first: Offset,
        sealed: &[Arc<Segment>],
    ) -> Result<SessionTable, LogError> {
        if self.planted.is(Mutation::SessionsForgotten) {
            return Ok(SessionTable::default());
        }
        let place = Place { disk: &**self.disk, dir, store: self.store, partition: id };
        place.sessions_after(first, sealed)
    }

    fn open_last(
        &self,
        id: PartitionId,
        dir: &Path,
        base: Offset,
        known: &PartitionCheckpoint,
        truncated_at: Lsn,
        sessions: &mut SessionTable,
    ) -> Result<Found, LogError> {
        let path = paths::by_base(dir, base, "segment");
        let file = self.open_file(&path)?;
        // A cut that is in the WAL but not in the checkpoint may have shortened it.
        let holds = known.segment_base == base && truncated_at <= known.lsn;
        let synced = if holds { known.segment_position } else { 0 };
        let request = self.scan_request(id, &file, &path, base, synced, truncated_at);
        let scanned = scan(&request, sessions)?;
        if scanned.torn {
            let cut = file.set_len(scanned.extent.bytes).and_then(|()| file.sync_all());
            cut.map_err(io_error("cannot cut the torn tail of", &path))?;
        }
        rewrite(&*file, synced.max(scanned.synced_before), scanned.extent.bytes)
            .map_err(io_error("cannot write again", &path))?;
        let Scanned { extent, last_lsn, last_epoch, torn, .. } = scanned;
        let segment = Segment::new(base, path, file, self.store, extent);
        Ok(Found { segment, last_lsn, last_epoch, torn })
    }

    fn scan_request<'a>(
        &self,
        partition: PartitionId,
        file: &'a Arc<dyn DiskFile>,
        path: &'a Path,
        base: Offset,
        synced: u64,
        truncated_at: Lsn,
    ) -> ScanRequest<'a> {
        ScanRequest {
            file: &**file,
            path,
            store: self.store,
            partition,
            base,
            synced,
            truncated_at,
            accept_torn: self.planted.is(Mutation::TornMiddleAccepted),
        }
    }

    fn open_file(&self, path: &Path) -> Result<Arc<dyn DiskFile>, LogError> {
        self.disk.open(path).map_err(io_error("cannot open", path))
    }

    fn corrupt(&self, path: &Path, at: Offset, what: String) -> LogError {
        let path: PathBuf = path.to_owned();
        LogError::Corrupt { path, position: 0, what: format!("at offset {at}: {what}") }
    }
}

/// Writes a part of a file over itself. If a sync of it failed in an earlier
/// process, the kernel shows these bytes and holds them to be clean, so that the
/// sync to come would do nothing for them.
fn rewrite(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    let mut position = from;
    let mut chunk = vec![0; REWRITE_CHUNK_BYTES.min((to - from) as usize)];
    while position < to {
        let len = chunk.len().min((to - position) as usize);
        file.read_exact_at(&mut chunk[..len], position)?;
        file.write_all_at(&chunk[..len], position)?;
        position += len as u64;
    }
    Ok(())
}
