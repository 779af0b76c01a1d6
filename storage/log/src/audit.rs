//! Looking through everything a store has on its disk, while nobody uses it.
//!
//! A start believes much: that indexes are what the segments say, that sealed
//! segments are whole, that a partition which has no directory had none. It has to,
//! or a start would read every byte. An audit believes nothing. It reads every byte,
//! makes every index again in memory, replays the WAL on paper, and holds the
//! checkpoints to what is there.
//!
//! ```text
//!  wal/*.wal ──▶ rounds, contiguous? ──▶ frames that are not in segments yet
//!                                               │ continue?
//!  logs/<log>/<partition>/ ──▶ segments ──▶ end of the partition
//!                                 │ same?        │ not before?
//!                     .offsets .times .sessions  checkpoint
//! ```
//!
//! It only reads, and goes on after every finding. What a finding says of the next
//! start is what `recovery` does there.

mod derived;
mod listing;
mod partition;
mod rewritten;
mod segments;
mod wal;

use crate::checkpoint::Checkpoints;
use crate::paths;
use listing::Listing;
use pyralog_env::Disk;
use pyralog_model::{Finding, Offset, PartitionId, Severity, StoreId};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Findings of one file beyond which only their number is told.
const FINDINGS_OF_FILE_MAX: usize = 50;

/// What is to be looked through, and what is known of it from elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct AuditRequest<'a> {
    /// The disk.
    pub disk: &'a dyn Disk,
    /// `DIR/pyramid`.
    pub pyramid: &'a Path,
    /// The store id of the data directory.
    pub store: StoreId,
    /// What was checkpointed; none if that cannot be read.
    pub checkpoints: Option<&'a Checkpoints>,
    /// The partitions that this node should have; none if that is not known.
    pub placed: Option<&'a BTreeSet<PartitionId>>,
}

/// What an audit saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// What is to be said, in the order of the files.
    pub findings: Vec<Finding>,
    /// Files that were read.
    pub files: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Partitions.
    pub partitions: u64,
    /// Segments.
    pub segments: u64,
    /// Whole frames in segments.
    pub frames: u64,
    /// Records in them.
    pub records: u64,
    /// WAL rounds that a start would read.
    pub rounds: u64,
    /// Indexes of keys that lie beside segments, for whoever can read them.
    pub keys: Vec<KeysFound>,
}

/// The index of keys of a partition, which is not the log's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysFound {
    /// Whose keys.
    pub partition: PartitionId,
    /// Its directory.
    pub dir: PathBuf,
    /// Where the partition ends, the frames of the WAL counted; none if that cannot be
    /// told for damage.
    pub end: Option<Offset>,
}

/// Reads everything. `seen` is told how many more bytes were read.
pub fn audit(request: &AuditRequest<'_>, seen: &mut dyn FnMut(u64)) -> AuditReport {
    let mut auditor =
        Auditor { request: *request, report: AuditReport::default(), seen, of_file: 0 };
    let tail = auditor.wal();
    auditor.partitions(&tail);
    auditor.report
}

struct Auditor<'a> {
    request: AuditRequest<'a>,
    report: AuditReport,
    seen: &'a mut dyn FnMut(u64),
    /// Findings of the present file.
    of_file: usize,
}

impl Auditor<'_> {
    /// Notes a finding, unless its file has too many already.
    fn find(&mut self, finding: Finding) {
        let same = self.report.findings.last().is_some_and(|last| last.path == finding.path);
        self.of_file = if same { self.of_file + 1 } else { 1 };
        if self.of_file == FINDINGS_OF_FILE_MAX {
            let more = Finding::new(finding.severity, finding.path, "more like these");
            self.report.findings.push(more.advice("see them all with `pyralog inspect`"));
        } else if self.of_file < FINDINGS_OF_FILE_MAX {
            self.report.findings.push(finding);
        }
    }

    fn read(&mut self, bytes: u64) {
        self.report.bytes += bytes;
        (self.seen)(bytes);
    }

    /// A file or directory that the disk does not give.
    fn unreadable(&mut self, path: &Path, error: &dyn std::fmt::Display) {
        let finding = Finding::new(Severity::Damage, path, format!("cannot be read: {error}"));
        self.find(
            finding.advice("look after the disk and the rights of the file, then verify again"),
        );
    }

    /// A name that no file of a store has.
    fn stranger(&mut self, path: &Path) {
        let finding = Finding::new(Severity::Note, path, "is none of the store's files");
        self.find(finding.advice("the node does not touch it; remove it if you do not know it"));
    }

    fn partitions(&mut self, tail: &wal::Tail) {
        let logs = paths::logs_dir(self.request.pyramid);
        let listing = self.list(&logs);
        for name in listing.removed {
            let path = logs.join(name);
            let what = "is a deleted log whose files are not removed yet";
            let finding = Finding::new(Severity::Note, path, what);
            self.find(finding.advice("the next start removes them"));
        }
        let mut found = BTreeSet::new();
        for log in listing.numbers {
            let dir = logs.join(log.to_string());
            for partition in self.list(&dir).numbers {
                match u32::try_from(partition) {
                    Ok(partition) => _ = found.insert(PartitionId::new(log, partition)),
                    Err(_) => self.stranger(&dir.join(partition.to_string())),
                }
            }
        }
        for id in &found {
            self.report.partitions += 1;
            self.partition(*id, tail);
        }
        self.missing(&found);
    }

    /// The numbered directories in `dir`, every other name told.
    fn list(&mut self, dir: &Path) -> Listing {
        match self.request.disk.list(dir) {
            Ok(entries) => {
                let listing = Listing::of(&entries);
                listing.strangers.iter().for_each(|name| self.stranger(&dir.join(name)));
                listing
            }
            // A store that was never used has none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Listing::default(),
            Err(error) => {
                self.unreadable(dir, &error);
                Listing::default()
            }
        }
    }

    /// Partitions that should be there and are not, which no start would notice.
    fn missing(&mut self, found: &BTreeSet<PartitionId>) {
        let Some(checkpoints) = self.request.checkpoints else { return };
        for (id, known) in &checkpoints.partitions {
            if found.contains(id) {
                continue;
            }
            let dir = paths::partition_dir(self.request.pyramid, *id);
            let is_placed = self.request.placed.is_none_or(|placed| placed.contains(id));
            if is_placed && known.next_offset > known.log_start {
                let (start, end) = (known.log_start, known.next_offset);
                let what = format!("is missing, with its records {start}..{end}");
                let finding = Finding::new(Severity::Damage, dir, what);
                self.find(finding.advice(
                    "put the directory back from a backup before the node starts: it would make \
                     the partition anew, empty",
                ));
            } else if !is_placed {
                let what = "is gone, and its checkpoint is still there";
                let finding = Finding::new(Severity::Note, dir, what);
                self.find(finding.advice("the log was deleted; nothing is to be done"));
            }
        }
    }
}
