//! Bugs to plant, so that the tests which promise to catch them can prove it.
//! A build without the feature `mutants` contains none of them.

/// One planted bug of the key index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Believe the perfect hash without comparing the stored hash.
    HashNotCompared,
    /// Use a block without comparing its checksum.
    BlockNotVerified,
    /// Use a page of versions without comparing its checksum.
    PageNotVerified,
    /// Merge files and keep only the newest version of each key.
    MergeDropsOlder,
    /// Name a file in the manifest that was never synced.
    ManifestBeforeSync,
    /// Cut back, and leave what files say about offsets past the cut.
    TruncateKeepsFiles,
    /// Cut files back in memory, but not in the manifest.
    TruncateNotSaved,
    /// Cut files back at a start in memory, but not in the manifest.
    OpenCutNotSaved,
    /// Remove merged files before the manifest that no longer names them.
    RemoveBeforeSave,
    /// Let a manifest that was made earlier replace a later one.
    OlderManifestWins,
    /// Pass over ranges that are not indexed without a word.
    GapsNotSaid,
}

/// The bug that is planted in this index, if any.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Planted(#[cfg(any(test, feature = "mutants"))] Option<Mutation>);

impl Planted {
    #[cfg(any(test, feature = "mutants"))]
    pub(crate) fn new(mutation: Option<Mutation>) -> Planted {
        Planted(mutation)
    }

    #[cfg(any(test, feature = "mutants"))]
    pub(crate) fn is(self, mutation: Mutation) -> bool {
        self.0 == Some(mutation)
    }

    #[cfg(not(any(test, feature = "mutants")))]
    pub(crate) fn is(self, _: Mutation) -> bool {
        false
    }
}
