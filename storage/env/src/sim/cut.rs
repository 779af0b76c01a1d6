//! What a power cut met, so that a test can show that it tested something.

use std::fmt;
use std::ops::AddAssign;

/// Something that may be under way when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutKind {
    /// Bytes written and not synced, counted in 512-byte sectors.
    DataWrite,
    /// A sync of a file that had begun.
    Sync,
    /// The name of a new file or directory.
    Create,
    /// A rename.
    Rename,
    /// The removal of a name.
    Remove,
    /// A sync of a directory that had begun.
    DirectorySync,
    /// A file that became longer.
    Extension,
    /// A file that became shorter.
    Truncation,
}

impl CutKind {
    /// Every kind, in the order of the printed report.
    pub const ALL: [CutKind; 8] = [
        CutKind::DataWrite,
        CutKind::Sync,
        CutKind::Create,
        CutKind::Rename,
        CutKind::Remove,
        CutKind::DirectorySync,
        CutKind::Extension,
        CutKind::Truncation,
    ];

    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            CutKind::DataWrite => "data write",
            CutKind::Sync => "sync",
            CutKind::Create => "create",
            CutKind::Rename => "rename",
            CutKind::Remove => "remove",
            CutKind::DirectorySync => "directory sync",
            CutKind::Extension => "extension",
            CutKind::Truncation => "truncation",
        }
    }
}

/// The figures of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CutCount {
    /// Power cuts that met at least one of them pending.
    pub cuts: u64,
    /// How many were pending.
    pub pending: u64,
    /// How many of those did not survive.
    pub lost: u64,
}

/// What one power cut met, or many of them added up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CutReport {
    /// How many power cuts this report covers.
    pub cuts: u64,
    counts: [CutCount; CutKind::ALL.len()],
}

impl CutReport {
    /// The figures of one kind.
    pub fn count(&self, kind: CutKind) -> CutCount {
        self.counts[kind as usize]
    }

    pub(super) fn of_one() -> CutReport {
        CutReport { cuts: 1, ..CutReport::default() }
    }

    pub(super) fn note(&mut self, kind: CutKind, pending: u64, lost: u64) {
        let count = &mut self.counts[kind as usize];
        count.pending += pending;
        count.lost += lost;
        // A report is filled for one cut at a time, and added up afterwards.
        count.cuts = u64::from(count.pending > 0);
    }
}

impl AddAssign<&CutReport> for CutReport {
    fn add_assign(&mut self, other: &CutReport) {
        self.cuts += other.cuts;
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            mine.cuts += theirs.cuts;
            mine.pending += theirs.pending;
            mine.lost += theirs.lost;
        }
    }
}

impl AddAssign for CutReport {
    fn add_assign(&mut self, other: CutReport) {
        *self += &other;
    }
}

impl fmt::Display for CutReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:>10}{:>12}{:>12}", "of the cuts", "met by", "pending", "lost")?;
        for kind in CutKind::ALL {
            let CutCount { cuts, pending, lost } = self.count(kind);
            writeln!(f, "{:<16}{cuts:>10}{pending:>12}{lost:>12}", kind.as_str())?;
        }
        write!(f, "{:<16}{:>10}", "all", self.cuts)
    }
}
