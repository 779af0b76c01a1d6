//! The judge of the arena world: what consumers got, for ever, and nothing that
//! the arena says of itself.

use crate::judge::Verdict;
use pyralog_model::CounterNumber;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Record {
    /// The greatest value that a consumer got.
    top: u64,
    /// How many values may be left out before the next one.
    gap_max: u64,
    /// The most values asked for at once: a raise covers them.
    asked: u64,
    /// There was an end since the last claim.
    ended: bool,
}

/// How a claim followed the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// In the same life.
    Densely,
    /// Over clean ends only.
    Exactly,
    /// Over an unclean end, leaving out so many.
    WithGap(u64),
}

#[derive(Debug)]
pub(super) struct Judge {
    records: BTreeMap<CounterNumber, Record>,
    /// Values per raise.
    block: u64,
}

impl Judge {
    pub(super) fn new(block: u64) -> Judge {
        Judge { records: BTreeMap::new(), block }
    }

    /// A counter is to exist from now on.
    pub(super) fn created(&mut self, number: CounterNumber) {
        self.records.entry(number).or_default();
    }

    /// Every counter, and the greatest value that a consumer got of it.
    pub(super) fn tops(&self) -> Vec<(CounterNumber, u64)> {
        self.records.iter().map(|(number, record)| (*number, record.top)).collect()
    }

    /// So many values of it are asked for in one raise.
    pub(super) fn asked(&mut self, number: CounterNumber, count: u64) {
        let record = self.records.entry(number).or_default();
        record.asked = record.asked.max(count);
    }

    /// A consumer got `count` values from `first` on.
    pub(super) fn claimed(
        &mut self,
        number: CounterNumber,
        first: u64,
        count: u64,
    ) -> Verdict<Followed> {
        let record = self.records.entry(number).or_default();
        let Record { top, gap_max, ended, .. } = *record;
        let number = number.0;
        if first <= top {
            return Err(format!("counter {number} gave {first} again, after {top}"));
        }
        let gap = first - top - 1;
        if gap > gap_max {
            return Err(format!("counter {number} left out {gap} after {top}, not {gap_max}"));
        }
        (record.top, record.gap_max, record.ended) = (first + count - 1, 0, false);
        Ok(match (ended, gap_max) {
            (false, _) => Followed::Densely,
            (true, 0) => Followed::Exactly,
            (true, _) => Followed::WithGap(gap),
        })
    }

    /// The arena has ended cleanly: nothing may be left out for that.
    pub(super) fn stopped_clean(&mut self) {
        self.records.values_mut().for_each(|record| record.ended = true);
    }

    /// The arena has ended otherwise: it goes on at its bound.
    pub(super) fn stopped_unclean(&mut self) {
        for record in self.records.values_mut() {
            record.gap_max += self.block.max(record.asked);
            record.ended = true;
        }
    }
}
