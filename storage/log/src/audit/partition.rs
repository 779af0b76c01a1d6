//! One partition: its segments in order, what is derived from them, the frames of
//! the WAL that continue them, and the checkpoint that speaks of all.

use super::derived::Derived;
use super::segments::{Expected, Seen};
use super::wal::{Tail, TailFrame};
use super::{Auditor, KeysFound};
use crate::floor::read_copies;
use crate::paths::{self, FLOOR, KEYS_DIR, NEW_FLOOR, SegmentName};
use crate::sessions::{SNAPSHOT_EXTENSION, SessionTable};
use crate::{FrameKind, Manifest, PartitionCheckpoint, RewrittenSegment};
use pyralog_model::{Epoch, Finding, Lsn, Offset, PartitionId, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) const RESTORE: &str =
    "the node does not start like this; put the partition's directory back from a backup";

/// The files there are: extensions by the name of the segment.
pub(super) type Names = BTreeMap<SegmentName, BTreeSet<String>>;

/// A segment that a start keeps.
#[derive(Debug, Clone, Copy)]
struct Kept {
    name: SegmentName,
    /// What the manifest says of it, if compaction wrote it.
    entry: Option<RewrittenSegment>,
}

/// How far the audit has come in a partition.
struct Progress {
    /// The offset after the last record in segments.
    end: Offset,
    lsn: Lsn,
    /// The greatest that a record there has.
    epoch: Epoch,
    /// A fold over the segments, for as long as it can be known.
    sessions: Option<SessionTable>,
    /// Something is lost already: what follows from that is not told again.
    broken: bool,
}

impl Auditor<'_> {
    pub(super) fn partition(&mut self, id: PartitionId, tail: &Tail) {
        let dir = paths::partition_dir(self.request.pyramid, id);
        if self.request.placed.is_some_and(|placed| !placed.contains(&id)) {
            let what = "is of a log that the directory does not place on this node";
            let finding = Finding::new(Severity::Note, &dir, what);
            self.find(finding.advice("the log was deleted; the node removes its files"));
        }
        let Some((mut names, has_keys)) = self.names(&dir) else { return };
        self.floor(id, &dir);
        let known = self.request.checkpoints.and_then(|all| all.partitions.get(&id)).copied();
        // Without checkpoints a partition begins where its segments do.
        let first = names.keys().next().map_or(Offset::ZERO, |name| name.base);
        let begin = if self.request.checkpoints.is_some() { Offset::ZERO } else { first };
        let known = known.unwrap_or(PartitionCheckpoint { log_start: begin, ..Default::default() });
        let was_cut = tail.truncated_at(id) > known.lsn;
        let manifest = self.manifest(id, &dir, &names);
        self.leftovers(&dir, &manifest, &known, &mut names);
        let is_missing = self.missing_rewritten(&dir, &manifest, known.log_start, &names);
        let kept = self.kept(&dir, &names, &manifest, &known);
        let mut progress = self.begin(id, &dir, &names, (&kept, is_missing), &known);
        for (index, &segment) in kept.iter().enumerate() {
            let next = kept.get(index + 1).map(|next| next.name.base);
            self.next_segment(id, &dir, (segment, next), (known, was_cut), &names, &mut progress);
        }
        if !was_cut {
            self.hold_checkpoint(&dir, &known, &progress);
        }
        progress.broken |= tail.broken;
        self.continues(tail.of(id), &known, tail.truncated_at(id), &mut progress);
        if has_keys {
            let end = (!progress.broken).then_some(progress.end);
            self.report.keys.push(KeysFound { partition: id, dir: dir.join(KEYS_DIR), end });
        }
    }

    /// The files in `dir`, and whether an index of keys lies there.
    fn names(&mut self, dir: &Path) -> Option<(Names, bool)> {
        let entries = match self.request.disk.list(dir) {
            Ok(entries) => entries,
            Err(error) => {
                self.unreadable(dir, &error);
                return None;
            }
        };
        let (mut names, mut has_keys) = (Names::new(), false);
        for entry in entries {
            let known = ["segment", "offsets", "times", SNAPSHOT_EXTENSION];
            match SegmentName::of_file(&entry.name) {
                Some((name, extension)) if !entry.is_dir && known.contains(&extension) => {
                    names.entry(name).or_default().insert(extension.to_owned());
                }
                // Derived from the records, and looked through by whoever knows it.
                None if entry.is_dir && entry.name == KEYS_DIR => has_keys = true,
                None if !entry.is_dir && [FLOOR, NEW_FLOOR].contains(&&*entry.name) => {}
                _ => self.stranger(&dir.join(&entry.name)),
            }
        }
        Some((names, has_keys))
    }

    /// What a partition of a weaker log begins above.
    fn floor(&mut self, id: PartitionId, dir: &Path) {
        let (disk, path) = (self.request.disk, paths::floor_file(dir));
        if !disk.exists(&path).unwrap_or(true) {
            return;
        }
        let file = match disk.open(&path) {
            Ok(file) => file,
            Err(error) => return self.unreadable(&path, &error),
        };
        self.report.files += 1;
        self.read(file.len().unwrap_or(0));
        let finding = match read_copies(&*file, &path, self.request.store, id) {
            Ok([Some(_), Some(_)]) => return,
            Ok([None, None]) => {
                Finding::new(Severity::Damage, path, "neither copy of the floor is whole")
                    .advice(RESTORE)
            }
            // A power cut does that, too, to the copy that was being written.
            Ok(_) => Finding::new(Severity::Repairable, path, "one copy of the floor is not whole")
                .advice("the other one counts, and the next start writes this one"),
            Err(error) => Finding::new(Severity::Damage, path, error.to_string()).advice(RESTORE),
        };
        self.find(finding);
    }

    /// The segments that a start keeps.
    fn kept(
        &mut self,
        dir: &Path,
        names: &Names,
        manifest: &Manifest,
        known: &PartitionCheckpoint,
    ) -> Vec<Kept> {
        let segments = names.iter().filter(|(_, extensions)| extensions.contains("segment"));
        let segments =
            segments.map(|(&name, _)| Kept { name, entry: manifest.at(name.base).copied() });
        let mut kept: Vec<Kept> = segments.collect();
        let bases = kept.iter().map(|segment| segment.name.base);
        let first = bases.filter(|base| *base <= known.log_start).max();
        let stays = |segment: &Kept| first.is_none_or(|first| segment.name.base >= first);
        for gone in kept.iter().filter(|segment| !stays(segment)) {
            let path = gone.name.file(dir, "segment");
            let what = format!("ends before the partition's start, offset {}", known.log_start);
            let finding = Finding::new(Severity::Note, path, what);
            self.find(finding.advice("the next start removes it"));
        }
        kept.retain(stays);
        kept
    }

    /// What was known where the first segment begins.
    fn begin(
        &mut self,
        id: PartitionId,
        dir: &Path,
        names: &Names,
        (kept, is_missing): (&[Kept], bool),
        known: &PartitionCheckpoint,
    ) -> Progress {
        let first = kept.first().map_or(Offset::ZERO, |segment| segment.name.base);
        let mut progress = Progress {
            end: first,
            lsn: Lsn::default(),
            epoch: known.epoch,
            sessions: None,
            broken: is_missing,
        };
        if is_missing {
            // That has been told.
        } else if first > known.log_start {
            let what = format!("offsets {}..{first} are missing", known.log_start);
            self.find(Finding::new(Severity::Damage, dir, what).advice(RESTORE));
            progress.broken = true;
        } else if kept.is_empty() && known.next_offset > Offset::ZERO {
            let what = format!("has no segment, and was synced up to {}", known.next_offset);
            self.find(Finding::new(Severity::Damage, dir, what).advice(RESTORE));
            progress.broken = true;
        }
        if first == Offset::ZERO {
            progress.sessions = Some(SessionTable::default());
            return progress;
        }
        // The last one, unless files of rewritten segments still lie around.
        let before = names.range(..SegmentName::appended(first)).rev();
        let derived = before
            .filter_map(|(name, _)| self.derived(id, dir, *name, None, Severity::Note))
            .find(|derived| derived.facts.next_offset == first && derived.sessions.is_some());
        let is_sealed =
            |(index, segment): (usize, &Kept)| index + 1 < kept.len() || segment.entry.is_some();
        let sealed = kept.iter().enumerate().filter(|segment| is_sealed(*segment)).count();
        match derived {
            Some(Derived { facts, sessions }) => {
                (progress.lsn, progress.sessions) = (facts.last_lsn, sessions);
            }
            // A later snapshot makes up for it.
            None if sealed > 0 => {}
            None if !progress.broken => {
                let what = format!("what was known of producers before offset {first} is missing");
                self.find(Finding::new(Severity::Damage, dir, what).advice(RESTORE));
            }
            None => {}
        }
        progress
    }

    fn next_segment(
        &mut self,
        id: PartitionId,
        dir: &Path,
        (Kept { name, entry }, next): (Kept, Option<Offset>),
        (known, was_cut): (PartitionCheckpoint, bool),
        names: &Names,
        progress: &mut Progress,
    ) {
        let base = name.base;
        let path: PathBuf = name.file(dir, "segment");
        if base != progress.end && !progress.broken {
            let what = format!("begins at {base}, and the one before it ends at {}", progress.end);
            self.find(Finding::new(Severity::Damage, &path, what).advice(RESTORE));
        }
        let end = entry.map(|entry| entry.end).or(next);
        let (is_last, before) = (end.is_none(), progress.lsn);
        let expected =
            Expected { id, base, path: &path, entry, is_last, end, known, was_cut, before };
        let mut folded = progress.sessions.clone().unwrap_or_default();
        let Some(seen) = self.segment(&expected, &mut folded) else {
            progress.broken |= !is_last;
            progress.end = end.unwrap_or(base);
            progress.sessions = None;
            return;
        };
        progress.epoch = progress.epoch.max(seen.epoch);
        if let Some(end) = end {
            self.sealed(id, dir, (name, end), &seen, &folded, progress);
        } else {
            self.unsealed(dir, name, names);
            (progress.end, progress.lsn) = (seen.end, seen.lsn);
            progress.broken |= seen.damaged;
        }
    }

    fn sealed(
        &mut self,
        id: PartitionId,
        dir: &Path,
        (name, end): (SegmentName, Offset),
        seen: &Seen,
        folded: &SessionTable,
        progress: &mut Progress,
    ) {
        let derived = self.derived(id, dir, name, Some(seen), Severity::Repairable);
        let lsn = derived.as_ref().map(|derived| derived.facts.last_lsn);
        let kept = derived.and_then(|derived| derived.sessions);
        // Of what compaction took out a walk does not tell.
        let before = progress.sessions.take().filter(|_| name.generation == 0);
        if let Some((kept, before)) = kept.as_ref().zip(before.as_ref()) {
            let comparable = !seen.damaged && folded.forgot_nothing_since(before);
            if let Some(what) = kept.contradiction(folded).filter(|_| comparable) {
                let path = name.file(dir, SNAPSHOT_EXTENSION);
                let what = format!("is not what the segments say: {what}");
                self.find(Finding::new(Severity::Repairable, path, what).advice(
                    "remove it while the node is stopped: what producers have written is read \
                     from the segments then",
                ));
            }
        }
        progress.sessions = kept.or_else(|| before.map(|_| folded.clone()));
        progress.lsn = lsn.unwrap_or_default().max(seen.lsn);
        // What is lost at its end has been told.
        progress.end = if seen.damaged { end } else { seen.end };
    }

    /// The last segment has nothing derived yet; what bears its name is of an earlier
    /// life.
    fn unsealed(&mut self, dir: &Path, name: SegmentName, names: &Names) {
        let extensions = names.get(&name).into_iter().flatten();
        for extension in extensions.filter(|extension| *extension != "segment") {
            let what = "is of the last segment, which is not sealed";
            let finding = Finding::new(Severity::Note, name.file(dir, extension), what);
            self.find(finding.advice("it is written anew when the segment is sealed"));
        }
    }

    /// The checkpoint never promises more than there is.
    fn hold_checkpoint(&mut self, dir: &Path, known: &PartitionCheckpoint, progress: &Progress) {
        let Progress { end, lsn, broken, .. } = *progress;
        if broken {
            return;
        }
        let what = if known.next_offset > end {
            format!("was synced up to offset {}, and ends at {end}", known.next_offset)
        } else if known.log_start > end {
            format!("should begin at offset {}, and ends at {end}", known.log_start)
        } else if known.next_offset == end && known.lsn < lsn {
            format!("ends with LSN {}, and the checkpoint says {}", lsn.0, known.lsn.0)
        } else {
            return;
        };
        let finding = Finding::new(Severity::Damage, dir, what);
        self.find(finding.advice(format!(
            "records that were acknowledged are missing, or meta.redb is of another state of the \
             directory; {RESTORE}"
        )));
    }

    /// The WAL's frames go on where the segments end, as a start would replay them.
    fn continues(
        &mut self,
        frames: &[TailFrame],
        known: &PartitionCheckpoint,
        cut_at: Lsn,
        progress: &mut Progress,
    ) {
        let mut lsn = known.lsn.max(progress.lsn);
        for TailFrame { header, path, position } in frames {
            if header.lsn <= lsn || progress.broken {
                continue;
            }
            lsn = header.lsn;
            match header.kind {
                FrameKind::Truncate => progress.end = progress.end.min(header.base_offset),
                FrameKind::Append if header.base_offset == progress.end => {
                    progress.end = header.next_offset();
                    if header.epoch < progress.epoch {
                        let (id, epoch, before) = (header.partition, header.epoch, progress.epoch);
                        let what =
                            format!("partition {id} has come to epoch {before}, not {epoch}");
                        let finding = Finding::new(Severity::Damage, &**path, what).at(*position);
                        self.find(finding.advice(RESTORE));
                        progress.broken = true;
                    }
                    progress.epoch = progress.epoch.max(header.epoch);
                }
                // It went with what lay between.
                FrameKind::Append if header.lsn < cut_at => {}
                FrameKind::Append => {
                    let (id, base, end) = (header.partition, header.base_offset, progress.end);
                    let what = format!("goes on at {base} of partition {id}, which ends at {end}");
                    let finding = Finding::new(Severity::Damage, &**path, what).at(*position);
                    self.find(finding.advice(format!("records are missing between; {RESTORE}")));
                    progress.broken = true;
                }
            }
        }
    }
}
