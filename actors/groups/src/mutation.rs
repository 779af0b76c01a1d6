//! Bugs to plant, so that the tests which promise to catch them can prove it.
//! A build without the feature `mutants` contains none of them.

/// One planted bug of consumer groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A commit that was refused is written again later, after its caller was told
    /// (B13).
    RefusedCommitWrittenLate,
    /// A commit of a member that was put out is taken (B13).
    EvictedMemberCommits,
    /// A commit is answered before it is durable (B14).
    AnswerBeforeDurable,
    /// A fetch shows a commit that is on its way to the disk (B14).
    FetchShowsUndurable,
    /// The last record is left out when the log is read (B14).
    LastRecordLost,
    /// A checkpoint tells of the state before the last commits (B14).
    OldCheckpoint,
    /// Offsets are kept by the names of logs alone, and those on their way are passed
    /// over when a log is deleted: the next log of the name inherits them (B14).
    HeirGetsOffsets,
    /// A member that the leader forgot keeps what it had (B17).
    AssignmentLeaks,
    /// A generation is announced that no record keeps (B17).
    GenerationNotKept,
    /// A commit of an old generation is taken (B17).
    OldGenerationCommits,
    /// A rebalance waits for all members, however long (B17).
    RoundNeverEnds,
    /// A member that is silent stays in (B17).
    SilenceIgnored,
    /// The member whose instance was taken over goes on (B17).
    OldInstanceGoesOn,
    /// An offset that is there may be replaced by any other, however full it is (B20).
    OffsetsGrow,
    /// Rounds are as short as clients say, down to no time at all (B20).
    RoundsOfNoTime,
    /// The same, and a tick takes timers that it has set itself (B20).
    TickTakesItsOwn,
}

/// The bug that is planted here, if any.
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
