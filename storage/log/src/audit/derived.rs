//! What is derived from segments, held to what it is derived from.
//!
//! Nothing is lost with an index or with sessions that can be made again. The one
//! exception: where the segments from offset 0 on are gone, sessions before the
//! first that is left are known from a file alone.

use super::Auditor;
use super::segments::Seen;
use crate::inspection::{OffsetsFile, SessionsFile, TimesFile};
use crate::paths::SegmentName;
use crate::sessions::snapshot::{FILE_BYTES_MAX, decode};
use crate::sessions::{SNAPSHOT_EXTENSION, SealedAt, SessionTable};
use crate::sparse_index::{SealedFacts, SparseIndex, read_file};
use pyralog_model::{Finding, PartitionId, Severity};
use std::path::Path;

const WALKED: &str = "nothing is lost: the segment is walked instead at each start, which takes \
                      longer; remove the file, or leave it";
const FOLDED: &str = "nothing is lost: what producers have written is read from the segments at \
                      each start, which takes longer; remove the file, or leave it";

/// What the files beside a sealed segment say, if they can be believed.
pub(super) struct Derived {
    pub(super) facts: SealedFacts,
    pub(super) sessions: Option<SessionTable>,
}

impl Auditor<'_> {
    /// Reads what is derived from the segment called `name`. `seen` is that segment;
    /// none if it is gone. What is told of damage is `severity`.
    pub(super) fn derived(
        &mut self,
        id: PartitionId,
        dir: &Path,
        name: SegmentName,
        seen: Option<&Seen>,
        severity: Severity,
    ) -> Option<Derived> {
        let (offsets_path, times_path) = (name.file(dir, "offsets"), name.file(dir, "times"));
        let offsets = self.small(&offsets_path, severity)?;
        let offsets = OffsetsFile::read(&offsets);
        let times = self.small(&times_path, severity).map(|bytes| TimesFile::read(&bytes));
        let damages = [
            (&offsets_path, offsets.damage.as_ref()),
            (&times_path, times.as_ref().and_then(|times| times.damage.as_ref())),
        ];
        let mut sound = times.is_some();
        for (path, damage) in damages {
            let Some(damage) = damage else { continue };
            sound = false;
            self.find(Finding::of(severity, path, damage).advice(WALKED));
        }
        if let Some((seen, times)) = seen.zip(times.as_ref()).filter(|_| sound) {
            sound = self.index_agrees(seen, (&offsets_path, &offsets), (&times_path, times));
        }
        if !sound {
            return None;
        }
        let facts = offsets.facts();
        let sessions = self.sessions(id, dir, name, &facts, severity);
        Some(Derived { facts, sessions })
    }

    /// Holds both index files to what a walk of the segment gives.
    fn index_agrees(
        &mut self,
        seen: &Seen,
        (offsets_path, offsets): (&Path, &OffsetsFile),
        (times_path, times): (&Path, &TimesFile),
    ) -> bool {
        if seen.damaged {
            // The segment's own damage has been told.
            return true;
        }
        let facts = SealedFacts {
            segment_bytes: seen.len,
            next_offset: seen.end,
            // A cut-back counts too, of which the segment does not tell.
            last_lsn: seen.lsn.max(offsets.last_lsn),
            last_epoch: seen.epoch,
            has_sessions: offsets.has_sessions,
        };
        let said = SparseIndex::from_parts(&offsets.entries, &times.entries, times.max_timestamp);
        let wrong = if offsets.facts() != facts {
            Some((offsets_path, "is of another segment, or of another state of this one"))
        } else if offsets.entries != seen.index.offsets() {
            Some((offsets_path, "has other entries than the segment gives"))
        } else if said.as_ref() != Some(&seen.index) {
            Some((times_path, "has other times than the segment gives"))
        } else {
            None
        };
        if let Some((path, what)) = wrong {
            // Believed if its length fits: reads would miss records, or find none.
            let finding = Finding::new(Severity::Repairable, path, what);
            self.find(finding.advice(
                "remove the .offsets and .times of this segment while the node is stopped: it is \
                 walked instead at each start",
            ));
        }
        wrong.is_none()
    }

    fn sessions(
        &mut self,
        id: PartitionId,
        dir: &Path,
        name: SegmentName,
        facts: &SealedFacts,
        severity: Severity,
    ) -> Option<SessionTable> {
        if !facts.has_sessions {
            return Some(SessionTable::default());
        }
        let path = name.file(dir, SNAPSHOT_EXTENSION);
        let bytes = self.small(&path, severity)?;
        let store = self.request.store;
        let file = SessionsFile::read(&bytes, Some(store));
        let (next_offset, last_lsn) = (facts.next_offset, facts.last_lsn);
        let at = SealedAt { store, partition: id, next_offset, last_lsn };
        let table = decode(&bytes, &at).filter(|_| bytes.len() <= FILE_BYTES_MAX);
        if table.is_none() {
            let finding = match &file.damage {
                Some(damage) => Finding::of(severity, path, damage),
                None => Finding::new(
                    severity,
                    path,
                    format!(
                        "is of partition {} up to offset {}, not of this segment",
                        file.partition, file.next_offset
                    ),
                ),
            };
            self.find(finding.advice(FOLDED));
        }
        table
    }

    /// The bytes of a small file; none if it is not there, which is told.
    fn small(&mut self, path: &Path, severity: Severity) -> Option<Vec<u8>> {
        match read_file(self.request.disk, path) {
            Ok(Some(bytes)) => {
                self.report.files += 1;
                self.read(bytes.len() as u64);
                Some(bytes)
            }
            Ok(None) => {
                let finding = Finding::new(severity, path, "is missing");
                self.find(finding.advice(WALKED));
                None
            }
            Err(error) => {
                self.unreadable(path, &error);
                None
            }
        }
    }
}
