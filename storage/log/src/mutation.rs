//! Bugs to plant, so that the tests which promise to catch them can prove it.
//! A build without the feature `mutants` contains none of them.

/// One planted bug of the storage engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Acknowledge when the bytes are written, before they are synced (B1).
    AckBeforeSync,
    /// Create files without syncing their directory (B3).
    NoDirectorySync,
    /// Answer a failed sync by syncing again and believing the second (B4).
    RetryAfterFailedSync,
    /// Truncate in memory and in the segment, but write no WAL frame.
    TruncationNotLogged,
    /// Take a frame whose batch fails its checksum (B5).
    TornMiddleAccepted,
    /// Use a WAL file again before the checkpoint that frees it is durable.
    RecycleBeforeCheckpoint,
    /// Remove what lies before a new start before the checkpoint that says so.
    RemoveBeforeStartSaved,
    /// Answer a move of the start without a checkpoint that says so.
    StartNotSaved,
    /// Start without the sessions of sealed segments.
    SessionsForgotten,
    /// Scrub by the frames' headers alone, without the batches' checksums.
    ScrubSkipsBatches,
    /// Remove the files that compaction replaces before the manifest says so.
    UnlinkBeforeManifest,
    /// Let the manifest name a file before it is synced.
    ManifestBeforeSync,
    /// Leave marks of deletion out as soon as they are met.
    TombstoneTooEarly,
    /// Keep the record of a key whose timestamp is the greatest.
    CompactionByTime,
    /// Compact what is not committed.
    CompactionAboveWatermark,
    /// Show readers a new file and some of those that it replaces (B18).
    HalfReplaced,
    /// Answer for a log of `page-cache` before its records are written.
    AckBeforeWrite,
    /// Seal a segment of a log of `page-cache` that is not synced.
    SealedUnsynced,
    /// Save a checkpoint of a log of `page-cache` without the sync before it.
    CheckpointUnsynced,
    /// Give out offsets of a log in memory above what a start begins above.
    OffsetsReissued,
    /// Begin an epoch of a weaker log that a start does not know of.
    EpochReissued,
    /// Keep frames of weaker logs in the WAL's order, but not in the WAL.
    HoleInWal,
}

/// The bug that is planted in this store, if any.
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
