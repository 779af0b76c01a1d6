//! The table as of the end of sealed segments: from the newest snapshot that is
//! sound, and by walking the segments after it, of which there are none as a rule.

use super::SessionTable;
use super::snapshot::{SNAPSHOT_EXTENSION, SealedAt, read_file};
use crate::LogError;
use crate::paths::by_base;
use crate::segment::Segment;
use crate::sparse_index::SparseIndex;
use pyralog_env::Disk;
use pyralog_model::{PartitionId, StoreId};
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
    /// segments from the first.
    pub(crate) fn sessions_after(&self, sealed: &[Arc<Segment>]) -> Result<SessionTable, LogError> {
        let (mut table, mut known) = (SessionTable::default(), 0);
        for (index, segment) in sealed.iter().enumerate().rev() {
            if let Some(kept) = self.kept(segment)? {
                (table, known) = (kept, index + 1);
                break;
            }
        }
        for segment in &sealed[known..] {
            let end = segment.extent(|extent| extent.end);
            segment.kept_below_with(end, |batch| table.fold(batch))?;
        }
        Ok(table)
    }

    fn kept(&self, segment: &Segment) -> Result<Option<SessionTable>, LogError> {
        let bytes = segment.extent(|extent| extent.bytes);
        let index = SparseIndex::read_files(self.disk, self.dir, segment.base)?;
        let Some((_, facts)) = index.filter(|(_, facts)| facts.segment_bytes == bytes) else {
            return Ok(None);
        };
        if !facts.has_sessions {
            return Ok(Some(SessionTable::default()));
        }
        let at = SealedAt {
            store: self.store,
            partition: self.partition,
            next_offset: facts.next_offset,
            last_lsn: facts.last_lsn,
        };
        read_file(self.disk, &by_base(self.dir, segment.base, SNAPSHOT_EXTENSION), &at)
    }
}
