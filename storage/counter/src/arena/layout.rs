//! Where everything lies in the file.

use crate::copies::BLOCK_BYTES;
use crate::entry::ENTRY_BYTES;
use pyralog_model::CounterNumber;

/// Counters whose entries share a block.
pub(crate) const GROUP: u64 = (BLOCK_BYTES / ENTRY_BYTES) as u64;
const SLOT_BYTES: u64 = 64;
/// Slots begin here: a multiple of every page size there is.
pub(super) const SLOTS_AT: u64 = 64 << 10;
const GROUP_SLOTS_BYTES: u64 = GROUP * SLOT_BYTES;
const PAIR_BYTES: u64 = 2 * BLOCK_BYTES as u64;
/// The smallest file: a MiB, 7,680 counters.
pub(super) const FILE_BYTES_MIN: u64 = 1 << 20;

const _: () = assert!(GROUP == 128);
// A page of slots is never shared with the durable blocks.
const _: () = assert!(GROUP_SLOTS_BYTES.is_multiple_of(4096));

/// The lengths that the header keeps: they follow from the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) file_bytes: u64,
}

impl Layout {
    fn groups(self) -> u64 {
        self.file_bytes.saturating_sub(SLOTS_AT) / (GROUP_SLOTS_BYTES + PAIR_BYTES)
    }

    /// How many counters have slots: numbers below it.
    pub(crate) fn counters_max(self) -> u64 {
        self.groups() * GROUP
    }

    /// Where the durable blocks begin.
    pub(crate) fn durable_at(self) -> u64 {
        SLOTS_AT + self.groups() * GROUP_SLOTS_BYTES
    }

    /// Length of a pair of durable blocks.
    pub(crate) fn pair_bytes(self) -> u64 {
        PAIR_BYTES
    }

    /// The pair of durable blocks of a group of counters.
    pub(crate) fn pair_at(self, group: u64) -> u64 {
        self.durable_at() + group * PAIR_BYTES
    }
}

/// Where a counter's slot begins.
pub(crate) fn slot_at(number: CounterNumber) -> u64 {
    SLOTS_AT + number.0 * SLOT_BYTES
}

/// The group that a counter is in.
pub(super) fn group_of(number: CounterNumber) -> u64 {
    number.0 / GROUP
}

/// Its place in the group.
pub(super) fn place_of(number: CounterNumber) -> usize {
    (number.0 % GROUP) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_fit() {
        for file_bytes in [FILE_BYTES_MIN, 1_000_000_000_000, 1 << 40, (1 << 40) + 12_345] {
            let layout = Layout { file_bytes };
            let last = CounterNumber(layout.counters_max() - 1);
            assert!(slot_at(last) + SLOT_BYTES <= layout.durable_at());
            assert!(layout.pair_at(group_of(last)) + PAIR_BYTES <= file_bytes);
            assert!(layout.durable_at().is_multiple_of(4096));
        }
        assert_eq!(Layout { file_bytes: FILE_BYTES_MIN }.counters_max(), 7_680);
        assert!(Layout { file_bytes: 1 << 40 }.counters_max() > 1 << 32);
    }
}
