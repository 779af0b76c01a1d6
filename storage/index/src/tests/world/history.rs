//! One history: lives full of operations, each ending in a crash.

use super::super::{Chance, cache, hash_of, of};
use super::log::{HASHES, Log};
use crate::{
    Built, Candidate, IndexError, KeyIndex, KeyIndexOptions, Mutation, Why, Work, WorkKind,
};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::Offset;
use std::ops::{AddAssign, Range};
use std::path::Path;
use std::sync::Arc;

const DIR: &str = "/p/keys";

pub(super) struct Plan {
    pub(super) lives: u64,
    pub(super) operations: u64,
    pub(super) mutation: Option<Mutation>,
}

/// What a history met.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) crashes: u64,
    pub(super) lookups: u64,
    pub(super) merges: u64,
    pub(super) fills: u64,
    pub(super) cuts_into_files: u64,
    pub(super) failed_works: u64,
    pub(super) damages: u64,
    pub(super) overtaken: u64,
    pub(super) gaps_named: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.crashes += other.crashes;
        self.lookups += other.lookups;
        self.merges += other.merges;
        self.fills += other.fills;
        self.cuts_into_files += other.cuts_into_files;
        self.failed_works += other.failed_works;
        self.damages += other.damages;
        self.overtaken += other.overtaken;
        self.gaps_named += other.gaps_named;
    }
}

pub(super) struct History {
    disk: SimDisk,
    chance: Chance,
    mutation: Option<Mutation>,
    index: KeyIndex,
    log: Log,
    /// Work that was planned and not run, and what was built and not installed.
    planned: Option<Work>,
    built: Option<Result<Built, IndexError>>,
    /// Ranges of files that a durable manifest names, as far as the judge knows.
    saved: Vec<Range<u64>>,
    /// A bit was turned over: files may be found damaged.
    tainted: bool,
    /// Nobody works in this life.
    idle: bool,
    pub(super) tally: Tally,
}

impl History {
    /// Lives a whole history. The error says what was wrong.
    pub(super) fn run(seed: u64, plan: &Plan) -> Result<History, String> {
        let disk = SimDisk::new(seed);
        disk.create_dir_all(Path::new("/p")).map_err(text)?;
        disk.sync_dir(Path::new("/")).map_err(text)?;
        let mut history = History {
            index: open(&disk, 0..0, plan.mutation).map_err(text)?.index,
            disk,
            chance: Chance::new(seed),
            mutation: plan.mutation,
            log: Log::default(),
            planned: None,
            built: None,
            saved: Vec::new(),
            tainted: false,
            idle: false,
            tally: Tally::default(),
        };
        for _ in 0..plan.lives {
            history.live(plan.operations)?;
        }
        history.settle()?;
        Ok(history)
    }

    /// Every file as it lies on disk at the end.
    pub(super) fn image(&self) -> Vec<(String, Vec<u8>)> {
        let names = self.disk.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name);
        names
            .map(|name| (self.disk.read_file(&Path::new(DIR).join(&name)).unwrap(), name))
            .map(|(bytes, name)| (name, bytes))
            .collect()
    }

    fn live(&mut self, operations: u64) -> Result<(), String> {
        if self.chance.percent(70) {
            self.disk.arm_crash_at(self.chance.below(40));
        }
        self.idle = self.chance.percent(20);
        for _ in 0..operations {
            self.operation()?;
            if self.disk.is_off() {
                break;
            }
            self.look_up()?;
        }
        self.crash()
    }

    fn operation(&mut self) -> Result<(), String> {
        match self.chance.below(20) {
            0..=5 => {
                let records = self.log.append(&mut self.chance);
                self.index.insert_all(records);
            }
            6..=8 => self.seal(),
            9 => self.truncate()?,
            10 => self.retain(),
            11 => self.index.cool(),
            12 => self.trouble(),
            _ if self.idle => {}
            _ => self.work()?,
        }
        Ok(())
    }

    /// A segment ends, now and then before records that were inserted already.
    fn seal(&mut self) {
        let behind = if self.chance.percent(30) { self.chance.below(8) } else { 0 };
        self.log.sealed = self.log.sealed.max(self.log.end().saturating_sub(behind));
        self.index.seal(Offset(self.log.sealed));
    }

    fn truncate(&mut self) -> Result<(), String> {
        let (start, end) = (self.log.start, self.log.end());
        let to = end - self.chance.below((end - start).min(60) + 1);
        let into_files = self.index.state().files().any(|piece| piece.range.end.0 > to);
        // The index is told first; a crash may come before the log knows.
        while let Err(error) = self.index.truncate(Offset(to)) {
            if self.disk.is_off() {
                if self.chance.percent(50) {
                    self.cut(to);
                }
                clip(&mut self.saved, 0..to);
                return Ok(());
            }
            self.expect_trouble(&error)?;
            self.disk.set_capacity(u64::MAX);
        }
        self.tally.cuts_into_files += u64::from(into_files);
        self.cut(to);
        Ok(())
    }

    fn cut(&mut self, to: u64) {
        self.log.truncate(to);
        clip(&mut self.saved, 0..to);
    }

    fn retain(&mut self) {
        let sealed = self.log.sealed;
        self.log.start += self.chance.below((sealed - self.log.start) / 2 + 1);
        self.index.forget_before(Offset(self.log.start));
        clip(&mut self.saved, self.log.start..u64::MAX);
    }

    fn trouble(&mut self) {
        match self.chance.below(5) {
            0 => self.disk.fail_next_sync(".pphm"),
            1 => self.disk.fail_next_sync("keys"),
            2 => self.disk.set_capacity(self.disk.used_bytes() + self.chance.below(9_000)),
            3 => self.disk.set_capacity(u64::MAX),
            _ => self.flip(),
        }
    }

    /// Turns a bit of some file over.
    fn flip(&mut self) {
        let entries = self.disk.list(Path::new(DIR)).unwrap_or_default();
        let Some(entry) = entries.get(self.chance.below(entries.len() as u64 + 1) as usize) else {
            return;
        };
        if entry.len > 0 {
            let (byte, bit) = (self.chance.below(entry.len), self.chance.below(8) as u32);
            let path = Path::new(DIR).join(&entry.name);
            self.disk.flip_bit(&path, byte, bit).expect("the file is there");
            self.tainted = true;
        }
    }

    /// Plans, runs or installs; now and then only one of them.
    fn work(&mut self) -> Result<(), String> {
        let whole = self.chance.percent(60);
        if self.planned.is_none() && self.built.is_none() {
            self.planned = self.index.plan();
            if !whole {
                return Ok(());
            }
        }
        if let Some(work) = self.planned.take() {
            let entries = work.reads().map_or(Vec::new(), |range| self.log.entries(range));
            self.tally.merges += u64::from(work.kind() == WorkKind::Merge);
            self.tally.fills += u64::from(work.kind() == WorkKind::Fill);
            let budget = [0, 1 << 20][self.chance.below(2) as usize];
            self.built = Some(work.run(budget, entries.into_iter().map(Ok)));
            if !whole {
                self.tally.overtaken += 1;
                return Ok(());
            }
        }
        self.install()
    }

    fn install(&mut self) -> Result<(), String> {
        let Some(built) = self.built.take() else { return Ok(()) };
        let installed = self.index.install(built);
        if let Err(error) = &installed {
            self.tally.failed_works += 1;
            self.expect_trouble(error)?;
            if self.chance.percent(50) {
                self.disk.set_capacity(u64::MAX);
            }
        }
        let state = self.index.state();
        if installed.is_ok() && state.is_saved() {
            let range = |range: &Range<Offset>| range.start.0..range.end.0;
            self.saved = state.files().map(|piece| range(&piece.range)).collect();
        }
        Ok(())
    }

    /// Errors are of the disk, and damage only where a bit was turned over.
    fn expect_trouble(&self, error: &IndexError) -> Result<(), String> {
        match error {
            IndexError::Io { .. } | IndexError::SyncFailed { .. } | IndexError::DiskFull { .. } => {
                Ok(())
            }
            // A failed sync drops what was written, and a run or file read back differs.
            IndexError::Damaged { .. } if self.tainted => Ok(()),
            _ => Err(format!("unexpected: {error}")),
        }
    }

    fn look_up(&mut self) -> Result<(), String> {
        let hash = hash_of(self.chance.below(HASHES + 4));
        let below = match self.chance.percent(60) {
            true => self.log.end(),
            false => self.chance.below(self.log.end() + 1),
        };
        self.compare(hash, below)
    }

    /// Candidates, with gaps scanned, against a scan of everything.
    fn compare(&mut self, hash: u64, below: u64) -> Result<(), String> {
        let mut given = Vec::new();
        self.tally.lookups += 1;
        for candidate in self.index.candidates_of(hash, Offset(below)) {
            match candidate {
                Ok(Candidate::At { offset, tombstone }) => given.push((offset.0, tombstone)),
                Ok(Candidate::Unindexed { range, why }) => {
                    if let Why::Damaged(error) = &why {
                        self.tally.damages += 1;
                        self.expect_trouble(error)?;
                    }
                    self.tally.gaps_named += 1;
                    given.extend(self.log.scan(hash, range.start.0..range.end.0));
                }
                Err(error) => return self.expect_trouble(&error),
            }
        }
        let expect = self.log.scan(hash, 0..below);
        if given != expect {
            return Err(format!("{hash:x} below {below}: {given:?} instead of {expect:?}"));
        }
        Ok(())
    }

    /// The power goes; the index starts again on what is left.
    fn crash(&mut self) -> Result<(), String> {
        let seed = self.chance.next();
        if self.disk.is_off() || self.chance.percent(80) {
            self.disk.crash(seed);
        } else {
            self.disk.kill_process();
        }
        self.disk.clear_faults();
        self.disk.set_capacity(u64::MAX);
        self.tally.crashes += 1;
        (self.planned, self.built) = (None, None);
        if self.chance.percent(30) {
            // What was not sealed was not durable either, and its offsets are given anew.
            let lost = self.chance.below(self.log.end() - self.log.sealed + 1);
            self.cut(self.log.end() - lost);
        }
        let (start, sealed) = (self.log.start, self.log.sealed);
        let opened = open(&self.disk, start..sealed, self.mutation).map_err(text)?;
        opened.damages.iter().try_for_each(|error| match self.mutation {
            // What bugs leave on disk is judged by what lookups give.
            Some(_) => Ok(()),
            None => self.expect_trouble(error),
        })?;
        self.index = opened.index;
        clip(&mut self.saved, 0..sealed);
        self.index.insert_all(self.log.keyed(sealed..self.log.end()));
        let lost = |gap: &Range<Offset>| {
            self.saved.iter().any(|saved| saved.start < gap.end.0 && gap.start.0 < saved.end)
        };
        if let Some(gap) = opened.gaps.iter().find(|gap| lost(gap)).filter(|_| !self.tainted) {
            return Err(format!("{gap:?} was saved and is lost"));
        }
        (0..HASHES).try_for_each(|hash| self.compare(hash_of(hash), self.log.end()))
    }

    /// At the end all work is done on a sound disk, and nothing superfluous is left.
    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..1_000 {
            self.work()?;
            if self.planned.is_none() && self.built.is_none() {
                self.planned = self.index.plan();
                if self.planned.is_none() {
                    break;
                }
            }
        }
        (0..HASHES).try_for_each(|hash| self.compare(hash_of(hash), self.log.end()))?;
        let on_disk = self.disk.list(Path::new(DIR)).map_err(text)?.len();
        if on_disk != self.index.files().len() + 1 {
            return Err(format!(
                "{on_disk} files are left, {} are needed",
                self.index.files().len() + 1
            ));
        }
        match self.index.gaps().first() {
            Some(gap) => Err(format!("{gap:?} was never filled")),
            None => Ok(()),
        }
    }
}

fn open(
    disk: &SimDisk,
    sealed: Range<u64>,
    mutation: Option<Mutation>,
) -> Result<crate::Opened, IndexError> {
    let options = KeyIndexOptions {
        active_bytes_max: 2_500,
        frozen_bytes_max: 4_000,
        fan_out: 3,
        fill_offsets_max: 100,
        mutation,
        ..KeyIndexOptions::new(of(), 11)
    };
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let sealed = Offset(sealed.start)..Offset(sealed.end);
    KeyIndex::open(&disk, Path::new(DIR), options, sealed, &cache())
}

/// Keeps of each range what lies in `within`.
fn clip(ranges: &mut Vec<Range<u64>>, within: Range<u64>) {
    for range in ranges.iter_mut() {
        *range = range.start.max(within.start)..range.end.min(within.end);
    }
    ranges.retain(|range| range.start < range.end);
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
