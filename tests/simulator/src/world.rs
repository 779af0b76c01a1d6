//! A world: one disk, one store at a time, many lives, and the end of each.

mod ends;
mod operations;
mod start;
mod steps;

use crate::chance::Chance;
use crate::engine::{DIRECTORY, Engine};
use crate::judge::{Judge, Verdict};
use crate::seeded::run_seed;
use crate::tally::Tally;
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_log::{LogOptions, Mutation};
use pyralog_model::PartitionId;
use std::collections::BTreeMap;
use std::path::Path;

/// How long a world is, and which bug lives in it.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Power cuts that end a life.
    pub lives: u32,
    /// Operations before each of them, at the least.
    pub operations: u32,
    /// A planted bug.
    pub mutation: Option<Mutation>,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { lives: 8, operations: 200, mutation: None }
    }
}

/// Lets a world run from its seed.
///
/// # Errors
/// What was lost, invented or refused, with the seed that repeats it.
pub fn run_world(seed: u64, plan: &Plan) -> Result<Tally, String> {
    run_seed(seed, || {
        let mut world = World::new(seed, plan);
        let lived = world.live(plan);
        lived.map_err(|what| format!("life {}: {what}", world.tally.cuts)).map(|()| world.tally)
    })
}

/// What was decided about a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its creation was never answered.
    Creating,
    /// It exists and must be found.
    Alive,
    /// The deletion of its log was never answered.
    Deleting,
    /// It must never be seen again.
    Gone,
}

/// What a writer of a partition knows.
#[derive(Debug, Clone, Copy)]
struct Seat {
    generation: u64,
    epoch: u32,
}

struct World {
    chance: Chance,
    disk: SimDisk,
    options: LogOptions,
    judge: Judge<PartitionId>,
    fates: BTreeMap<PartitionId, Fate>,
    seats: BTreeMap<PartitionId, Seat>,
    engine: Option<Engine>,
    next_log: u64,
    /// Milliseconds, for the batches.
    time: i64,
    /// The disk has little room.
    full: bool,
    /// A sync was ordered to fail.
    fault: bool,
    tally: Tally,
}

impl World {
    fn new(seed: u64, plan: &Plan) -> World {
        let chance = Chance::new(seed);
        let disk = SimDisk::new(chance.next());
        // The data directory itself is the operator's.
        disk.create_dir_all(Path::new(DIRECTORY)).expect("the power is on");
        disk.sync_dir(Path::new("/")).expect("the power is on");
        let options = LogOptions {
            wal_file_bytes: 64 << 10,
            wal_files_max: 3 + chance.below(2) as u32,
            wal_direct: chance.percent(50),
            direct_bytes_min: [4 << 10, 12 << 10, usize::MAX][chance.below(3) as usize],
            direct_checkpoint_bytes: 48 << 10,
            segment_bytes: some_segment_bytes(&chance),
            mutation: plan.mutation,
            ..LogOptions::default()
        };
        World {
            chance,
            disk,
            options,
            judge: Judge::new(),
            fates: BTreeMap::new(),
            seats: BTreeMap::new(),
            engine: None,
            next_log: 1,
            time: 1_000,
            full: false,
            fault: false,
            tally: Tally { worlds: 1, ..Tally::default() },
        }
    }

    fn live(&mut self, plan: &Plan) -> Verdict {
        self.start(self.chance.percent(60))?;
        for _ in 0..plan.lives {
            let before = self.tally.operations;
            while self.tally.operations < before + u64::from(plan.operations) {
                self.operate()?;
                self.restart_if_stopped()?;
            }
            let cut_next_start = self.end_life()?;
            self.tally.cuts += 1;
            self.start(cut_next_start)?;
        }
        Ok(())
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("the store is running")
    }

    fn alive(&self) -> Vec<PartitionId> {
        let alive = self.fates.iter().filter(|(_, fate)| **fate == Fate::Alive);
        alive.map(|(id, _)| *id).collect()
    }

    fn is_off(&self) -> bool {
        self.disk.is_off()
    }

    /// Adds up what the present store has counted, before it goes.
    fn keep_counts(&mut self) {
        if let Some(engine) = &self.engine {
            let (rounds, direct_writes) = engine.counts();
            self.tally.rounds += rounds;
            self.tally.direct_writes += direct_writes;
        }
    }

    fn lift_limits(&mut self) {
        self.full = false;
        self.fault = false;
        self.disk.clear_faults();
        self.disk.set_capacity(u64::MAX);
    }
}

fn some_segment_bytes(chance: &Chance) -> u64 {
    (4 << 10) << chance.below(5)
}
