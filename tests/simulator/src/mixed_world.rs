//! A world with logs of all three promises in one store: `fsync`, `page-cache` and
//! `memory`, mixed in every step.
//!
//! What the judge holds them to, after each restart:
//!
//! | log | after a kill | after a power cut |
//! |---|---|---|
//! | `fsync` | everything acknowledged | everything acknowledged |
//! | `page-cache` | everything acknowledged | a piece from the start, at least what was synced |
//! | `memory` | nothing, above every offset that was given out | the same |
//!
//! And of the weaker two: no epoch is led twice over a restart, so that whoever has
//! read what is gone finds out. While the store runs all of them are as they were
//! written, and those in memory within their budgets.

mod ends;
mod operations;
mod paper;

use crate::chance::Chance;
use crate::engine::{DIRECTORY, Engine};
use crate::judge::Verdict;
use crate::seeded::run_seed;
use crate::tally::tally;
use paper::{Harm, Paper};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_log::{Completion, LogOptions, Mutation, Submission};
use pyralog_model::{Durability, PartitionId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How long a world is, and which bug lives in it.
#[derive(Debug, Clone, Copy)]
pub struct MixedPlan {
    /// Ends of lives.
    pub lives: u32,
    /// Operations before each of them.
    pub operations: u32,
    /// A planted bug.
    pub mutation: Option<Mutation>,
}

impl Default for MixedPlan {
    fn default() -> MixedPlan {
        MixedPlan { lives: 5, operations: 60, mutation: None }
    }
}

tally! {
    /// Counts over one mixed world or many.
    MixedTally {
        worlds: "worlds",
        cuts: "power cuts",
        kills: "kills",
        recovery_cuts: "power cuts in a start",
        clean_ends: "clean ends",
        synced_appends: "appends to logs of fsync",
        written_appends: "appends to logs of page-cache",
        memory_appends: "appends to logs in memory",
        lost: "batches of page-cache that a power cut took",
        survived: "power cuts that took none",
        dropped: "steps after which a log in memory began later",
        refused_full: "refusals for want of room",
        failed_syncs: "stores stopped by a failed sync",
        starts_moved: "starts moved",
        sealed: "segments sealed",
        created: "partitions created",
        deleted: "logs deleted",
        tasks: "tasks of the segment writer",
    }
}

/// Lets a world run from its seed.
///
/// # Errors
/// What was lost, invented or given out again, with the seed that repeats it.
pub fn run_mixed_world(seed: u64, plan: &MixedPlan) -> Result<MixedTally, String> {
    run_seed(seed, || {
        let mut world = World::new(seed, plan);
        world.live(plan).map(|()| world.tally)
    })
}

struct World {
    chance: Chance,
    disk: SimDisk,
    options: LogOptions,
    papers: BTreeMap<PartitionId, Paper>,
    /// The generation of each open partition.
    seats: BTreeMap<PartitionId, u64>,
    /// Their creation was never answered.
    creating: BTreeMap<PartitionId, Durability>,
    /// Their deletion was never answered.
    deleting: BTreeSet<PartitionId>,
    engine: Option<Engine>,
    next_log: u64,
    time: i64,
    full: bool,
    /// A sync was ordered to fail.
    fault: bool,
    tally: MixedTally,
}

impl World {
    fn new(seed: u64, plan: &MixedPlan) -> World {
        let chance = Chance::new(seed);
        let disk = SimDisk::new(chance.next());
        disk.create_dir_all(Path::new(DIRECTORY)).expect("the power is on");
        disk.sync_dir(Path::new("/")).expect("the power is on");
        let pick = |choices: &[usize]| chance.pick(choices).expect("there are some");
        let options = LogOptions {
            wal_file_bytes: 64 << 10,
            wal_files_max: 3,
            wal_direct: chance.percent(50),
            direct_bytes_min: pick(&[8 << 10, usize::MAX]),
            direct_checkpoint_bytes: 48 << 10,
            segment_bytes: (4 << 10) << chance.below(5),
            unsynced_bytes_max: pick(&[4 << 10, 40 << 10, usize::MAX]),
            memory_log_bytes: pick(&[10 << 10, 80 << 10]),
            memory_bytes_max: pick(&[24 << 10, 200 << 10]),
            offset_block: pick(&[1, 8, 100, 1 << 20]) as u64,
            mutation: plan.mutation,
            ..LogOptions::default()
        };
        World {
            chance,
            disk,
            options,
            papers: BTreeMap::new(),
            seats: BTreeMap::new(),
            creating: BTreeMap::new(),
            deleting: BTreeSet::new(),
            engine: None,
            next_log: 1,
            time: 1_000,
            full: false,
            fault: false,
            tally: MixedTally { worlds: 1, ..MixedTally::default() },
        }
    }

    fn live(&mut self, plan: &MixedPlan) -> Verdict {
        self.start(Harm::Kill)?;
        for durability in [Durability::Fsync, Durability::PageCache, Durability::Memory] {
            self.create(durability)?;
        }
        for _ in 0..plan.lives {
            for _ in 0..plan.operations {
                self.operate()?;
                self.restart_if_stopped()?;
            }
            let harm = self.end_life()?;
            self.start(harm)?;
        }
        Ok(())
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("the store is running")
    }

    fn ids(&self) -> Vec<PartitionId> {
        self.seats.keys().copied().collect()
    }

    /// Starts the store, perhaps with cuts in between, and holds it to everything.
    fn start(&mut self, mut harm: Harm) -> Verdict {
        self.engine = None;
        self.seats.clear();
        if self.fault {
            harm = Harm::Cut;
        }
        self.lift_limits();
        let engine = loop {
            if self.chance.percent(10) {
                self.disk.arm_crash_at(self.chance.below(40));
            }
            match Engine::start(&self.disk, &self.options) {
                Ok(engine) if !self.disk.is_off() => break engine,
                _ if self.disk.is_off() => {
                    self.tally.met += &self.disk.crash(self.chance.next());
                    self.tally.recovery_cuts += 1;
                    harm = Harm::Cut;
                }
                Err(error) => return Err(format!("the start was refused: {error}")),
                Ok(_) => unreachable!("either on or off"),
            }
        };
        self.disk.arm_crash_at(u64::MAX);
        self.engine = Some(engine);
        self.judge_partitions()?;
        let mut lost = 0;
        for id in self.papers.keys().copied().collect::<Vec<_>>() {
            let log = self.engine().partitions[&id].clone();
            let paper = self.papers.get_mut(&id).expect("it is there");
            lost += paper.found(&log, harm).map_err(|what| format!("{id}: {what}"))?;
            self.open(id, true)?;
        }
        self.tally.lost += lost;
        self.tally.survived += u64::from(harm == Harm::Cut && lost == 0);
        Ok(())
    }

    /// Settles what creations and deletions came to that were cut off.
    fn judge_partitions(&mut self) -> Verdict {
        for id in self.papers.keys().copied().collect::<Vec<_>>() {
            let Some(log) = self.engine().partitions.get(&id).cloned() else {
                return Err(format!("partition {id} is gone"));
            };
            // What nobody has used may be of none again; whoever starts it says what it is.
            let paper = &self.papers[&id];
            let (durability, unused) = (paper.durability, paper.is_unused());
            if log.durability() == Durability::Fsync && durability != Durability::Fsync && unused {
                self.engine().create(id, durability).map_err(|error| error.to_string())?;
            }
        }
        for (id, durability) in std::mem::take(&mut self.creating) {
            let Some(log) = self.engine().partitions.get(&id).cloned() else { continue };
            if log.durability() != durability {
                // It is asked for again as long as it is not there.
                self.engine().create(id, durability).map_err(|error| error.to_string())?;
            }
            self.papers.insert(id, Paper::new(durability));
        }
        for id in std::mem::take(&mut self.deleting) {
            if self.engine().partitions.contains_key(&id) {
                self.engine().delete(id.log).map_err(|error| error.to_string())?;
            }
        }
        let found: Vec<PartitionId> = self.engine().partitions.keys().copied().collect();
        match found.iter().find(|id| !self.papers.contains_key(id)) {
            Some(id) => Err(format!("partition {id} came back")),
            None => Ok(()),
        }
    }

    /// Takes a partition's seat. A leadership that begins has a new epoch.
    fn open(&mut self, id: PartitionId, leads: bool) -> Verdict {
        let log = self.engine().partitions[&id].clone();
        match self.engine().step(vec![Submission::Open(log)]).remove(0) {
            Completion::Opened(opened) => {
                let paper = self.papers.get_mut(&id).expect("it is there");
                if opened.end.0 != paper.end() {
                    return Err(format!("{id}: opened at {}, not {}", opened.end, paper.end()));
                }
                if leads {
                    let led = paper.leads(opened.last_epoch.0 + 1);
                    led.map_err(|what| format!("{id}: {what}"))?;
                }
                self.seats.insert(id, opened.generation);
                Ok(())
            }
            Completion::Refused(error) => self.hurt(&error.to_string()),
            other => Err(format!("{id} was not opened: {other:?}")),
        }
    }

    /// Something failed: with a reason, or it is a bug.
    fn hurt(&mut self, cause: &str) -> Verdict {
        if !self.disk.is_off() && !self.full && !self.fault {
            return Err(format!("for no reason: {cause}"));
        }
        self.engine().fail(cause.to_owned());
        Ok(())
    }

    fn lift_limits(&mut self) {
        self.full = false;
        self.fault = false;
        self.disk.clear_faults();
        self.disk.set_capacity(u64::MAX);
    }
}
