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
use crate::paths::{by_base, parts_of};
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
        let last = self.bases()?.into_iter().filter(|base| *base < first).max();
        let index = match last {
            Some(last) => SparseIndex::read_files(self.disk, self.dir, last)?,
            None => None,
        };
        let kept = match index.zip(last).filter(|((_, facts), _)| facts.next_offset == first) {
            Some(((_, facts), last)) => self.snapshot(last, &facts)?,
            None => None,
        };
        kept.ok_or_else(|| LogError::Corrupt {
            path: self.dir.to_owned(),
            position: 0,
            what: format!("what was known of producers before offset {first} is missing"),
        })
    }

    /// Where the segments begin that have, or had, files here.
    fn bases(&self) -> Result<Vec<Offset>, LogError> {
        let entries = self.disk.list(self.dir).map_err(io_error("cannot list", self.dir))?;
        Ok(entries.iter().filter_map(|entry| parts_of(&entry.name)).map(|(base, _)| base).collect())
    }

    /// Keeps the sessions as of the end of a sealed segment, and says so in its
    /// index, both durably.
    pub(crate) fn keep(
        &self,
        base: Offset,
        sessions: &SessionTable,
        index: &SparseIndex,
        facts: &SealedFacts,
    ) -> Result<(), LogError> {
        if facts.has_sessions {
            let path = by_base(self.dir, base, SNAPSHOT_EXTENSION);
            write_file(self.disk, &path, sessions, &self.sealed_at(facts))?;
        }
        index.write_files(self.disk, self.dir, base, facts)?;
        self.disk.sync_dir(self.dir).map_err(sync_error(self.dir))
    }

    pub(crate) fn kept(&self, segment: &Segment) -> Result<Option<SessionTable>, LogError> {
        let bytes = segment.extent(|extent| extent.bytes);
        let index = SparseIndex::read_files(self.disk, self.dir, segment.base)?;
        let Some((_, facts)) = index.filter(|(_, facts)| facts.segment_bytes == bytes) else {
            return Ok(None);
        };
        self.snapshot(segment.base, &facts)
    }

    fn snapshot(
        &self,
        base: Offset,
        facts: &SealedFacts,
    ) -> Result<Option<SessionTable>, LogError> {
        if !facts.has_sessions {
            return Ok(Some(SessionTable::default()));
        }
        let path = by_base(self.dir, base, SNAPSHOT_EXTENSION);
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
