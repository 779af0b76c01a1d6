//! The arena world: an Obelisk's counters on one disk, many lives, and the end of
//! each. Mapped memory is simulated by a kernel that writes sectors back when it
//! likes, or never.

mod ends;
mod judge;
mod kernel;
mod operations;

use crate::chance::Chance;
use crate::judge::Verdict;
use crate::seeded::run_seed;
use crate::tally::tally;
use judge::Judge;
use kernel::Kernel;
use pyralog_counter::{Arena, ArenaOptions, CounterError, CounterHandle, Mutation, Wish};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_model::{CounterNumber, StoreId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const DIRECTORY: &str = "/data/obelisk";
const ARENA: &str = "/data/obelisk/arena";
const STORE: StoreId = StoreId(0x0bad_cafe_0bad_cafe);

/// How long a world is, and which bug lives in it.
#[derive(Debug, Clone, Copy)]
pub struct ArenaPlan {
    /// Power cuts that end a life.
    pub lives: u32,
    /// Operations before each of them, at the least.
    pub operations: u32,
    /// A planted bug.
    pub mutation: Option<Mutation>,
}

impl Default for ArenaPlan {
    fn default() -> ArenaPlan {
        ArenaPlan { lives: 8, operations: 200, mutation: None }
    }
}

tally! {
    /// Counts over one arena world or many.
    ArenaTally {
        worlds: "worlds",
        cuts: "power cuts after 200 operations or more",
        cuts_in_start: "power cuts in a start",
        cuts_in_create: "power cuts while counters were made",
        cuts_in_raise: "power cuts while a bound was written",
        cuts_in_sync: "power cuts with a raise in flight",
        cuts_in_writeback: "power cuts in the kernel's writeback",
        cuts_in_close: "power cuts in a clean end",
        cuts_at_rest: "power cuts between two operations",
        operations: "operations",
        claims: "claims",
        values: "values claimed",
        claims_in_flight: "claims while a raise was in flight",
        refused_in_flight: "claims refused while a raise was in flight",
        refused: "claims refused for the bound",
        activations: "counters activated",
        created: "counters made",
        raises: "raises",
        raised: "bounds raised",
        dropped: "raises given up before their sync",
        writebacks: "sectors that the kernel wrote back",
        clean_starts: "starts after a clean end",
        unclean_starts: "starts after any other",
        exact: "counters that went on exactly after a clean end",
        gaps: "gaps after an unclean end",
        gap_max: "values in all gaps",
        kills: "kills",
        failed_syncs: "arenas stopped by a failed sync",
        refused_full: "refusals for want of room",
    }
}

/// Lets an arena world run from its seed.
///
/// # Errors
/// What was issued twice, skipped or refused, with the seed that repeats it.
pub fn run_arena_world(seed: u64, plan: &ArenaPlan) -> Result<ArenaTally, String> {
    run_seed(seed, || {
        let mut world = ArenaWorld::new(seed, plan);
        let lived = world.live(plan);
        lived.map_err(|what| format!("life {}: {what}", world.tally.cuts))?;
        Ok(world.tally)
    })
}

/// What was going on when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Start,
    Create,
    Raise,
    Sync,
    Writeback,
    Close,
    Nothing,
}

struct ArenaWorld {
    chance: Chance,
    disk: SimDisk,
    kernel: Kernel,
    options: ArenaOptions,
    judge: Judge,
    arena: Option<Arc<Arena>>,
    handles: BTreeMap<CounterNumber, CounterHandle>,
    wishes: Vec<Wish>,
    doing: Doing,
    /// The disk has no room.
    full: bool,
    /// A sync was ordered to fail.
    fault: bool,
    tally: ArenaTally,
}

impl ArenaWorld {
    fn new(seed: u64, plan: &ArenaPlan) -> ArenaWorld {
        let chance = Chance::new(seed);
        let disk = SimDisk::new(chance.next());
        let world: &dyn Disk = &disk;
        // The directory itself is not the arena's business.
        world.create_dir_all(Path::new(DIRECTORY)).expect("the power is on");
        for dir in ["/", "/data"] {
            world.sync_dir(Path::new(dir)).expect("the power is on");
        }
        let options = ArenaOptions {
            file_bytes: 1 << 20,
            block: [1, 7, 40, 300][chance.below(4) as usize],
            fsync_on_increment: chance.percent(20),
            mutation: plan.mutation,
        };
        let tally = ArenaTally { worlds: 1, ..ArenaTally::default() };
        let block = if options.fsync_on_increment { 0 } else { options.block };
        ArenaWorld {
            chance,
            disk,
            kernel: Kernel::default(),
            options,
            judge: Judge::new(block),
            arena: None,
            handles: BTreeMap::new(),
            wishes: Vec::new(),
            doing: Doing::Nothing,
            full: false,
            fault: false,
            tally,
        }
    }

    fn live(&mut self, plan: &ArenaPlan) -> Verdict {
        self.start(self.chance.percent(50))?;
        for _ in 0..plan.lives {
            let before = self.tally.operations;
            while self.tally.operations < before + u64::from(plan.operations) {
                self.operate()?;
            }
            let cut_next_start = self.end_life()?;
            self.tally.cuts += 1;
            self.start(cut_next_start)?;
        }
        Ok(())
    }

    /// Starts on whatever the disk holds, with the power going in the middle of it
    /// if so ordered.
    fn start(&mut self, cut: bool) -> Verdict {
        (self.full, self.fault) = (false, false);
        self.disk.set_capacity(u64::MAX);
        self.disk.clear_faults();
        if cut {
            // The first start makes the file, the others write its header.
            let changes =
                if self.tally.unclean_starts + self.tally.clean_starts == 0 { 9 } else { 2 };
            self.disk.arm_crash_at(self.chance.below(changes));
        }
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        self.doing = Doing::Start;
        let options = self.options.clone();
        match Arena::open(&disk, Path::new(ARENA), STORE, &self.kernel, options) {
            Ok((arena, report)) => {
                let starts = if report.clean {
                    &mut self.tally.clean_starts
                } else {
                    &mut self.tally.unclean_starts
                };
                *starts += u64::from(!report.created);
                self.arena = Some(Arc::new(arena));
            }
            Err(_) if self.disk.is_off() => {
                self.tally.cuts_in_start += 1;
                self.judge.stopped_unclean();
                self.crash();
                return self.start(false);
            }
            Err(error) => return Err(format!("the arena does not start: {error}")),
        }
        self.doing = Doing::Nothing;
        self.judge_bounds()
    }

    /// What is durable now must cover whatever any consumer ever got.
    fn judge_bounds(&mut self) -> Verdict {
        let arena = self.arena();
        for (number, top) in self.judge.tops() {
            match arena.bound(number) {
                Ok(bound) if bound >= top => {}
                Ok(bound) => {
                    let number = number.0;
                    return Err(format!("counter {number} gave {top}, its bound was {bound}"));
                }
                Err(CounterError::NotCreated { .. }) if top == 0 => {}
                Err(_) if self.disk.is_off() => return Ok(()),
                Err(error) => return Err(format!("after {top}: {error}")),
            }
        }
        Ok(())
    }

    fn arena(&self) -> Arc<Arena> {
        Arc::clone(self.arena.as_ref().expect("the arena is running"))
    }

    /// The process is gone.
    fn forget(&mut self) {
        self.arena = None;
        self.handles.clear();
        self.wishes.clear();
    }

    /// The power goes, if it has not, and comes back.
    fn crash(&mut self) {
        if self.arena.is_some() {
            self.judge.stopped_unclean();
        }
        self.forget();
        self.kernel.forget();
        let seed = self.chance.next();
        self.tally.met += &self.disk.crash(seed);
    }

    /// What a refused call means here: `None` if it was to be expected.
    fn heed<T>(&mut self, result: Result<T, CounterError>) -> Verdict<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.disk.is_off() => Ok(None),
            Err(CounterError::DiskFull { .. }) if self.full => {
                self.tally.refused_full += 1;
                Ok(None)
            }
            Err(CounterError::Failed { .. }) if self.fault => Ok(None),
            Err(error) => Err(format!("refused without a reason: {error}")),
        }
    }
}
