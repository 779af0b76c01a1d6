//! Looking through the whole index of a partition, while nobody uses it.
//!
//! A start believes an index whose manifest, headers and directories are whole; blocks
//! and pages are held to their checksums when they are read. An audit reads them all.
//! Whatever is wrong is repairable: the index is derived from the records.

use super::manifest::ManifestFile;
use super::walk::PphmWalk;
use crate::error::io_error;
use crate::key_index::manifest::{FILE_BYTES, FILES_MAX, HEADER_BYTES, NAME, VERSION};
use crate::key_index::open::{FILE, is_ours};
use crate::pphm;
use crate::{IndexError, IndexOf, NamedFile};
use pyralog_env::{Disk, DiskEntry};
use pyralog_model::{Damage, Finding, Offset, Severity};
use std::collections::BTreeSet;
use std::path::Path;

/// Findings of one file beyond which only their number is told.
const FINDINGS_OF_FILE_MAX: usize = 50;

const BUILT_AGAIN: &str = "nothing is lost: it is derived from the records and will be built \
                           again, at the next start or when a lookup meets the damage; remove \
                           the file while the node is stopped to have it built at the start";
const BUILT_AT_START: &str =
    "nothing is lost: it is derived from the records, and the next start builds it again";
const NEWER: &str = "the program that wrote it can read it; this one needs the partition's keys \
                     directory removed while the node is stopped, and builds it again";
const SWEPT: &str = "the next start removes it";

/// What is to be looked through.
#[derive(Debug, Clone, Copy)]
pub struct KeysRequest<'a> {
    /// The disk.
    pub disk: &'a dyn Disk,
    /// The directory of the index.
    pub dir: &'a Path,
    /// Whose records it should be about.
    pub of: IndexOf,
    /// Where the partition ends; none if that is not known.
    pub end: Option<Offset>,
}

/// What an audit of an index saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysReport {
    /// What is to be said.
    pub findings: Vec<Finding>,
    /// Files that were read.
    pub files: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Keys of all files: one that has versions in two files counts twice.
    pub keys: u64,
    /// Versions of keys.
    pub versions: u64,
}

/// Reads everything. `seen` is told how many more bytes were read.
pub fn audit_keys(request: &KeysRequest<'_>, seen: &mut dyn FnMut(u64)) -> KeysReport {
    let mut audit = Audit { request: *request, report: KeysReport::default(), seen, of_file: 0 };
    match request.disk.list(request.dir) {
        Ok(entries) => audit.directory(entries),
        Err(error) => audit.unreadable(request.dir, &error),
    }
    audit.report
}

struct Audit<'a> {
    request: KeysRequest<'a>,
    report: KeysReport,
    seen: &'a mut dyn FnMut(u64),
    /// Findings of the present file.
    of_file: usize,
}

impl Audit<'_> {
    fn directory(&mut self, mut entries: Vec<DiskEntry>) {
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        let is_file = |name: &str| entries.iter().any(|entry| !entry.is_dir && entry.name == name);
        let manifest = if is_file(NAME) { self.manifest() } else { None };
        let files = manifest.as_ref().map_or(&[][..], |manifest| &manifest.files);
        let named: BTreeSet<String> = files.iter().map(NamedFile::name).collect();
        if let Some(manifest) = &manifest {
            self.ranges(&manifest.files);
            for file in &manifest.files {
                self.named(file, manifest.hash_seed, is_file(&file.name()));
            }
        }
        for entry in &entries {
            if entry.is_dir || (entry.name != NAME && !named.contains(&entry.name)) {
                self.unnamed(entry);
            }
        }
    }

    /// What the manifest says, if it can be believed.
    fn manifest(&mut self) -> Option<ManifestFile> {
        let path = self.request.dir.join(NAME);
        let bytes = match self.whole(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.unreadable(&path, &error);
                return None;
            }
        };
        let manifest = ManifestFile::read(&bytes);
        let of = self.request.of;
        if let Some(damage) = &manifest.damage {
            let is_newer = manifest.version > VERSION && damage.position == 12;
            let advice = if is_newer { NEWER } else { BUILT_AT_START };
            self.find(Finding::of(Severity::Repairable, &path, damage).advice(advice));
            return None;
        }
        if manifest.of != of {
            let IndexOf { store, partition } = manifest.of;
            let what = format!("is of store {store}, partition {partition}: it was moved here");
            let finding = Finding::new(Severity::Repairable, &path, what).at(16);
            self.find(finding.advice(BUILT_AT_START));
            return None;
        }
        Some(manifest)
    }

    /// The bytes of a manifest.
    fn whole(&mut self, path: &Path) -> Result<Vec<u8>, IndexError> {
        let file = self.request.disk.open(path).map_err(io_error("cannot open", path))?;
        let len = file.len().map_err(io_error("cannot measure", path))?;
        // One that is longer is damaged in any case, and says so when it is cut here.
        let most = HEADER_BYTES + FILES_MAX * FILE_BYTES + 1;
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(most).min(most)];
        file.read_exact_at(&mut bytes, 0).map_err(io_error("cannot read", path))?;
        self.report.files += 1;
        self.read(bytes.len() as u64);
        Ok(bytes)
    }

    /// Ranges that no file speaks for, and ranges past the end of the log.
    fn ranges(&mut self, files: &[NamedFile]) {
        let path = self.request.dir.join(NAME);
        for pair in files.windows(2) {
            let (end, next) = (pair[0].range.end, pair[1].range.start);
            if end < next {
                let what = format!("offsets {end}..{next} are not indexed");
                let finding = Finding::new(Severity::Note, &path, what);
                self.find(finding.advice("lookups scan them until the node has built their index"));
            }
        }
        let Some((index, last)) = files.iter().enumerate().next_back() else { return };
        if let Some(end) = self.request.end.filter(|end| last.range.end > *end) {
            let what =
                format!("speaks for offsets up to {}, and the log ends at {end}", last.range.end);
            let finding = Finding::new(Severity::Repairable, &path, what);
            self.find(
                finding
                    .at(ManifestFile::position(index) + 24)
                    .advice("nothing is lost: the next start cuts it back to where the log ends"),
            );
        }
    }

    /// A file that the manifest names: there, whole, and the one that was meant.
    fn named(&mut self, file: &NamedFile, hash_seed: u64, is_there: bool) {
        let path = self.request.dir.join(file.name());
        if !is_there {
            let what =
                format!("is missing, with the keys of {}..{}", file.range.start, file.range.end);
            self.find(Finding::new(Severity::Repairable, path, what).advice(BUILT_AT_START));
            return;
        }
        if let Err(error) = self.walk(&path, file, hash_seed) {
            self.unreadable(&path, &error);
        }
    }

    fn walk(&mut self, path: &Path, file: &NamedFile, hash_seed: u64) -> Result<(), IndexError> {
        let mut walk = PphmWalk::new(self.request.disk, path)?;
        let header = walk.header();
        if header.is_newer() {
            let what = format!("has version {}, known is {}", header.version, pphm::VERSION);
            let finding = Finding::new(Severity::Repairable, path, what).at(12);
            self.find(finding.advice(NEWER));
            return Ok(());
        }
        let mut damages: Vec<Damage> = header.damage.iter().cloned().collect();
        if damages.is_empty() {
            self.identity(path, &walk, file, hash_seed);
        }
        damages.extend(walk.directory_damage().cloned());
        self.damages(path, damages);
        while let Some(part) = walk.step(&mut |_| {})? {
            self.report.keys += part.keys;
            self.report.versions += part.versions;
            self.damages(path, part.damages);
        }
        self.damages(path, walk.finish().into_iter().collect());
        self.report.files += 1;
        self.read(walk.file_bytes());
        Ok(())
    }

    /// Holds a header that is whole to what the manifest says.
    fn identity(&mut self, path: &Path, walk: &PphmWalk, file: &NamedFile, hash_seed: u64) {
        let facts = &walk.header().facts;
        let (own, said) = (&facts.spec.range, &file.range);
        let IndexOf { store, partition } = facts.spec.of;
        let what = if facts.spec.of != self.request.of {
            format!("is of store {store}, partition {partition}: it was moved here")
        } else if facts.spec.hash_seed != hash_seed {
            "has another seed than the manifest, so no key would be found".to_owned()
        } else if own.start > said.start || own.end < said.end {
            format!(
                "has offsets {}..{}, and the manifest says {}..{}",
                own.start, own.end, said.start, said.end
            )
        } else if facts.header_crc() != file.header_crc {
            let (found, named) = (facts.header_crc(), file.header_crc);
            format!(
                "is not the file that was named: its header's CRC is {found:08x}, not {named:08x}"
            )
        } else {
            return;
        };
        let finding = Finding::new(Severity::Repairable, path, what).at(8);
        self.find(finding.advice(BUILT_AT_START));
    }

    /// A name that the manifest does not have.
    fn unnamed(&mut self, entry: &DiskEntry) {
        let path = self.request.dir.join(&entry.name);
        let (what, advice) = if entry.is_dir || !is_ours(&entry.name) {
            let advice = "the node does not touch it; remove it if you do not know it";
            ("is none of the index's files", advice)
        } else if entry.name.rsplit_once('.').is_some_and(|(_, ending)| ending == FILE) {
            ("is an index that the manifest does not name: not yet, or not any more", SWEPT)
        } else {
            ("was being written when the node died", SWEPT)
        };
        self.find(Finding::new(Severity::Note, path, what).advice(advice));
    }

    fn damages(&mut self, path: &Path, damages: Vec<Damage>) {
        for damage in damages {
            self.find(Finding::of(Severity::Repairable, path, &damage).advice(BUILT_AGAIN));
        }
    }

    fn unreadable(&mut self, path: &Path, error: &dyn std::fmt::Display) {
        let finding = Finding::new(Severity::Damage, path, format!("cannot be read: {error}"));
        self.find(
            finding.advice("look after the disk and the rights of the file, then verify again"),
        );
    }

    /// Notes a finding, unless its file has too many already.
    fn find(&mut self, finding: Finding) {
        let same = self.report.findings.last().is_some_and(|last| last.path == finding.path);
        self.of_file = if same { self.of_file + 1 } else { 1 };
        if self.of_file < FINDINGS_OF_FILE_MAX {
            self.report.findings.push(finding);
        } else if self.of_file == FINDINGS_OF_FILE_MAX {
            let more = Finding::new(finding.severity, finding.path, "more like these");
            self.report.findings.push(more.advice("see them all with `pyralog inspect`"));
        }
    }

    fn read(&mut self, bytes: u64) {
        self.report.bytes += bytes;
        (self.seen)(bytes);
    }
}
