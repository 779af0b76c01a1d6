//! A set of offsets: what a predicate over `_offset` leaves of a partition.

use std::ops::Range;

/// One past the greatest offset.
const END: u64 = 1 << 63;

/// Sorted ranges, none of them empty, with gaps between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OffsetSet(Vec<Range<u64>>);

impl OffsetSet {
    /// No offset.
    pub(crate) fn none() -> OffsetSet {
        OffsetSet(Vec::new())
    }

    /// Every offset.
    pub(crate) fn all() -> OffsetSet {
        OffsetSet(Vec::from([Range { start: 0, end: END }]))
    }

    /// The offsets of a range, whose ends may lie anywhere.
    pub(crate) fn range(range: Range<i128>) -> OffsetSet {
        let clip = |end: i128| end.clamp(0, i128::from(END)) as u64;
        let range = clip(range.start)..clip(range.end);
        OffsetSet(if range.is_empty() { Vec::new() } else { vec![range] })
    }

    /// How many ranges it takes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The ranges, in order.
    pub(crate) fn ranges(&self) -> &[Range<u64>] {
        &self.0
    }

    pub(crate) fn union(mut self, other: OffsetSet) -> OffsetSet {
        self.0.extend(other.0);
        self.0.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::with_capacity(self.0.len());
        for range in self.0 {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        OffsetSet(merged)
    }

    pub(crate) fn complement(&self) -> OffsetSet {
        let mut rest = Vec::with_capacity(self.0.len() + 1);
        let mut from = 0;
        for range in &self.0 {
            if from < range.start {
                rest.push(from..range.start);
            }
            from = range.end;
        }
        if from < END {
            rest.push(from..END);
        }
        OffsetSet(rest)
    }

    pub(crate) fn intersection(&self, other: &OffsetSet) -> OffsetSet {
        let mut both = Vec::new();
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (from, to) = (a.start.max(b.start), a.end.min(b.end));
            if from < to {
                both.push(from..to);
            }
            if a.end <= b.end {
                left.next();
            } else {
                right.next();
            }
        }
        OffsetSet(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACES: u64 = 40;

    fn holds(set: &OffsetSet, offset: u64) -> bool {
        set.ranges().iter().any(|range| range.contains(&offset))
    }

    fn sets() -> impl Strategy<Value = OffsetSet> {
        proptest::collection::vec((0..PLACES as i128, 0..6_i128), 0..6).prop_map(|ranges| {
            let ranges = ranges.into_iter().map(|(from, len)| OffsetSet::range(from..from + len));
            ranges.fold(OffsetSet::none(), OffsetSet::union)
        })
    }

    fn is_tidy(set: &OffsetSet) -> bool {
        let ranges = set.ranges();
        ranges.iter().all(|range| !range.is_empty())
            && ranges.windows(2).all(|pair| pair[0].end < pair[1].start)
    }

    proptest! {
        #[test]
        fn sets_do_what_sets_of_single_offsets_do(a in sets(), b in sets()) {
            let (both, either, rest) = (a.intersection(&b), a.clone().union(b.clone()), a.complement());
            prop_assert!([&both, &either, &rest].into_iter().all(is_tidy));
            for offset in 0..PLACES + 8 {
                let (in_a, in_b) = (holds(&a, offset), holds(&b, offset));
                prop_assert_eq!(holds(&both, offset), in_a && in_b);
                prop_assert_eq!(holds(&either, offset), in_a || in_b);
                prop_assert_eq!(holds(&rest, offset), !in_a);
            }
        }
    }

    #[test]
    fn ends_outside_the_offsets_are_clipped() {
        assert_eq!(OffsetSet::range(-5..3), OffsetSet(Vec::from([Range { start: 0, end: 3 }])));
        assert_eq!(OffsetSet::range(i128::MIN..i128::MAX), OffsetSet::all());
        assert_eq!(OffsetSet::range(7..7), OffsetSet::none());
        assert_eq!(OffsetSet::all().complement(), OffsetSet::none());
        assert_eq!(OffsetSet::none().complement(), OffsetSet::all());
    }
}
