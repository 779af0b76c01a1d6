//! Opening one partition: its sealed segments by their indexes, the last one by
//! a walk.

mod rewritten;

use super::{LogOptions, RecoveryReport};
use crate::appender::{Appender, remove_before};
use crate::checkpoint::PartitionCheckpoint;
use crate::error::io_error;
use crate::floor::{Bounds, Floor};
use crate::mutation::{Mutation, Planted};
use crate::partition_log::{PartitionLog, View};
use crate::paths::SegmentName;
use crate::segment::{
    Extent, SEGMENT_HEADER_BYTES, ScanRequest, Scanned, Segment, encode_header, has_header, scan,
};
use crate::sessions::Place;
use crate::sparse_index::{SealedFacts, SparseIndex};
use crate::{LogError, Manifest, SessionTable, paths};
use pyralog_env::{Disk, DiskFile};
use pyralog_model::{Durability, Epoch, Lsn, Offset, PartitionId, StoreId};
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
        manifest: &Manifest,
        truncated_at: Lsn,
        report: &mut RecoveryReport,
    ) -> Result<PartitionLog, LogError> {
        let dir = paths::partition_dir(self.pyramid, id);
        let floor = Floor::find(self.disk, &dir, self.store, id)?;
        let floor = match floor {
            Some(floor) if floor.durability() == Durability::Memory => {
                return Ok(self.open_in_memory(id, dir, floor));
            }
            floor => floor,
        };
        let known = checkpoint.unwrap_or_default();
        let mut names = self.present(&dir, manifest, known.log_start)?;
        self.drop_unfinished(id, &dir, &mut names, &known, truncated_at)?;
        self.drop_before(id, known.log_start, &dir, &mut names)?;

        let mut view = View { log_start: known.log_start, ..View::default() };
        let mut appender = Appender::default();
        appender.planted = self.planted;
        appender.lsn = known.lsn;
        appender.epoch = known.epoch;
        if let Some(floor) = &floor {
            appender.epoch = appender.epoch.max(floor.bounds().epoch);
        }
        let first = names.first().map(|name| name.base).unwrap_or_default();
        let mut end = first;
        if end > known.log_start {
            let what = format!("offsets {}..{end} are missing", known.log_start);
            return Err(self.corrupt(&dir, end, what));
        }
        let mut sessions = SessionTable::default();
        for (index, &name) in names.iter().enumerate() {
            let is_last = index + 1 == names.len();
            if name.base != end {
                let what = format!("offsets {end}..{} are missing", name.base);
                return Err(self.corrupt(&dir, name.base, what));
            }
            let found = match manifest.at(name.base) {
                Some(entry) => self.open_rewritten(id, &dir, entry)?,
                None if is_last => {
                    sessions = self.sessions_after(id, &dir, first, &view.segments)?;
                    self.open_last(id, &dir, name.base, &known, truncated_at, &mut sessions)?
                }
                None => self.open_sealed(id, &dir, name)?,
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
        match view.segments.last() {
            // What was rewritten does not grow: the next frame begins a segment.
            Some(last) if last.is_rewritten() => {
                sessions = self.sessions_after(id, &dir, first, &view.segments)?;
            }
            Some(last) => {
                appender.position = last.extent(|extent| extent.bytes);
                appender.synced = appender.position;
                appender.active = Some(Arc::clone(last));
            }
            None => {}
        }
        appender.end = end;
        view.sessions = sessions.clone();
        appender.sessions = sessions;
        view.end = end;
        view.last_epoch = appender.epoch;
        let disk = Arc::clone(self.disk);
        let segment_bytes = self.options.segment_bytes;
        let log = PartitionLog::new(id, self.store, disk, dir, segment_bytes, appender, view);
        log.set_cleaned(manifest.cleaned);
        Ok(match floor {
            Some(floor) => log.promising(floor),
            None => log,
        })
    }

    /// Empty, above everything that it ever had.
    fn open_in_memory(&self, id: PartitionId, dir: PathBuf, floor: Floor) -> PartitionLog {
        let Bounds { offset, epoch } = floor.bounds();
        let mut appender = Appender::default();
        (appender.planted, appender.end, appender.epoch) = (self.planted, offset, epoch);
        let view = View { log_start: offset, end: offset, last_epoch: epoch, ..View::default() };
        let (disk, bytes) = (Arc::clone(self.disk), self.options.segment_bytes);
        PartitionLog::new(id, self.store, disk, dir, bytes, appender, view).promising(floor)
    }

    /// A last segment whose header never became durable holds nothing: its first
    /// frame would have been written after the header's sync.
    fn drop_unfinished(
        &self,
        id: PartitionId,
        dir: &Path,
        names: &mut Vec<SegmentName>,
        known: &PartitionCheckpoint,
        truncated_at: Lsn,
    ) -> Result<(), LogError> {
        let Some(&last) = names.last().filter(|last| last.generation == 0) else { return Ok(()) };
        let path = last.file(dir, "segment");
        let file = self.open_file(&path)?;
        if has_header(&*file, &path, &encode_header(self.store, id, last.base))? {
            return Ok(());
        }
        let len = file.len().map_err(io_error("cannot measure", &path))?;
        // After a cut-back the checkpoint speaks of segments that are gone.
        let was_synced = known.segment_position > 0
            && known.segment_base >= last.base
            && truncated_at <= known.lsn;
        if was_synced || len > SEGMENT_HEADER_BYTES as u64 {
            return Err(self.corrupt(&path, Offset(0), "its header is damaged".into()));
        }
        self.disk.remove_file(&path).map_err(io_error("cannot remove", &path))?;
        self.disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
        names.pop();
        Ok(())
    }

    /// Whole segments before the start may have come back, or were never removed.
    fn drop_before(
        &self,
        id: PartitionId,
        start: Offset,
        dir: &Path,
        names: &mut Vec<SegmentName>,
    ) -> Result<(), LogError> {
        let first = names.iter().map(|name| name.base).filter(|base| *base <= start).max();
        let Some(first) = first.filter(|first| *first > Offset::ZERO) else { return Ok(()) };
        names.retain(|name| name.base >= first);
        let kept = self.place(id, dir).kept_before(first)?.map(|(name, _)| name);
        remove_before(&**self.disk, dir, first, kept, |_| true)
    }

    fn open_sealed(
        &self,
        id: PartitionId,
        dir: &Path,
        name: SegmentName,
    ) -> Result<Found, LogError> {
        let path = name.file(dir, "segment");
        let file = self.open_file(&path)?;
        let len = file.len().map_err(io_error("cannot measure", &path))?;
        let index = SparseIndex::read_files(&**self.disk, dir, name)?;
        let is_it = |facts: &SealedFacts| facts.segment_bytes == len && facts.last_lsn.0 < u64::MAX;
        if let Some((index, facts)) = index.filter(|(_, facts)| is_it(facts)) {
            return Ok(self.found_by_index(name, path, file, index, &facts));
        }
        // Everything in a sealed segment was synced: damage is corruption.
        let request = self.scan_request(id, &file, &path, name.base, len, Lsn::default());
        let scanned = scan(&request, &mut SessionTable::default())?;
        Ok(self.found_by_scan(name, path, file, scanned))
    }

    fn found_by_index(
        &self,
        name: SegmentName,
        path: PathBuf,
        file: Arc<dyn DiskFile>,
        index: SparseIndex,
        facts: &SealedFacts,
    ) -> Found {
        let (last_lsn, last_epoch) = (facts.last_lsn, facts.last_epoch);
        let (bytes, end) = (facts.segment_bytes, facts.next_offset);
        let extent = Extent { bytes, end, last_epoch, first_timestamp: None, index };
        let segment = Segment::new(name, path, file, self.store, extent);
        Found { segment, last_lsn, last_epoch, torn: false }
    }

    fn found_by_scan(
        &self,
        name: SegmentName,
        path: PathBuf,
        file: Arc<dyn DiskFile>,
        scanned: Scanned,
    ) -> Found {
        let Scanned { extent, last_lsn, last_epoch, torn, .. } = scanned;
        let segment = Segment::new(name, path, file, self.store, extent);
        Found { segment, last_lsn, last_epoch, torn }
    }

    fn place<'a>(&'a self, partition: PartitionId, dir: &'a Path) -> Place<'a> {
        Place { disk: &**self.disk, dir, store: self.store, partition }
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
        self.place(id, dir).sessions_after(first, sealed)
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
        let name = SegmentName::appended(base);
        let path = name.file(dir, "segment");
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
        // A frame that says more was synced than there is says nothing.
        let end = scanned.extent.bytes;
        rewrite(&*file, synced.max(scanned.synced_before).min(end), end)
            .map_err(io_error("cannot write again", &path))?;
        Ok(self.found_by_scan(name, path, file, scanned))
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
            rewritten_to: None,
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
