//! Lanes of Scarab ids and the parts of the logical clock they were leased for.
//!
//! A lane is never leased for a time before the end of any earlier lease of it:
//! that alone makes ids unique, whatever clocks say.

use crate::entry::LaneEntry;
use pyralog_model::{Incarnation, Lane, LogicalClock, NodeNumber};
use std::collections::BTreeMap;

/// The longest lease in milliseconds.
pub const TERM_MS_MAX: u32 = 3_600_000;

/// Every lane that was ever leased, and the latest clock of a grantor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lanes {
    pub(crate) clock: LogicalClock,
    pub(crate) leased: BTreeMap<Lane, LaneEntry>,
}

impl Lanes {
    pub(crate) fn held_by(&self, holder: (NodeNumber, Incarnation)) -> Option<&LaneEntry> {
        self.leased.values().find(|entry| entry.holder == Some(holder))
    }

    /// A lane whose last lease ends by `start`: one that never had any if there
    /// is one, else the one that is free for longest.
    pub(crate) fn free_at(&self, start: LogicalClock) -> Option<Lane> {
        let never = (0..Lane::COUNT).filter_map(Lane::new);
        never.into_iter().find(|lane| !self.leased.contains_key(lane)).or_else(|| {
            let earliest = self.leased.values().min_by_key(|entry| (entry.to, entry.lane))?;
            (earliest.to <= start).then_some(earliest.lane)
        })
    }

    /// Until the first lease ends, seen from `start`.
    pub(crate) fn free_in_ms(&self, start: LogicalClock) -> u64 {
        let earliest = self.leased.values().map(|entry| entry.to).min().unwrap_or_default();
        earliest.0.saturating_sub(start.0).div_ceil(LogicalClock::PER_MILLISECOND)
    }

    pub(crate) fn end_of(&self, lane: Lane) -> LogicalClock {
        self.leased.get(&lane).map_or(LogicalClock(0), |entry| entry.to)
    }
}
