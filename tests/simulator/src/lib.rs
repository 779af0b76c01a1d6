//! The storage engine in a world that loses power, and counters in one whose
//! clocks jump as well.
//!
//! One *world* is a simulated disk and a store that lives on it through many
//! lives. In each life a few hundred operations of every kind reach the real
//! committer, segment writer and checkpoint database; then the power goes in the
//! middle of something, the store starts again, and a judge who kept his own
//! list of what was acknowledged reads everything back.
//!
//! ```text
//!  seed ──▶ World ──operations──▶ Engine ──▶ pyralog-log, pyralog-meta ──▶ SimDisk
//!             │                     │                                       │
//!             └──what was answered──┴──▶ Judge ◀──what is there after a cut─┘
//! ```
//!
//! The [arena world](run_arena_world) does the same to the counters of an Obelisk,
//! and the [lane world](run_lane_world) to the lanes that a directory leases to
//! several nodes: their judges keep what consumers were given, for ever, and look
//! for a value twice.
//!
//! The [mixed world](run_mixed_world) has logs that promise less than a sync beside those
//! that promise all: each is held to its own word.
//!
//! The [group world](run_group_world) is of another kind: no disk, but a coordinator of
//! consumer groups, clients that stall and die, and a judge of what they were told.
//!
//! Everything follows from the seed, so a failing seed is the whole bug report.

mod arena_world;
mod batches;
mod chance;
mod engine;
mod group_world;
mod judge;
mod lane_world;
mod mixed_world;
mod seeded;
mod tally;
mod world;

pub use arena_world::{ArenaPlan, ArenaTally, run_arena_world};
pub use group_world::{GroupPlan, GroupTally, run_group_world};
pub use lane_world::{LaneBug, LanePlan, LaneTally, run_lane_world};
pub use mixed_world::{MixedPlan, MixedTally, run_mixed_world};
pub use tally::Tally;
pub use world::{Plan, run_world};
