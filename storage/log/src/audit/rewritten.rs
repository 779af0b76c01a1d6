//! What compaction did to a partition: which files its manifest means, which are left
//! of before, and which are missing.

use super::Auditor;
use super::partition::Names;
use crate::inspection::SegmentHeader;
use crate::paths::SegmentName;
use crate::{Manifest, PartitionCheckpoint, RewrittenSegment};
use pyralog_model::{Finding, Offset, PartitionId, Severity};
use std::collections::BTreeSet;
use std::path::Path;

impl Auditor<'_> {
    /// What is known of the rewritten segments of a partition. Without checkpoints
    /// that is what they say themselves.
    pub(super) fn manifest(&mut self, id: PartitionId, dir: &Path, names: &Names) -> Manifest {
        match self.request.checkpoints {
            Some(known) => known.manifests.get(&id).cloned().unwrap_or_default(),
            None => self.manifest_by_headers(id, dir, names),
        }
    }

    /// Numbers of generations rise with every file that is written, so a later one
    /// stands for what it covers. One without a whole header was never finished.
    fn manifest_by_headers(&self, id: PartitionId, dir: &Path, names: &Names) -> Manifest {
        let is_segment = |name: &&SegmentName| names[name].contains("segment");
        let mut rewritten: Vec<_> =
            names.keys().filter(|name| name.generation > 0).filter(is_segment).collect();
        rewritten.sort_by_key(|name| name.generation);
        let mut manifest = Manifest::default();
        for name in rewritten {
            let path = name.file(dir, "segment");
            let Ok(file) = self.request.disk.open(&path) else { continue };
            let (Ok(bytes), Ok((header, None))) = (file.len(), SegmentHeader::read(&*file, &path))
            else {
                continue;
            };
            let SegmentName { base, generation } = *name;
            if let Some(end) = header.end {
                let entry = RewrittenSegment { base, end, generation, bytes };
                if header == SegmentHeader::rewritten(self.request.store, id, &entry) {
                    manifest.replace(entry);
                }
            }
        }
        manifest
    }

    /// Takes out of `names` what a start removes, and tells of it.
    pub(super) fn leftovers(
        &mut self,
        dir: &Path,
        manifest: &Manifest,
        known: &PartitionCheckpoint,
        names: &mut Names,
    ) {
        let meant = names.iter().filter(|(name, _)| manifest.means(**name));
        let segments = meant.filter(|(_, extensions)| extensions.contains("segment"));
        let bases = segments.map(|(name, _)| name.base);
        let first = bases.filter(|base| *base <= known.log_start).max();
        let unmeant: Vec<SegmentName> =
            names.keys().copied().filter(|name| !manifest.means(*name)).collect();
        for name in unmeant {
            // What is derived may be all that is left of what was before the first.
            let goes = |extension: &String| {
                extension == "segment" || first.is_none_or(|first| name.base >= first)
            };
            let Some(extensions) = names.get_mut(&name) else { continue };
            let gone: BTreeSet<String> = extensions.extract_if(.., |one| goes(one)).collect();
            if extensions.is_empty() {
                names.remove(&name);
            }
            let shown = gone.get("segment").or(gone.first());
            let Some(extension) = shown else { continue };
            let what = match manifest.covering(name.base) {
                Some(entry) => {
                    let RewrittenSegment { base, end, generation, .. } = entry;
                    format!(
                        "is left of a compaction: generation {generation} of the segment at \
                         {base} holds its offsets, up to {end}"
                    )
                }
                None => "was written by a compaction that did not come to its end".to_owned(),
            };
            let finding = Finding::new(Severity::Note, name.file(dir, extension), what);
            self.find(finding.advice("the next start removes it, with what is derived from it"));
        }
    }

    /// Files that the manifest names and that are not there. True if there are any.
    pub(super) fn missing_rewritten(
        &mut self,
        dir: &Path,
        manifest: &Manifest,
        log_start: Offset,
        names: &Names,
    ) -> bool {
        let is_there = |name| names.get(&name).is_some_and(|known| known.contains("segment"));
        let missing = manifest
            .segments
            .iter()
            .filter(|entry| entry.end > log_start && !is_there(entry.name()));
        let mut any = false;
        for entry in missing {
            let RewrittenSegment { base, end, .. } = entry;
            let what = format!("is missing, with what compaction has left of {base}..{end}");
            let finding = Finding::new(Severity::Damage, entry.name().file(dir, "segment"), what);
            self.find(finding.advice(super::partition::RESTORE));
            any = true;
        }
        any
    }
}
