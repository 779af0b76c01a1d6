//! Segments that compaction wrote: which files the manifest means, which are left of
//! what it did before a crash, and opening one.

use super::{Found, Opening};
use crate::error::io_error;
use crate::paths::SegmentName;
use crate::segment::{encode_rewritten_header, has_header, scan};
use crate::sparse_index::SparseIndex;
use crate::{LogError, Manifest, RewrittenSegment, SessionTable};
use pyralog_model::{Lsn, Offset, PartitionId};
use std::path::Path;

impl Opening<'_> {
    /// The segments there are, by their offsets, all names durable. What compaction has
    /// left behind, on either side of a switch, is removed.
    pub(super) fn present(
        &self,
        dir: &Path,
        manifest: &Manifest,
        log_start: Offset,
    ) -> Result<Vec<SegmentName>, LogError> {
        self.disk.sync_dir(dir).map_err(io_error("cannot sync", dir))?;
        let entries = self.disk.list(dir).map_err(io_error("cannot list", dir))?;
        let files = entries.iter().filter_map(|entry| SegmentName::of_file(&entry.name));
        let (mut names, mut leftovers) = (Vec::new(), Vec::new());
        for (name, extension) in files {
            match manifest.means(name) {
                true if extension == "segment" => names.push(name),
                true => {}
                false => leftovers.push((name, extension)),
            }
        }
        names.sort_unstable();
        for entry in manifest.segments.iter().filter(|entry| entry.end > log_start) {
            if !names.contains(&entry.name()) {
                let what = format!("generation {} is missing", entry.generation);
                return Err(self.corrupt(dir, entry.base, what));
            }
        }
        // What lies before the first segment is all that is known of what was there.
        let first = names.iter().map(|name| name.base).filter(|base| *base <= log_start).max();
        for (name, extension) in leftovers {
            if extension == "segment" || first.is_none_or(|first| name.base >= first) {
                let path = name.file(dir, extension);
                self.disk.remove_file(&path).map_err(io_error("cannot remove", &path))?;
            }
        }
        Ok(names)
    }

    /// Everything in it was synced before the manifest named it.
    pub(super) fn open_rewritten(
        &self,
        id: PartitionId,
        dir: &Path,
        entry: &RewrittenSegment,
    ) -> Result<Found, LogError> {
        let name = entry.name();
        let path = name.file(dir, "segment");
        let file = self.open_file(&path)?;
        let len = file.len().map_err(io_error("cannot measure", &path))?;
        if len != entry.bytes {
            let what = format!("it has {len} bytes and not {}", entry.bytes);
            return Err(self.corrupt(&path, entry.base, what));
        }
        let index = SparseIndex::read_files(&**self.disk, dir, name)?;
        let is_its_own = |facts: &crate::sparse_index::SealedFacts| {
            facts.segment_bytes == len && facts.next_offset == entry.end
        };
        if let Some((index, facts)) = index.filter(|(_, facts)| is_its_own(facts)) {
            return Ok(self.found_by_index(name, path, file, index, &facts));
        }
        if !has_header(&*file, &path, &encode_rewritten_header(self.store, id, entry))? {
            return Err(self.corrupt(&path, entry.base, "its header is damaged".into()));
        }
        let mut request = self.scan_request(id, &file, &path, entry.base, len, Lsn::default());
        request.rewritten_to = Some(entry.end);
        let scanned = scan(&request, &mut SessionTable::default())?;
        if scanned.extent.end != entry.end {
            let what = format!("it ends at {} and not at {}", scanned.extent.end, entry.end);
            return Err(self.corrupt(&path, entry.base, what));
        }
        Ok(self.found_by_scan(name, path, file, scanned))
    }
}
