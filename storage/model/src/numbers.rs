//! One number space, one type: an offset never meets an epoch in an addition.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The place of a record in its partition: contiguous from 0, for ever.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Offset(pub u64);

impl Offset {
    /// The first offset of every partition.
    pub const ZERO: Offset = Offset(0);

    /// The offset `count` records later. Offsets stay below 2⁶³, as Kafka
    /// carries them in a signed field; the record count of a batch is below 2³¹.
    pub fn plus(self, count: u64) -> Offset {
        let next = self.0.checked_add(count).expect("offsets stay below 2^63");
        assert!(next <= i64::MAX as u64, "offsets stay below 2^63");
        Offset(next)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a leadership of one partition. Below 2³¹, as Kafka carries it.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The greatest epoch that Kafka's signed field can carry.
    pub const MAX: Epoch = Epoch(i32::MAX as u32);
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Log sequence number: the place of a frame in the order in which one store
/// took it. Grows over all partitions of a data directory and over restarts, so
/// that recovery can tell which of two frames for one offset is the younger.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Lsn(pub u64);

impl Lsn {
    /// The next number.
    pub fn next(self) -> Lsn {
        Lsn(self.0.checked_add(1).expect("2^64 frames are not reached"))
    }
}
