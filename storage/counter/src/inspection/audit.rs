//! What is wrong with an arena or a bound file, and what follows from it.
//!
//! Both keep two copies of everything and write them in turn, so one damaged copy is
//! made up for, unless it was the later one: then a bound has gone back.

use super::{ArenaCounter, ArenaWalk, BoundView, EntryCopy, HeaderCopy};
use crate::error::CounterError;
use pyralog_env::Disk;
use pyralog_model::{Finding, Severity, StoreId};
use std::path::Path;

const RESTORE: &str = "the node does not start like this; put the file back from a backup, and \
                       raise every counter past what was issued since";
const NEWER: &str = "the node does not start like this; use the program that wrote the file";

/// Looks through an arena. `seen` is told how many counters there are.
pub fn audit_arena(
    disk: &dyn Disk,
    path: &Path,
    store: StoreId,
    seen: &mut dyn FnMut(u64),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = try_arena(disk, path, store, seen, &mut findings) {
        findings.push(unreadable(path, &error));
    }
    findings
}

fn try_arena(
    disk: &dyn Disk,
    path: &Path,
    store: StoreId,
    seen: &mut dyn FnMut(u64),
    findings: &mut Vec<Finding>,
) -> Result<(), CounterError> {
    let file = disk.open(path).map_err(CounterError::io(path, "open"))?;
    let mut walk = ArenaWalk::new(&*file, path)?;
    let damage = |what: String| Finding::new(Severity::Damage, path, what);
    for (number, copy) in walk.copies().iter().enumerate() {
        let position = number as u64 * 4096;
        match copy {
            HeaderCopy::Whole(_) => {}
            HeaderCopy::Newer(version) => {
                let what = format!("copy {} of its header has version {version}", number + 1);
                findings.push(damage(what).at(position).advice(NEWER));
            }
            HeaderCopy::Damaged if walk.header().is_some() => {
                let what = format!("copy {} of its header is damaged", number + 1);
                let finding = Finding::new(Severity::Repairable, path, what).at(position);
                findings.push(finding.advice(
                    "the other one counts, and the next start writes this one anew. If this was \
                     the later one, exact counters may go on at their bounds",
                ));
            }
            HeaderCopy::Damaged => {}
        }
    }
    let Some(header) = walk.header() else {
        let what = "neither copy of its header can be read".to_owned();
        findings.push(damage(what).at(0).advice(RESTORE));
        return Ok(());
    };
    if header.store != store {
        let what = format!("belongs to store {}, this is store {store}", header.store);
        findings.push(damage(what).at(16).advice(RESTORE));
        return Ok(());
    }
    let len = file.len().map_err(CounterError::io(path, "measure"))?;
    if len < header.file_bytes {
        let what = format!("has {len} bytes of {}", header.file_bytes);
        findings.push(damage(what).at(len).advice(RESTORE));
    }
    while let Some(counter) = walk.step()? {
        seen(1);
        findings.extend(of_counter(path, &counter, header.closed));
    }
    Ok(())
}

fn of_counter(path: &Path, counter: &ArenaCounter, closed: bool) -> Option<Finding> {
    let ArenaCounter { number, position, copies, block_seqs, bound, slot, .. } = counter;
    let name = format!("counter {}", number.0);
    let Some(bound) = *bound else {
        let what = format!("{name}: neither copy of its bound can be read");
        let finding = Finding::new(Severity::Damage, path, what).at(*position);
        return Some(finding.advice(
            "the counter is refused and the others go on; put the file back from a backup, and \
             raise every counter past what was issued since",
        ));
    };
    if let Some(bad) = copies.iter().position(|copy| *copy == EntryCopy::Damaged) {
        let at = position + bad as u64 * 4096;
        let what = format!("{name}: copy {} of its bound is damaged", bad + 1);
        // Blocks are written whole, so its neighbours tell which copy was the later one.
        let other = match copies[1 - bad] {
            EntryCopy::Whole { seq, .. } => seq,
            _ => 0,
        };
        let finding = if block_seqs[bad] > 0 && block_seqs[bad] < other {
            let finding = Finding::new(Severity::Repairable, path, what);
            finding.advice("it was the earlier one: the next raise writes it anew")
        } else {
            Finding::new(Severity::Damage, path, what).advice(format!(
                "it may have been the later one: the other says {bound}, and values above that \
                 may have been issued. Take as many values as a block holds, and do not use them"
            ))
        };
        return Some(finding.at(at));
    }
    (closed && *slot > bound).then(|| {
        let what = format!("{name}: its value {slot} is above its bound {bound}");
        let position = crate::arena::slot_at(*number);
        let finding = Finding::new(Severity::Repairable, path, what).at(position);
        finding.advice("the value was never issued; the next start goes on at the bound")
    })
}

/// Looks through a bound file.
pub fn audit_bound(disk: &dyn Disk, path: &Path, store: StoreId) -> Vec<Finding> {
    let view = disk
        .open(path)
        .map_err(CounterError::io(path, "open"))
        .and_then(|file| BoundView::read(&*file, path, store));
    let view = match view {
        Ok(view) => view,
        Err(error) => return vec![unreadable(path, &error)],
    };
    if let Some(version) = view.newer {
        let finding = Finding::new(Severity::Damage, path, format!("has version {version}"));
        return vec![finding.at(8).advice(NEWER)];
    }
    let Some(bound) = view.bound else {
        let what = "neither copy of the bound can be read, or it is of another store";
        let finding = Finding::new(Severity::Damage, path, what);
        return vec![finding.advice(
            "the node does not start like this. Remove the file: ids stay unique, and may for \
             once not be greater than those before the stop",
        )];
    };
    let damaged = view.copies.iter().position(|copy| !matches!(copy, EntryCopy::Whole { .. }));
    damaged.map_or_else(Vec::new, |number| {
        let what = format!("copy {} of the bound is damaged", number + 1);
        let finding = Finding::new(Severity::Repairable, path, what).at(number as u64 * 4096);
        vec![finding.advice(format!(
            "the other one, {bound}, counts. If this was the later one, ids stay unique and may \
             for once not be greater than those before the stop"
        ))]
    })
}

fn unreadable(path: &Path, error: &CounterError) -> Finding {
    let finding = Finding::new(Severity::Damage, path, format!("cannot be read: {error}"));
    finding.advice("look after the disk and the rights of the file, then verify again")
}
