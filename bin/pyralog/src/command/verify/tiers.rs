//! What each tier keeps beside the directory: counters and bounds of ids here,
//! checkpoints, the write-ahead log and segments there.

use super::keys;
use super::progress::Progress;
use super::report::Report;
use crate::offline::store_of;
use pyralog_counter::inspection::{ArenaWalk, audit_arena, audit_bound};
use pyralog_env::{Disk, ReadOnlyDisk};
use pyralog_log::{AuditRequest, Checkpoints, audit};
use pyralog_meta::MetaStore;
use pyralog_model::{Finding, PartitionId, Severity, StoreId};
use pyralog_store::recovery_checkpoints;
use std::collections::BTreeSet;
use std::path::Path;

/// The store that an arena or the write-ahead log says it is of, where `node.toml`
/// does not tell.
pub(super) fn store_in_files(dir: &Path) -> Option<StoreId> {
    let wal = dir.join("pyramid").join("wal").join("00000000.wal");
    let arena = dir.join("obelisk").join("arena");
    store_of(&wal).or_else(|| {
        let file = ReadOnlyDisk.open(&arena).ok()?;
        let walk = ArenaWalk::new(&*file, &arena).ok()?;
        walk.header().map(|header| header.store)
    })
}

/// Counters and the bound of the Obelisk's own ids.
pub(super) fn obelisk(dir: &Path, store: StoreId, report: &mut Report) {
    let dir = dir.join("obelisk");
    let arena = dir.join("arena");
    if arena.exists() {
        report.files += 1;
        let mut counters = 0;
        let findings = audit_arena(&ReadOnlyDisk, &arena, store, &mut |more| counters += more);
        report.counters += counters;
        findings.into_iter().for_each(|finding| report.add(finding));
    } else if dir.join("directory.redb").exists() {
        let finding = Finding::new(Severity::Damage, arena, "is missing");
        report.add(finding.advice(
            "put it back from a backup of the same moment as the directory: a node would make a \
             new one, and issue values that were issued before",
        ));
    }
    bound(&dir.join("lane"), store, report);
}

/// The bound of a node's ids. A node that has issued none has no file.
fn bound(path: &Path, store: StoreId, report: &mut Report) {
    if path.exists() {
        report.files += 1;
        audit_bound(&ReadOnlyDisk, path, store).into_iter().for_each(|found| report.add(found));
    }
}

/// Everything that holds records.
pub(super) fn pyramid(
    dir: &Path,
    store: StoreId,
    placed: Option<&BTreeSet<PartitionId>>,
    report: &mut Report,
    progress: &Progress,
) {
    let pyramid = dir.join("pyramid");
    if !pyramid.exists() {
        return;
    }
    bound(&pyramid.join("lane"), store, report);
    let checkpoints = checkpoints(&pyramid, report);
    let request = AuditRequest {
        disk: &ReadOnlyDisk,
        pyramid: &pyramid,
        store,
        checkpoints: checkpoints.as_ref(),
        placed,
    };
    let mut found = audit(&request, &mut |bytes| progress.read(bytes));
    let indexes = std::mem::take(&mut found.keys);
    report.take(found);
    keys::verify(&indexes, store, report, progress);
}

/// What was checkpointed, if that can be read.
fn checkpoints(pyramid: &Path, report: &mut Report) -> Option<Checkpoints> {
    let path = pyramid.join("meta.redb");
    if !path.exists() {
        // A store that was never opened has no WAL either.
        if pyramid.join("wal").exists() {
            let finding = Finding::new(Severity::Damage, path, "is missing");
            report.add(finding.advice(
                "the node would take every round of the write-ahead log for needed, and not start; \
                 put the whole data directory back from a backup",
            ));
        }
        return None;
    }
    report.files += 1;
    match MetaStore::look(&ReadOnlyDisk, &path).and_then(|meta| meta.load_checkpoints()) {
        Ok(kept) => Some(recovery_checkpoints(&kept)),
        Err(error) => {
            let finding = Finding::new(Severity::Damage, path, error.to_string());
            report.add(finding.advice(
                "the node does not start like this; put the whole data directory back from a \
                 backup",
            ));
            None
        }
    }
}
