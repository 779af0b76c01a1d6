//! One segment: every byte of it, and what becomes of damage.
//!
//! In a sealed segment everything was synced, so damage is loss; one that compaction
//! wrote is sealed even where it is the last. In the last one the
//! end may be torn: what was never synced was acknowledged from the WAL, or not at
//! all, and a start cuts it off. What tells the two apart is what a start goes by:
//! the checkpoint, and frames which say that they were written after a sync.

use super::Auditor;
use crate::error::io_error;
use crate::inspection::{SegmentFrame, SegmentHeader, SegmentItem, SegmentPlace, SegmentWalk};
use crate::segment::SEGMENT_HEADER_BYTES;
use crate::sessions::SessionTable;
use crate::sparse_index::SparseIndex;
use crate::{LogError, PartitionCheckpoint, RewrittenSegment};
use pyralog_env::DiskFile;
use pyralog_model::{Damage, Finding, Lsn, Offset, PartitionId, Severity, StoreId};
use std::path::Path;
use std::sync::Arc;

/// What is expected of a segment.
pub(super) struct Expected<'a> {
    pub(super) id: PartitionId,
    pub(super) base: Offset,
    pub(super) path: &'a Path,
    /// What the manifest says of it, if compaction wrote it.
    pub(super) entry: Option<RewrittenSegment>,
    /// The partition's last segment, which grows and may be torn.
    pub(super) is_last: bool,
    /// The base of the next one, or its end by the manifest: up to there records must
    /// be there.
    pub(super) end: Option<Offset>,
    pub(super) known: PartitionCheckpoint,
    /// The checkpoint speaks of what a later cut-back has changed.
    pub(super) was_cut: bool,
    /// The last frame before this segment.
    pub(super) before: Lsn,
}

/// What a segment turned out to hold.
pub(super) struct Seen {
    pub(super) len: u64,
    /// The offset after the last record that a start would keep.
    pub(super) end: Offset,
    /// Its last frame; nothing before the first.
    pub(super) lsn: Lsn,
    pub(super) epoch: pyralog_model::Epoch,
    /// The index as a walk makes it.
    pub(super) index: SparseIndex,
    /// There is damage that is not a torn end.
    pub(super) damaged: bool,
}

/// A segment on the way to its end.
struct Reading {
    /// Up to where a start would keep it.
    kept: SegmentPlace,
    index: SparseIndex,
    /// The first damage that may be a torn end.
    torn: Option<Damage>,
    /// Loss of which only the next frame tells where it ends, and the offset it
    /// begins at.
    open: Option<(Damage, Offset)>,
    damaged: bool,
}

impl Reading {
    fn begin(kept: SegmentPlace) -> Reading {
        Reading { kept, index: SparseIndex::new(), torn: None, open: None, damaged: false }
    }
}

impl Expected<'_> {
    /// The header that it should have.
    fn header(&self, store: StoreId) -> SegmentHeader {
        match &self.entry {
            Some(entry) => SegmentHeader::rewritten(store, self.id, entry),
            None => SegmentHeader::appended(store, self.id, self.base),
        }
    }

    /// Bytes of it that the checkpoint calls synced.
    fn synced(&self) -> u64 {
        let speaks = self.known.segment_base == self.base && !self.was_cut;
        if speaks { self.known.segment_position } else { 0 }
    }
}

impl Auditor<'_> {
    /// Reads a segment. None if it is a last one that was never begun, or cannot be
    /// read at all; that has been told.
    pub(super) fn segment(
        &mut self,
        expected: &Expected<'_>,
        sessions: &mut SessionTable,
    ) -> Option<Seen> {
        self.report.segments += 1;
        self.report.files += 1;
        match self.try_segment(expected, sessions) {
            Ok(seen) => seen,
            Err(error) => {
                self.unreadable(expected.path, &error);
                None
            }
        }
    }

    fn try_segment(
        &mut self,
        expected: &Expected<'_>,
        sessions: &mut SessionTable,
    ) -> Result<Option<Seen>, LogError> {
        let path = expected.path;
        let file: Arc<dyn DiskFile> =
            self.request.disk.open(path).map_err(io_error("cannot open", path))?;
        let len = file.len().map_err(io_error("cannot measure", path))?;
        self.segment_bytes(expected, len);
        if !self.segment_header(&*file, expected, len)? {
            return Ok(None);
        }
        let header = expected.header(self.request.store);
        let place = SegmentPlace { lsn: expected.before, ..SegmentPlace::begin(expected.base) };
        let mut walk = SegmentWalk::new(&*file, path, &header, place)?;
        let mut reading = Reading::begin(place);
        loop {
            let before = walk.place();
            let Some(item) = walk.step()? else { break };
            self.read(walk.place().position - before.position);
            match item {
                SegmentItem::Frame(frame) => {
                    self.frame(expected, &frame, &mut reading, sessions);
                    if reading.torn.is_none() {
                        reading.kept = walk.place();
                    }
                }
                SegmentItem::LostBatch(header, damage) => {
                    let lost = (header.base_offset, Some(header.next_offset()));
                    self.damaged(expected, damage, lost, &mut reading);
                }
                SegmentItem::Damage(damage) => {
                    self.damaged(expected, damage, (before.end, None), &mut reading);
                }
            }
        }
        if let Some(damage) = walk.missing_end().filter(|_| reading.open.is_none()) {
            self.damaged(expected, damage, (walk.place().end, expected.end), &mut reading);
        }
        self.segment_end(expected, &mut reading);
        let Reading { kept: SegmentPlace { end, lsn, epoch, .. }, index, damaged, .. } = reading;
        Ok(Some(Seen { len, end, lsn, epoch, index, damaged }))
    }

    fn frame(
        &mut self,
        expected: &Expected<'_>,
        frame: &SegmentFrame,
        reading: &mut Reading,
        sessions: &mut SessionTable,
    ) {
        let header = &frame.header;
        let tells = |damage: &Damage| header.synced_before > damage.position;
        if let Some(damage) = reading.torn.take_if(|damage| tells(damage)) {
            reading.open = Some((damage, reading.kept.end));
            reading.damaged = true;
        }
        if let Some((damage, from)) = reading.open.take() {
            self.lost(expected, &damage, (from, Some(header.base_offset)));
        }
        if reading.torn.is_some() {
            return;
        }
        self.report.frames += 1;
        self.report.records += frame.batch_header.records();
        let time = frame.batch_header.max_timestamp;
        reading.index.note(header.base_offset, frame.position, time);
        if let Some(batch) = frame.session_batch() {
            sessions.fold(&batch);
        }
    }

    /// Damage, and the offsets of the records that are lost with it, as far as they
    /// are known.
    fn damaged(
        &mut self,
        expected: &Expected<'_>,
        damage: Damage,
        (from, next): (Offset, Option<Offset>),
        reading: &mut Reading,
    ) {
        if expected.is_last && damage.position >= expected.synced() {
            reading.torn.get_or_insert(damage);
            return;
        }
        reading.damaged = true;
        if let Some((earlier, earlier_from)) = reading.open.take() {
            self.lost(expected, &earlier, (earlier_from, Some(from)));
        }
        match next {
            Some(next) => self.lost(expected, &damage, (from, Some(next))),
            None => reading.open = Some((damage, from)),
        }
    }

    fn segment_end(&mut self, expected: &Expected<'_>, reading: &mut Reading) {
        if let Some((damage, from)) = reading.open.take() {
            self.lost(expected, &damage, (from, expected.end));
        }
        if let Some(damage) = reading.torn.take() {
            self.torn(expected, &damage);
        }
    }

    /// Holds the length of a rewritten segment to the manifest.
    fn segment_bytes(&mut self, expected: &Expected<'_>, len: u64) {
        let Some(entry) = expected.entry.filter(|entry| entry.bytes != len) else { return };
        let what = format!("has {len} bytes, and meta.redb says {}", entry.bytes);
        let finding = Finding::new(Severity::Damage, expected.path, what);
        self.find(finding.advice(
            "the node does not start like this; put the partition's directory and meta.redb back \
             from one backup",
        ));
    }

    /// True if the segment can be gone through.
    fn segment_header(
        &mut self,
        file: &dyn DiskFile,
        expected: &Expected<'_>,
        len: u64,
    ) -> Result<bool, LogError> {
        let path = expected.path;
        let (found, damage) = SegmentHeader::read(file, path)?;
        let never_begun =
            expected.is_last && len <= SEGMENT_HEADER_BYTES as u64 && expected.synced() == 0;
        if let Some(damage) = damage {
            if never_begun {
                let what = "was being made when the node died, and holds nothing";
                let finding = Finding::new(Severity::Note, path, what);
                self.find(finding.advice("the next start removes it"));
                return Ok(false);
            }
            let what = format!("its header is damaged ({damage})");
            let finding = Finding::new(Severity::Damage, path, what).at(damage.position);
            self.find(finding.advice(
                "the node does not start like this if it is the partition's last segment; put \
                 the file back from a backup",
            ));
            return Ok(len > SEGMENT_HEADER_BYTES as u64);
        }
        let is_it = found == expected.header(self.request.store);
        if !is_it {
            let what = format!(
                "is generation {} of the segment of store {}, partition {}, offset {}: it was \
                 moved here, or exchanged with another",
                found.generation, found.store, found.partition, found.base
            );
            let finding = Finding::new(Severity::Damage, path, what).at(16);
            self.find(finding.advice("put it where it belongs, and the right file here"));
        }
        Ok(is_it)
    }

    /// Tells of damage that is loss: of the records from an offset up to another, if
    /// that is known.
    fn lost(&mut self, expected: &Expected<'_>, damage: &Damage, lost: (Offset, Option<Offset>)) {
        let (from, next) = lost;
        let until = next.map_or_else(|| "the end".to_owned(), |next| next.to_string());
        let finding = Finding::of(Severity::Damage, expected.path, damage);
        self.find(finding.advice(format!(
            "records {from}..{until} are lost on this node, and reads of them are refused; the \
             rest is served. Put the file back from a backup, or let go of them with DeleteRecords"
        )));
    }

    fn torn(&mut self, expected: &Expected<'_>, damage: &Damage) {
        let what = format!("its end is torn ({damage})");
        let finding = Finding::new(Severity::Note, expected.path, what);
        self.find(finding.at(damage.position).advice(
            "it was being written when the node died; the next start cuts it off and takes from \
             the write-ahead log what was acknowledged",
        ));
    }
}
