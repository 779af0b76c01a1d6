//! What a scan reads: ranges of offsets, fixed when the query is planned.

use crate::offset_set::OffsetSet;
use pyralog_partition::Watermarks;

/// Records of one partition, below the high watermark of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetRange {
    /// The partition.
    pub(crate) partition: u32,
    /// The first offset.
    pub(crate) from: u64,
    /// One past the last offset.
    pub(crate) to: u64,
    /// The epoch of the leadership when it was fixed.
    pub(crate) epoch: u32,
}

impl OffsetRange {
    /// Number of offsets, and of records if the log was never compacted.
    pub(crate) fn records(&self) -> u64 {
        self.to - self.from
    }
}

/// Number of records in all of them.
pub(crate) fn records(ranges: &[OffsetRange]) -> u64 {
    ranges.iter().map(OffsetRange::records).sum()
}

/// The ranges of a partition that exist and are in `set`.
pub(crate) fn of_partition(
    partition: u32,
    watermarks: Watermarks,
    set: &OffsetSet,
) -> impl Iterator<Item = OffsetRange> {
    let kept = i128::from(watermarks.log_start.0)..i128::from(watermarks.high.0);
    let epoch = watermarks.epoch.0;
    let set = set.intersection(&OffsetSet::range(kept));
    let ranges = set.ranges().to_vec().into_iter();
    ranges.map(move |range| OffsetRange { partition, from: range.start, to: range.end, epoch })
}

/// The first `records` of them.
pub(crate) fn first(ranges: Vec<OffsetRange>, records: u64) -> Vec<OffsetRange> {
    let mut left = records;
    let mut kept = Vec::new();
    for range in ranges {
        if left == 0 {
            break;
        }
        let taken = left.min(range.records());
        kept.push(OffsetRange { to: range.from + taken, ..range });
        left -= taken;
    }
    kept
}

/// The same records in at most `groups` groups of about one size, which are read at the
/// same time, none of them below `records_min` but the last. Order is kept.
pub(crate) fn divided(
    ranges: &[OffsetRange],
    groups: usize,
    records_min: u64,
) -> Vec<Vec<OffsetRange>> {
    let target = records(ranges).div_ceil(groups.max(1) as u64).max(records_min).max(1);
    let mut divided = vec![Vec::new()];
    let mut room = target;
    for range in ranges {
        let mut rest = *range;
        while rest.records() > 0 {
            if room == 0 {
                divided.push(Vec::new());
                room = target;
            }
            let taken = room.min(rest.records());
            let group = divided.last_mut().expect("there is a group from the start");
            group.push(OffsetRange { to: rest.from + taken, ..rest });
            rest.from += taken;
            room -= taken;
        }
    }
    divided
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges() -> impl Strategy<Value = Vec<OffsetRange>> {
        proptest::collection::vec((0..3_u32, 0..50_u64, 1..40_u64), 0..6).prop_map(|all| {
            let range =
                |(partition, from, len)| OffsetRange { partition, from, to: from + len, epoch: 0 };
            all.into_iter().map(range).collect()
        })
    }

    fn places(ranges: &[OffsetRange]) -> Vec<(u32, u64)> {
        let one = |range: &OffsetRange| {
            (range.from..range.to).map(|offset| (range.partition, offset)).collect::<Vec<_>>()
        };
        ranges.iter().flat_map(one).collect()
    }

    proptest! {
        #[test]
        fn dividing_loses_and_moves_nothing(
            ranges in ranges(), groups in 1..9_usize, least in 0..30_u64,
        ) {
            let divided = divided(&ranges, groups, least);
            prop_assert!(divided.len() <= groups);
            prop_assert_eq!(places(&divided.concat()), places(&ranges));
            if let Some((_last, others)) = divided.split_last() {
                prop_assert!(others.iter().all(|group| records(group) >= least));
            }
        }

        #[test]
        fn the_first_are_the_first(ranges in ranges(), count in 0..90_u64) {
            let mut expect = places(&ranges);
            expect.truncate(count as usize);
            prop_assert_eq!(places(&first(ranges, count)), expect);
        }
    }
}
