//! What an index may use.

#[cfg(any(test, feature = "mutants"))]
use crate::Mutation;
use crate::mutation::Planted;
use crate::pphm::IndexOf;

/// How one partition is indexed.
#[derive(Debug, Clone)]
pub struct KeyIndexOptions {
    /// Whose records.
    pub of: IndexOf,
    /// The seed of a new index; one that lies on disk has its own. Drawn at random.
    pub hash_seed: u64,
    /// Bytes of the active map before it is frozen.
    pub active_bytes_max: usize,
    /// Bytes of frozen maps that wait to be built; the oldest beyond that are dropped.
    pub frozen_bytes_max: usize,
    /// Files of one size side by side that are merged; at least 2.
    pub fan_out: usize,
    /// Offsets of a gap that are filled by one piece of work.
    pub fill_offsets_max: u64,
    /// The bug to plant.
    #[cfg(any(test, feature = "mutants"))]
    pub mutation: Option<Mutation>,
}

impl KeyIndexOptions {
    /// The usual sizes: 4 MiB active, 16 MiB frozen, eight files a merge, 16 million
    /// offsets a fill.
    pub fn new(of: IndexOf, hash_seed: u64) -> KeyIndexOptions {
        KeyIndexOptions {
            of,
            hash_seed,
            active_bytes_max: 4 << 20,
            frozen_bytes_max: 16 << 20,
            fan_out: 8,
            fill_offsets_max: 16 << 20,
            #[cfg(any(test, feature = "mutants"))]
            mutation: None,
        }
    }

    pub(crate) fn planted(&self) -> Planted {
        #[cfg(any(test, feature = "mutants"))]
        return Planted::new(self.mutation);
        #[cfg(not(any(test, feature = "mutants")))]
        Planted::default()
    }
}

/// Bytes that an index has in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// The active map.
    pub active_bytes: u64,
    /// Frozen maps.
    pub frozen_bytes: u64,
    /// Directories of files.
    pub directory_bytes: u64,
    /// Blocks of files, which count against the shared `BlockCache`.
    pub cached_bytes: u64,
}
