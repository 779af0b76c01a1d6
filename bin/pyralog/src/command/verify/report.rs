//! What was found, as people and programs read it.

use crate::cli::Format;
use crate::data_directory::NodeFile;
use crate::failure::Failure;
use crate::output;
use pyralog_index::inspection::KeysReport;
use pyralog_log::AuditReport;
use pyralog_model::{Finding, Severity, StoreId};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Everything that was found in a data directory.
#[derive(Debug)]
pub(super) struct Report {
    dir: PathBuf,
    /// Whose it is, if that can be read.
    pub(super) node: Option<NodeFile>,
    /// The store that checksums were verified for.
    pub(super) store: Option<StoreId>,
    /// Files that were read, without those of the log.
    pub(super) files: u64,
    /// Commands of both directories.
    pub(super) commands: u64,
    /// Counters.
    pub(super) counters: u64,
    log: AuditReport,
    /// Indexes of keys, all together.
    keys: KeysReport,
    findings: Vec<Finding>,
}

/// The same as a document.
#[derive(Serialize)]
struct Document<'a> {
    directory: &'a Path,
    node: Option<&'a str>,
    store: Option<String>,
    sound: bool,
    findings: &'a [Finding],
    files: u64,
    bytes: u64,
    partitions: u64,
    segments: u64,
    frames: u64,
    records: u64,
    wal_rounds: u64,
    indexed_keys: u64,
    indexed_versions: u64,
    commands: u64,
    counters: u64,
}

impl Report {
    pub(super) fn new(dir: &Path) -> Report {
        Report {
            dir: dir.to_owned(),
            node: None,
            store: None,
            files: 0,
            commands: 0,
            counters: 0,
            log: AuditReport::default(),
            keys: KeysReport::default(),
            findings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// What the log's own audit saw.
    pub(super) fn take(&mut self, mut log: AuditReport) {
        self.findings.append(&mut log.findings);
        self.log = log;
    }

    /// What the audit of one index of keys saw.
    pub(super) fn take_keys(&mut self, mut keys: KeysReport) {
        self.findings.append(&mut keys.findings);
        self.keys.files += keys.files;
        self.keys.bytes += keys.bytes;
        self.keys.keys += keys.keys;
        self.keys.versions += keys.versions;
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }

    /// Writes all of it.
    pub(super) fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => output::json(&self.document()),
            Format::Table => output::line(self.text()),
        }
    }

    /// A failure unless all is sound.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        if self.is_sound() {
            return Ok(());
        }
        let (damages, repairable) =
            (self.count(Severity::Damage), self.count(Severity::Repairable));
        let dir = self.dir.display();
        Err(Failure::failed(match damages {
            0 => format!("{dir} is not as it should be: {repairable} repairable, nothing lost"),
            _ => format!("{dir} is damaged: {damages} damaged, {repairable} repairable"),
        }))
    }

    fn document(&self) -> Document<'_> {
        let AuditReport { files, bytes, partitions, segments, frames, records, rounds, .. } =
            self.log;
        Document {
            directory: &self.dir,
            node: self.node.as_ref().map(|node| node.name.as_str()),
            store: self.store.map(|store| store.to_string()),
            sound: self.is_sound(),
            findings: &self.findings,
            files: self.files + files + self.keys.files,
            bytes: bytes + self.keys.bytes,
            partitions,
            segments,
            frames,
            records,
            wal_rounds: rounds,
            indexed_keys: self.keys.keys,
            indexed_versions: self.keys.versions,
            commands: self.commands,
            counters: self.counters,
        }
    }

    /// The worst last, where eyes are.
    fn text(&self) -> String {
        let mut text = String::new();
        for severity in [Severity::Note, Severity::Repairable, Severity::Damage] {
            for finding in self.findings.iter().filter(|finding| finding.severity == severity) {
                self.describe(finding, &mut text);
            }
        }
        let seen = self.document();
        let sound = if seen.sound { "sound" } else { "not sound" };
        let _ = write!(
            text,
            "{}: {sound}\n  {}, {}, {} with {}\n  {} of the write-ahead log to replay, {} of the \
             directory, {}\n  {} with {} in indexes\n  {}, {} of records and indexes",
            self.dir.display(),
            output::count(seen.partitions, "partition"),
            output::count(seen.segments, "segment"),
            output::count(seen.frames, "frame"),
            output::count(seen.records, "record"),
            output::count(seen.wal_rounds, "round"),
            output::count(seen.commands, "command"),
            output::count(seen.counters, "counter"),
            output::count(seen.indexed_keys, "key"),
            output::count(seen.indexed_versions, "version"),
            output::count(seen.files, "file"),
            output::size(seen.bytes)
        );
        text
    }

    fn describe(&self, finding: &Finding, text: &mut String) {
        let Finding { severity, path, position, what, advice } = finding;
        let path = path.strip_prefix(&self.dir).unwrap_or(path);
        let place = position.map_or_else(String::new, |byte| format!(" at byte {byte}"));
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let _ = writeln!(text, "{severity}: {}{place}: {what}\n  {advice}\n", path.display());
    }
}
