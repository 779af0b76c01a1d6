//! Looking into an arena and a bound file, whatever became of them, without changing
//! a byte: both copies of everything, and where the next start would go on.
//!
//! ```text
//!  arena ──ArenaWalk──▶ counter, counter, … with what each copy of its entry says
//!  lane  ──BoundView──▶ both copies of the bound
//! ```
//!
//! A file of a terabyte with ten counters is read in a moment: holes are passed over.

mod arena;
mod audit;
mod bound;

pub use arena::{ArenaCounter, ArenaHeader, ArenaWalk, HeaderCopy};
pub use audit::{audit_arena, audit_bound};
pub use bound::BoundView;

use crate::entry::Kept;

/// What one copy of an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryCopy {
    /// It was never written.
    Empty,
    /// It is whole.
    Whole {
        /// No value above it was ever issued.
        bound: u64,
        /// The start that raised it.
        incarnation: u64,
        /// Of two copies the greater one counts.
        seq: u64,
    },
    /// It is torn, rotten, or of another store or counter.
    Damaged,
}

impl EntryCopy {
    fn of(kept: Kept) -> EntryCopy {
        match kept {
            Kept::Empty => EntryCopy::Empty,
            Kept::Damaged => EntryCopy::Damaged,
            Kept::Entry(entry) => EntryCopy::Whole {
                bound: entry.bound,
                incarnation: entry.incarnation,
                seq: entry.seq,
            },
        }
    }
}
