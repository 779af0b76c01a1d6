//! Scarab ids: unique, ordered by time, 64 bits.
//!
//! ```text
//! bit 63                          23 22       13 12            0
//!     ├────────────────────────────┼───────────┼───────────────┤
//!     │ milliseconds since 2025    │ lane      │ sequence      │
//!     │ 41 bits, until 2094        │ 10 bits   │ 13 bits       │
//!     └────────────────────────────┴───────────┴───────────────┘
//! ```
//!
//! Milliseconds and sequence together are one logical clock of 54 bits, so that
//! counting on past the end of a millisecond carries into the next one, over the
//! lane. Two generators never share a lane at the same time of that clock; that,
//! and not any wall clock, is what makes ids unique.

use serde::{Deserialize, Serialize};
use std::fmt;

/// 2025-01-01T00:00:00Z in milliseconds since 1970.
pub const SCARAB_EPOCH_MS: u64 = 1_735_689_600_000;

const SEQUENCE_BITS: u32 = 13;
const LANE_BITS: u32 = 10;
const MILLIS_BITS: u32 = 41;
const SEQUENCE_MASK: u64 = (1 << SEQUENCE_BITS) - 1;
const LANE_MASK: u64 = (1 << LANE_BITS) - 1;
const _: () = assert!(SEQUENCE_BITS + LANE_BITS + MILLIS_BITS == u64::BITS);

/// One of 1,024 lanes, each of which one generator uses at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lane(u16);

impl Lane {
    /// How many there are.
    pub const COUNT: u16 = 1 << LANE_BITS;

    /// The lane of this number; `None` past the last.
    pub fn new(number: u16) -> Option<Lane> {
        (number < Lane::COUNT).then_some(Lane(number))
    }

    /// Its number.
    pub fn number(self) -> u16 {
        self.0
    }
}

/// A time of the logical clock: milliseconds since 2025 and a sequence, 54 bits.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LogicalClock(pub u64);

impl LogicalClock {
    /// How many ids one lane has in a millisecond.
    pub const PER_MILLISECOND: u64 = 1 << SEQUENCE_BITS;
    /// The last time there is.
    pub const MAX: LogicalClock = LogicalClock((1 << (MILLIS_BITS + SEQUENCE_BITS)) - 1);

    /// The beginning of a millisecond, given since 1970; the clock's beginning for
    /// times before it and its end for times past it.
    pub fn at_unix_ms(unix_ms: u64) -> LogicalClock {
        let millis = unix_ms.saturating_sub(SCARAB_EPOCH_MS).min((1 << MILLIS_BITS) - 1);
        LogicalClock(millis << SEQUENCE_BITS)
    }

    /// Its millisecond, since 1970.
    pub fn unix_ms(self) -> u64 {
        (self.0 >> SEQUENCE_BITS) + SCARAB_EPOCH_MS
    }

    /// `count` ids later; stays at the end of the clock.
    pub fn plus(self, count: u64) -> LogicalClock {
        LogicalClock(self.0.saturating_add(count).min(LogicalClock::MAX.0))
    }

    /// Milliseconds later; stays at the end of the clock.
    pub fn plus_ms(self, millis: u64) -> LogicalClock {
        self.plus(millis.saturating_mul(LogicalClock::PER_MILLISECOND))
    }
}

/// A unique id. Never 0, which stands for "no id" where bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScarabId(pub u64);

impl ScarabId {
    /// The id of a lane at a time.
    pub fn compose(clock: LogicalClock, lane: Lane) -> ScarabId {
        let (millis, sequence) = (clock.0 >> SEQUENCE_BITS, clock.0 & SEQUENCE_MASK);
        let lane = u64::from(lane.0) << SEQUENCE_BITS;
        ScarabId(millis << (SEQUENCE_BITS + LANE_BITS) | lane | sequence)
    }

    /// Its time.
    pub fn clock(self) -> LogicalClock {
        let millis = self.0 >> (SEQUENCE_BITS + LANE_BITS);
        LogicalClock(millis << SEQUENCE_BITS | self.0 & SEQUENCE_MASK)
    }

    /// Its lane.
    pub fn lane(self) -> Lane {
        Lane((self.0 >> SEQUENCE_BITS & LANE_MASK) as u16)
    }

    /// Its place in its millisecond.
    pub fn sequence(self) -> u16 {
        (self.0 & SEQUENCE_MASK) as u16
    }

    /// The `index`-th id of a block that begins here: the clock is added to, and
    /// carries over the lane.
    pub fn nth(self, index: u64) -> ScarabId {
        ScarabId::compose(self.clock().plus(index), self.lane())
    }
}

impl fmt::Display for ScarabId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_they_were_composed_of() {
        for (clock, lane) in [(0, 0), (1, 1), (8191, 1023), (8192, 512), (LogicalClock::MAX.0, 7)] {
            let id = ScarabId::compose(LogicalClock(clock), Lane(lane));
            assert_eq!((id.clock().0, id.lane().number()), (clock, lane));
        }
        assert_eq!(ScarabId::compose(LogicalClock::MAX, Lane(1023)), ScarabId(u64::MAX));
    }

    #[test]
    fn a_block_carries_over_the_lane() {
        let base = ScarabId::compose(LogicalClock(8190), Lane(1023));
        let block: Vec<ScarabId> = (0..4).map(|index| base.nth(index)).collect();
        assert!(block.is_sorted_by(|a, b| a < b));
        assert!(block.iter().all(|id| id.lane() == Lane(1023)));
        assert_eq!(block[2].clock(), LogicalClock(8192));
        assert_eq!(block[3].sequence(), 1);
    }

    #[test]
    fn times_outside_the_clock_stay_at_its_ends() {
        assert_eq!(LogicalClock::at_unix_ms(0), LogicalClock(0));
        assert_eq!(LogicalClock::at_unix_ms(SCARAB_EPOCH_MS + 5).0, 5 << 13);
        assert!(LogicalClock::at_unix_ms(u64::MAX) <= LogicalClock::MAX);
        assert_eq!(LogicalClock::MAX.plus_ms(u64::MAX), LogicalClock::MAX);
    }
}
