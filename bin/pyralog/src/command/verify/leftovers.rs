//! Names that no node keeps: files under construction when it died, and what others
//! have put there.

use super::report::Report;
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_model::{Finding, Severity};
use std::path::Path;

/// What lies in each directory; below `pyramid/wal` and `pyramid/logs` the log's own
/// audit looks.
const KEPT: [(&str, &[&str]); 3] = [
    ("", &["LOCK", "node.toml", "obelisk", "pyramid"]),
    ("obelisk", &["directory.redb", "arena", "lane"]),
    ("pyramid", &["directory.redb", "lane", "meta.redb", "wal", "logs"]),
];

/// Names every file that is not one of a node.
pub(super) fn look(dir: &Path, report: &mut Report) {
    for (place, kept) in KEPT {
        let dir = dir.join(place);
        let Ok(entries) = ReadOnlyDisk.list(&dir) else { continue };
        for entry in entries.iter().filter(|entry| !kept.contains(&entry.name.as_str())) {
            let building = entry.name.strip_suffix(".new");
            let (what, advice) = if building.is_some_and(|name| kept.contains(&name)) {
                ("was being written when the node died", "the next start removes it")
            } else {
                let advice = "the node does not touch it; remove it if you do not know it";
                ("is none of a node's files", advice)
            };
            let finding = Finding::new(Severity::Note, dir.join(&entry.name), what);
            report.add(finding.advice(advice));
        }
    }
}
