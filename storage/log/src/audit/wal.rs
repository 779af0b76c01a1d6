//! The WAL as the next start would read it: from the first round that the
//! checkpoint still needs to the greatest, none missing, only the last one torn.

use super::Auditor;
use crate::inspection::{WalFrame, WalHeader, WalItem, WalRound, WalWalk};
use crate::wal::VERSION;
use crate::{FrameHeader, FrameKind, LogError, paths};
use pyralog_env::DiskFile;
use pyralog_model::{Damage, Finding, Lsn, PartitionId, Severity};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const RESTORE: &str = "the node does not start like this; put the whole data directory back from a \
                       backup, or start with an empty one";

const NEWER: &str = "the node does not start like this; use the program that wrote the file";

/// The frames that a start would replay, and where they are.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) frames: BTreeMap<PartitionId, Vec<TailFrame>>,
    /// Rounds are missing or damaged: what does not continue is no wonder.
    pub(super) broken: bool,
}

/// A frame of the WAL.
#[derive(Debug)]
pub(super) struct TailFrame {
    pub(super) header: FrameHeader,
    pub(super) path: Arc<Path>,
    pub(super) position: u64,
}

impl Tail {
    pub(super) fn of(&self, id: PartitionId) -> &[TailFrame] {
        self.frames.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The last frame that cuts the partition back.
    pub(super) fn truncated_at(&self, id: PartitionId) -> Lsn {
        let cuts = self.of(id).iter().filter(|frame| frame.header.kind == FrameKind::Truncate);
        cuts.map(|frame| frame.header.lsn).max().unwrap_or_default()
    }
}

/// A round that was found, without its records.
struct Found {
    round: u64,
    path: Arc<Path>,
    position: u64,
    frames: Vec<(u64, FrameHeader)>,
    damage: Option<Damage>,
}

impl Auditor<'_> {
    pub(super) fn wal(&mut self) -> Tail {
        let dir = paths::wal_dir(self.request.pyramid);
        let mut rounds = Vec::new();
        let mut damages = Vec::new();
        let entries = match self.request.disk.list(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                self.unreadable(&dir, &error);
                Vec::new()
            }
        };
        for entry in entries {
            let path: PathBuf = dir.join(&entry.name);
            if entry.is_dir || !entry.name.ends_with(".wal") {
                self.stranger(&path);
            } else if let Err(error) = self.wal_file(&path, &mut rounds, &mut damages) {
                self.unreadable(&path, &error);
            }
        }
        let first = self.request.checkpoints.map_or(0, |known| known.wal.first_needed_round);
        rounds.retain(|found: &Found| found.round >= first);
        rounds.sort_by_key(|found| found.round);
        let holes = self.report.findings.len();
        let tail = self.contiguous(first, rounds);
        if self.report.findings.len() == holes {
            self.unneeded(damages);
        }
        tail
    }

    fn wal_file(
        &mut self,
        path: &Path,
        rounds: &mut Vec<Found>,
        damages: &mut Vec<(PathBuf, Damage)>,
    ) -> Result<(), LogError> {
        let open =
            self.request.disk.open(path).map_err(crate::error::io_error("cannot open", path));
        let file: Arc<dyn DiskFile> = open?;
        self.report.files += 1;
        let (header, damage) = WalHeader::read(&*file, path)?;
        let store = self.request.store;
        if damage.is_none() && header.store != store {
            let what = format!("belongs to store {}, this is store {store}", header.store);
            self.find(Finding::new(Severity::Damage, path, what).advice(RESTORE));
            return Ok(());
        }
        if header.version > VERSION && damage.is_some() {
            let what = format!("has version {}, known is {VERSION}", header.version);
            self.find(Finding::new(Severity::Damage, path, what).at(8).advice(NEWER));
        } else if let Some(damage) = damage {
            self.find(Finding::of(Severity::Repairable, path, &damage).advice(
                "its rounds are read all the same, and the next start makes the file anew",
            ));
        }
        let shared: Arc<Path> = Arc::from(path);
        let mut walk = WalWalk::new(&*file, path, store)?;
        while let Some(item) = walk.step()? {
            match item {
                WalItem::Round(round) => rounds.push(found(round, &shared)),
                WalItem::Damage(damage) => damages.push((path.to_owned(), damage)),
                // Holes are found over all files.
                WalItem::Missing(_) => {}
            }
        }
        let len = file.len().unwrap_or_default();
        self.read(len);
        Ok(())
    }

    /// Holds the rounds to contiguity, and takes those that a start would replay.
    fn contiguous(&mut self, first: u64, rounds: Vec<Found>) -> Tail {
        let mut tail = Tail::default();
        // Without checkpoints nobody knows the first: the last ones in a row it is.
        let first = match self.request.checkpoints {
            Some(_) => first,
            None => last_run(&rounds),
        };
        let (mut expect, last) = (first, rounds.len().saturating_sub(1));
        for (index, found) in rounds.into_iter().enumerate() {
            if found.round < expect {
                // Without checkpoints: of an earlier use.
                continue;
            }
            if found.round > expect {
                tail.broken = true;
                let what = format!("round {expect} is missing before round {}", found.round);
                let finding = Finding::new(Severity::Damage, &*found.path, what);
                self.find(finding.at(found.position).advice(format!(
                    "records that were acknowledged in it may be lost; {RESTORE}"
                )));
            }
            expect = found.round + 1;
            match &found.damage {
                None => {}
                Some(damage) if index == last => {
                    let what = format!("round {} is torn ({damage})", found.round);
                    let finding = Finding::new(Severity::Note, &*found.path, what);
                    self.find(finding.at(found.position).advice(
                        "it was being written when the node died, and nobody was told of it; \
                         the next start drops it",
                    ));
                    continue;
                }
                Some(damage) => {
                    tail.broken = true;
                    let what = format!("round {} is damaged ({damage})", found.round);
                    let finding = Finding::new(Severity::Damage, &*found.path, what);
                    self.find(finding.at(damage.position).advice(format!(
                        "records that were acknowledged in it are lost; {RESTORE}"
                    )));
                }
            }
            self.report.rounds += 1;
            for (position, header) in found.frames {
                let path = Arc::clone(&found.path);
                let frames = tail.frames.entry(header.partition).or_default();
                frames.push(TailFrame { header, path, position });
            }
        }
        tail
    }

    /// Headers of rounds that are damaged, where no round is missing.
    fn unneeded(&mut self, damages: Vec<(PathBuf, Damage)>) {
        for (path, damage) in damages {
            self.find(Finding::of(Severity::Note, path, &damage).advice(
                "a round that nobody needs, or the last one, torn: the next start drops it",
            ));
        }
    }
}

fn found(round: WalRound, path: &Arc<Path>) -> Found {
    let WalRound { round, position, frames, damage, .. } = round;
    let header = |frame: WalFrame| (frame.position, frame.header);
    let frames = frames.into_iter().map(header).collect();
    Found { round, path: Arc::clone(path), position, frames, damage }
}

/// Where the last rounds in a row begin.
fn last_run(rounds: &[Found]) -> u64 {
    let numbers = rounds.iter().rev().map(|found| found.round);
    let mut first = None;
    for number in numbers {
        match first {
            Some(later) if number + 1 != later => break,
            _ => first = Some(number),
        }
    }
    first.unwrap_or_default()
}
