//! Which files hold a partition's offsets, where that is not what their names say.
//!
//! A segment is called by its first offset, and holds everything up to the next one.
//! Compaction puts another file in the place of one or a few neighbours. That file
//! has a name of its own, and from the moment at which the manifest says so, durably
//! and in one step, it holds their offsets and they are leftovers.
//!
//! ```text
//! files      …00.segment   …40.segment   …90.segment   …00.1.segment
//! manifest   0..90 is in generation 1
//! segments   └────────────── …00.1 ──────────────────┘ └ …90 ┘
//! ```
//!
//! Like checkpoints, manifests are kept by `storage/meta`.

use crate::paths::SegmentName;
use pyralog_model::Offset;

/// A segment that was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RewrittenSegment {
    /// The first of its offsets.
    pub base: Offset,
    /// The offset after the last of them; another segment begins there.
    pub end: Offset,
    /// How often what begins there was rewritten, from 1; part of the file's name.
    pub generation: u64,
    /// The file's length.
    pub bytes: u64,
}

impl RewrittenSegment {
    /// True if a segment that begins at `base` lies in it.
    pub(crate) fn covers(&self, base: Offset) -> bool {
        (self.base..self.end).contains(&base)
    }

    /// What its files are called.
    pub(crate) fn name(&self) -> SegmentName {
        SegmentName { base: self.base, generation: self.generation }
    }
}

/// What compaction has done to a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Of the records before this offset none has a key that a later one of them has.
    pub cleaned: Offset,
    /// The segments that were rewritten, by their first offsets.
    pub segments: Vec<RewrittenSegment>,
}

impl Manifest {
    /// The rewritten segment that begins at `base`.
    pub(crate) fn at(&self, base: Offset) -> Option<&RewrittenSegment> {
        self.segments.iter().find(|entry| entry.base == base)
    }

    /// The rewritten segment that holds the offsets of the one that begins at `base`.
    pub(crate) fn covering(&self, base: Offset) -> Option<&RewrittenSegment> {
        self.segments.iter().find(|entry| entry.covers(base))
    }

    /// True unless another file holds the offsets of this one.
    pub(crate) fn means(&self, name: SegmentName) -> bool {
        match self.covering(name.base) {
            Some(entry) => entry.name() == name,
            None => name.generation == 0,
        }
    }

    /// Puts a segment in the place of those that lie in its offsets.
    pub fn replace(&mut self, new: RewrittenSegment) {
        self.segments.retain(|old| !new.covers(old.base));
        let place = self.segments.partition_point(|old| old.base < new.base);
        self.segments.insert(place, new);
    }

    /// Forgets segments that end at `start` or before.
    pub fn begin_at(&mut self, start: Offset) {
        self.segments.retain(|old| old.end > start);
    }
}
