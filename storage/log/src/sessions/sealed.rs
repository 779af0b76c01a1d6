//! The table as of the end of sealed segments: from the newest snapshot that is
//! sound, and by walking the segments after it, of which there are none as a rule.
//!
//! When segments before a new start are removed, what was derived from the last of
//! them stays: its index says where the first segment that is left begins, and its
//! snapshot what was known of sessions there.

use super::SessionTable;
use super::snapshot::{SNAPSHOT_EXTENSION, SealedAt, read_file, write_file};
use crate::LogError;
use crate::error::{io_error, sync_error};
use crate::paths::SegmentName;
use crate::segment::Segment;
use crate::sparse_index::{SealedFacts, SparseIndex};
use pyralog_env::Disk;
use pyralog_model::{Offset, PartitionId, StoreId};
use std::path::Path;
use std::sync::Arc;

/// Where a partition's files are.
pub(crate) struct Place<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) dir: &'a Path,
    pub(crate) store: StoreId,
    pub(crate) partition: PartitionId,
}

impl Place<'_> {
    /// The sessions as of the end of the last of `sealed`, which are all the
    /// segments from the one that begins at `first`.
    pub(crate) fn sessions_after(
        &self,
        first: Offset,
        sealed: &[Arc<Segment>],
    ) -> Result<SessionTable, LogError> {
        let mut newest = None;
        for (index, segment) in sealed.iter().enumerate().rev() {
            newest = self.kept(segment)?.map(|kept| (kept, index + 1));
            if newest.is_some() {
                break;
            }
        }
        let (mut table, known) = match newest {
            Some(newest) => newest,
            None => (self.sessions_before(first)?, 0),
        };
        for segment in &sealed[known..] {
            let end = segment.extent(|extent| extent.end);
            segment.kept_below_with(end, |batch| table.fold(batch))?;
        }
        Ok(table)
    }

    /// What was known where the first segment begins. There is nothing to walk.
    fn sessions_before(&self, first: Offset) -> Result<SessionTable, LogError> {
        if first == Offset::ZERO {
            return Ok(SessionTable::default());
        }
        let kept = self.kept_before(first)?;
        kept.map(|(_, sessions)| sessions).ok_or_else(|| LogError::Corrupt {
            path: self.dir.to_owned(),
            position: 0,
            what: format!("what was known of producers before offset {first} is missing"),
        })
    }

    /// The segment that ended at `first`, of which only what was derived is left, and
    /// the sessions as of there.
    pub(crate) fn kept_before(
        &self,
        first: Offset,
    ) -> Result<Option<(SegmentName, SessionTable)>, LogError> {
        let entries = self.disk.list(self.dir).map_err(io_error("cannot list", self.dir))?;
        let names = entries.iter().filter_map(|entry| SegmentName::of_file(&entry.name));
        let indexes =
            names.filter(|(name, extension)| name.base < first && *extension == "offsets");
        // The last one, unless files of rewritten segments still lie around.
        for (name, _) in indexes.collect::<Vec<_>>().into_iter().rev() {
            let index = SparseIndex::read_files(self.disk, self.dir, name)?;
            let Some((_, facts)) = index.filter(|(_, facts)| facts.next_offset == first) else {
                continue;
            };
            if let Some(sessions) = self.snapshot(name, &facts)? {
                return Ok(Some((name, sessions)));
            }
        }
        Ok(None)
    }

    /// Keeps the sessions as of the end of a sealed segment, and says so in its
    /// index, both durably.
    pub(crate) fn keep(
        &self,
        name: SegmentName,
        sessions: &SessionTable,
        index: &SparseIndex,
        facts: &SealedFacts,
    ) -> Result<(), LogError> {
        if facts.has_sessions {
            let path = name.file(self.dir, SNAPSHOT_EXTENSION);
            write_file(self.disk, &path, sessions, &self.sealed_at(facts))?;
        }
        index.write_files(self.disk, self.dir, name, facts)?;
        self.disk.sync_dir(self.dir).map_err(sync_error(self.dir))
    }

    pub(crate) fn kept(&self, segment: &Segment) -> Result<Option<SessionTable>, LogError> {
        let bytes = segment.extent(|extent| extent.bytes);
        let index = SparseIndex::read_files(self.disk, self.dir, segment.name)?;
        let Some((_, facts)) = index.filter(|(_, facts)| facts.segment_bytes == bytes) else {
            return Ok(None);
        };
        self.snapshot(segment.name, &facts)
    }

    fn snapshot(
        &self,
        name: SegmentName,
        facts: &SealedFacts,
    ) -> Result<Option<SessionTable>, LogError> {
        if !facts.has_sessions {
            return Ok(Some(SessionTable::default()));
        }
        let path = name.file(self.dir, SNAPSHOT_EXTENSION);
        read_file(self.disk, &path, &self.sealed_at(facts))
    }

    fn sealed_at(&self, facts: &SealedFacts) -> SealedAt {
        SealedAt {
            store: self.store,
            partition: self.partition,
            next_offset: facts.next_offset,
            last_lsn: facts.last_lsn,
        }
    }
}
