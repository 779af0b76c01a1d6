//! `pyralog verify`: every byte of a data directory, while no node runs on it.
//!
//! ```text
//!  node.toml ──▶ whose is it? ──▶ obelisk/: directory, arena, lane
//!                             └─▶ pyramid/: directory, lane, meta ──▶ WAL, segments
//!                                    │ which partitions are here?       ▲
//!                                    └──────────────────────────────────┘
//! ```
//!
//! Nothing is written, not even a lock: that a node runs is seen by its own. What
//! cannot be read is a finding like any other, and the rest is looked at all the
//! same.

mod directories;
mod keys;
mod leftovers;
mod progress;
mod report;
mod tiers;

use crate::cli::VerifyArguments;
use crate::data_directory::NodeFile;
use crate::failure::{Failure, Status};
use progress::Progress;
use pyralog_env::{DirectoryLock, LockState, ReadOnlyDisk};
use pyralog_model::{Boot, Finding, Severity};
use report::Report;
use std::path::Path;

/// Looks through the directory and says what was found; fails unless all is sound.
pub fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    let dir = &arguments.directory;
    if !dir.is_dir() {
        let what = format!("{} is no directory", dir.display());
        return Err(Failure::new(Status::NotFound, what));
    }
    let looks_like_one =
        ["node.toml", "pyramid", "obelisk"].iter().any(|name| dir.join(name).exists());
    if !looks_like_one {
        let what = format!("{} is no data directory", dir.display());
        let help = "name the directory that --data-dir names for the node";
        return Err(Failure::new(Status::NotFound, what).help(help));
    }
    refuse_if_in_use(dir)?;
    let mut report = Report::new(dir);
    let boot = verify(dir, &mut report);
    // Whoever started meanwhile has changed what was read.
    refuse_if_in_use(dir)?;
    if boot.is_some() && boot != NodeFile::read(&ReadOnlyDisk, dir).ok().flatten().map(boot_of) {
        let what = format!("a node ran on {} while it was verified", dir.display());
        return Err(Failure::new(Status::Retryable, what).help("stop it and verify again"));
    }
    report.print(arguments.format)?;
    report.verdict()
}

fn refuse_if_in_use(dir: &Path) -> Result<(), Failure> {
    let looked = DirectoryLock::look(dir);
    let holder = match looked {
        Ok(LockState::Free) => return Ok(()),
        Ok(LockState::Held(holder)) => holder,
        Err(error) => {
            let what = format!("cannot see if a node runs on {}: {error}", dir.display());
            return Err(Failure::failed(what));
        }
    };
    let who = holder.map_or_else(|| "a node".to_owned(), |holder| holder.to_string());
    let what = format!("{} is in use by {who}", dir.display());
    Err(Failure::new(Status::Retryable, what).help(
        "stop the node first; a node that runs verifies its sealed segments itself, see \
         scrub_interval",
    ))
}

/// Everything, in the order in which it depends on each other. The number of starts,
/// if it can be read.
fn verify(dir: &Path, report: &mut Report) -> Option<Boot> {
    let node = match NodeFile::read(&ReadOnlyDisk, dir) {
        Ok(Some(node)) => Some(node),
        Ok(None) => {
            let finding = Finding::new(Severity::Damage, dir.join("node.toml"), "is missing");
            report.add(finding.advice(
                "put it back from a backup: without it the directory's identity is lost, and a \
                 node would found another",
            ));
            None
        }
        Err(error) => {
            let finding = Finding::new(Severity::Damage, dir.join("node.toml"), error.to_string());
            report.add(
                finding.advice("put it back from a backup; the node does not start like this"),
            );
            None
        }
    };
    report.node = node.clone();
    leftovers::look(dir, report);
    let store = node.as_ref().map(|node| node.store).or_else(|| tiers::store_in_files(dir));
    let Some(store) = store else {
        let what = "nothing tells which store this is, so no checksum can be verified";
        report.add(Finding::new(Severity::Damage, dir, what).advice("put node.toml back first"));
        return None;
    };
    report.store = Some(store);
    let progress = Progress::shown(dir);
    let both = directories::verify(dir, node.as_ref(), report);
    tiers::obelisk(dir, store, report);
    tiers::pyramid(dir, store, both.placed.as_ref(), report, &progress);
    progress.end();
    node.map(boot_of)
}

fn boot_of(node: NodeFile) -> Boot {
    node.boot
}
