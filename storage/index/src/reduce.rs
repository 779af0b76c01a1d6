//! Which versions of a key an index keeps.
//!
//! A reducer sees versions of one key, newest first, and drops some. It is asked for
//! parts of a key's versions in any grouping: when a file is built, and again when
//! files are merged. So it must give the same however they are grouped:
//! `reduce(reduce(a) ∪ reduce(b)) = reduce(a ∪ b)`, and at least one version stays.
//!
//! Two keys that share a hash must not reduce each other. Reducers that drop versions
//! therefore keep a second hash with each of them, and are asked per pair of hashes.

use crate::Version;
use std::cmp::Reverse;

/// A rule about which versions stay.
pub trait Reduce: Send + Sync {
    /// The number that files carry. Those of [`Reducer`] are below 256, those of
    /// others are not.
    fn id(&self) -> u16;
    /// Drops versions of one key, given newest first; keeps their order.
    fn reduce(&self, versions: &mut Vec<Version>);
    /// True if nothing is ever dropped: then versions need neither rank nor check.
    fn keeps_all(&self) -> bool {
        false
    }
}

/// The rules that everybody needs. Numbers are of the format, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Reducer {
    /// Every version stays; what logs use.
    All = 0,
    /// The version with the greatest offset.
    Last = 1,
    /// The version with the smallest offset.
    First = 2,
    /// The version with the greatest rank; of equal ones the newest.
    Max = 3,
    /// The version with the smallest rank, 1 going before 2; of equal ones the oldest:
    /// who came first is served first.
    Priority = 4,
    /// The version with the greatest rank, which is a time; of equal ones the newest.
    Timestamp = 5,
}

impl Reduce for Reducer {
    fn id(&self) -> u16 {
        *self as u16
    }

    fn reduce(&self, versions: &mut Vec<Version>) {
        let kept = match self {
            Reducer::All => return,
            Reducer::Last => versions.iter().max_by_key(|version| version.offset),
            Reducer::First => versions.iter().min_by_key(|version| version.offset),
            Reducer::Max | Reducer::Timestamp => {
                versions.iter().max_by_key(|version| (version.rank, version.offset))
            }
            Reducer::Priority => {
                versions.iter().min_by_key(|version| (version.rank, version.offset))
            }
        };
        let kept = kept.copied();
        versions.clear();
        versions.extend(kept);
    }

    fn keeps_all(&self) -> bool {
        *self == Reducer::All
    }
}

/// Versions gathered before they are reduced once, so that a key with a million of
/// them needs no more memory than one with a thousand.
const GATHERED_MAX: usize = 1024;

/// The versions of one hash, reduced as they come.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    versions: Vec<Version>,
    reduce_at: usize,
}

impl Gathered {
    pub(crate) fn push(&mut self, version: Version, reducer: &dyn Reduce) {
        self.versions.push(version);
        if self.versions.len() >= self.reduce_at.max(GATHERED_MAX) {
            self.reduce(reducer);
            // A rule of the caller's own may keep many: do not ask it at every push.
            self.reduce_at = self.versions.len() * 2;
        }
    }

    /// What stays, newest first; begins anew.
    pub(crate) fn take(&mut self, reducer: &dyn Reduce) -> Vec<Version> {
        self.reduce(reducer);
        self.reduce_at = 0;
        std::mem::take(&mut self.versions)
    }

    fn reduce(&mut self, reducer: &dyn Reduce) {
        let one_key = self.versions.windows(2).all(|pair| pair[0].check == pair[1].check);
        if one_key {
            return reducer.reduce(&mut self.versions);
        }
        let mut mixed = std::mem::take(&mut self.versions);
        mixed.sort_unstable_by_key(|version| (version.check, Reverse(version.offset)));
        for key in mixed.chunk_by(|a, b| a.check == b.check) {
            let mut key = key.to_vec();
            reducer.reduce(&mut key);
            self.versions.append(&mut key);
        }
        self.versions.sort_unstable_by_key(|version| Reverse(version.offset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pyralog_model::Offset;

    const BUILT_IN: [Reducer; 6] = [
        Reducer::All,
        Reducer::Last,
        Reducer::First,
        Reducer::Max,
        Reducer::Priority,
        Reducer::Timestamp,
    ];

    fn gathered(reducer: Reducer, versions: &[Version]) -> Vec<Version> {
        let mut gathered = Gathered::default();
        versions.iter().rev().for_each(|version| gathered.push(*version, &reducer));
        gathered.take(&reducer)
    }

    #[test]
    fn each_rule_keeps_what_it_says() {
        let ranks = [5, 9, 2, 9, 2, 7];
        let version = |(offset, rank): (u64, &i64)| Version {
            rank: *rank,
            ..Version::at(Offset(offset), false)
        };
        let versions: Vec<Version> = (10..).zip(&ranks).map(version).collect();
        let kept = BUILT_IN[1..].iter().map(|reducer| gathered(*reducer, &versions)[0].offset.0);
        assert_eq!(kept.collect::<Vec<_>>(), [15, 10, 13, 12, 13]);
        assert_eq!(gathered(Reducer::All, &versions).len(), 6);
        let ids: Vec<u16> = BUILT_IN.iter().map(Reduce::id).collect();
        assert_eq!(ids, [0, 1, 2, 3, 4, 5]);
    }

    proptest! {
        #[test]
        fn grouping_makes_no_difference(
            ranks in proptest::collection::vec((-2i64..3, 0u64..3), 1..40),
            cut in any::<proptest::sample::Index>(),
        ) {
            let version = |(offset, (rank, check)): (u64, &(i64, u64))| Version {
                rank: *rank, check: *check, ..Version::at(Offset(offset), false)
            };
            let versions: Vec<Version> = (0..).zip(&ranks).map(version).collect();
            let (old, new) = versions.split_at(cut.index(versions.len()));
            for reducer in BUILT_IN {
                let whole = gathered(reducer, &versions);
                let mut parts = gathered(reducer, old);
                parts.reverse();
                let mut newer = gathered(reducer, new);
                newer.reverse();
                parts.append(&mut newer);
                prop_assert_eq!(&gathered(reducer, &parts), &whole);
                let keys: std::collections::BTreeSet<u64> = whole.iter().map(|v| v.check).collect();
                prop_assert_eq!(keys.len(), ranks.iter().map(|r| r.1).collect::<std::collections::BTreeSet<_>>().len());
            }
        }
    }
}
