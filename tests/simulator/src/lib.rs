//! The storage engine in a world that loses power.
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
//! Everything follows from the seed, so a failing seed is the whole bug report.

mod batches;
mod chance;
mod engine;
mod judge;
mod tally;
mod world;

pub use tally::Tally;
pub use world::{Plan, run_world};
