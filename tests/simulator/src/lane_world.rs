//! The lane world: one directory that leases lanes of Scarab ids, three nodes that
//! issue in them, and clocks that nobody should trust.
//!
//! Each node has a disk that loses power and a wall clock that jumps; so has the
//! Obelisk, whose directory is kept (that is `power.rs`'s business). Answers get
//! lost on the way. Now and then a copy of a running node goes on beside it.

mod ends;
mod grantor;
mod judge;
mod node;
mod operations;

use crate::chance::Chance;
use crate::judge::Verdict;
use crate::seeded::run_seed;
use crate::tally::tally;
use grantor::Grantor;
use judge::Judge;
use node::Node;

const NODES: usize = 3;

/// A bug that lives in a lane world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneBug {
    /// The directory's: a lane is given again below the end of its last lease.
    LaneReissued,
    /// The lane clock's: the ids of a block are made by XOR.
    XorInsteadOfCarry,
    /// Of whoever raises the local bound: used before it is synced.
    BoundNotSyncedFirst,
}

/// How long a world is, and which bug lives in it.
#[derive(Debug, Clone, Copy)]
pub struct LanePlan {
    /// Power cuts, each of one node.
    pub lives: u32,
    /// Operations before each of them, at the least.
    pub operations: u32,
    /// A planted bug.
    pub bug: Option<LaneBug>,
}

impl Default for LanePlan {
    fn default() -> LanePlan {
        LanePlan { lives: 8, operations: 200, bug: None }
    }
}

tally! {
    /// Counts over one lane world or many.
    LaneTally {
        worlds: "worlds",
        cuts: "power cuts of a node after 200 operations or more",
        cuts_in_raise: "power cuts while a bound was raised",
        cuts_in_start: "power cuts while the file of the bound was made",
        cuts_after_start: "power cuts in the first raise after a start",
        cuts_at_rest: "power cuts between two operations",
        operations: "operations",
        claims: "claims",
        ids: "ids issued",
        causal: "causal claims",
        carried: "claims that carried into the next millisecond",
        claims_in_flight: "claims while a raise was in flight",
        raises: "bounds raised",
        refused_not_durable: "claims refused for the local bound",
        refused_ahead: "claims refused for running ahead",
        refused_exhausted: "claims refused for the lease",
        starts: "starts of nodes",
        starts_repeated: "starts asked for again",
        kills: "kills",
        clean_stops: "clean stops",
        leases: "leases of another lane",
        reused: "lanes leased again",
        extensions: "extensions of a lease",
        answers_lost: "answers lost",
        releases: "lanes released",
        lanes_exhausted: "leases refused: no lane was free",
        fenced: "requests of an old start refused",
        old_grants: "releases of an older grant refused",
        copies: "copies that went on beside their node",
        copy_claims: "claims by such copies",
        obelisk_restarts: "restarts of the Obelisk",
        jumps_ahead: "jumps of the Obelisk's wall ahead",
        jumps_back: "jumps of the Obelisk's wall back",
        node_jumps: "jumps of a node's wall",
        days: "jumps by a day",
        repeated: "operations in a repeated millisecond",
        late: "waits beyond the end of a lease",
    }
}

/// Lets a lane world run from its seed.
///
/// # Errors
/// What was issued twice or out of order, with the seed that repeats it.
pub fn run_lane_world(seed: u64, plan: &LanePlan) -> Result<LaneTally, String> {
    run_seed(seed, || {
        let mut world = LaneWorld::new(seed, plan);
        let lived = world.live(plan);
        lived.map_err(|what| format!("life {}: {what}", world.tally.cuts))?;
        Ok(world.tally)
    })
}

struct LaneWorld {
    chance: Chance,
    grantor: Grantor,
    nodes: Vec<Node>,
    judge: Judge,
    bug: Option<LaneBug>,
    tally: LaneTally,
}

impl LaneWorld {
    fn new(seed: u64, plan: &LanePlan) -> LaneWorld {
        let chance = Chance::new(seed ^ 0x1a9e);
        let mut grantor = Grantor::new(chance.percent(25));
        if plan.bug == Some(LaneBug::LaneReissued) {
            grantor.plant();
        }
        let nodes = (0..NODES).map(|number| Node::new(number, &chance)).collect();
        LaneWorld {
            chance,
            grantor,
            nodes,
            judge: Judge::new(NODES),
            bug: plan.bug,
            tally: LaneTally { worlds: 1, ..LaneTally::default() },
        }
    }

    fn live(&mut self, plan: &LanePlan) -> Verdict {
        for node in 0..NODES {
            self.start(node, self.chance.percent(50))?;
        }
        for _ in 0..plan.lives {
            let before = self.tally.operations;
            while self.tally.operations < before + u64::from(plan.operations) {
                self.operate()?;
            }
            self.end_life()?;
            self.tally.cuts += 1;
        }
        Ok(())
    }
}
