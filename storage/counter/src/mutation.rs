//! Bugs to plant, so that the tests which promise to catch them can prove it.
//! A build without the feature `mutants` contains none of them.

/// One planted bug of counters or lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Issue below a bound that is written and not yet synced (F1).
    BoundNotSyncedFirst,
    /// Start without clearing the mark of the last clean stop.
    CleanMarkNotCleared,
    /// Believe a mapped value after an unclean stop because its checksum fits: an
    /// old value that the kernel wrote back has one that fits too.
    CrcOverMappedValue,
    /// Look at the bound before a batch and not at its end.
    BatchStraddlesBound,
    /// Make the ids of a block by XOR instead of an addition that carries (F4).
    XorInsteadOfCarry,
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
    #[inline]
    pub(crate) fn is(self, mutation: Mutation) -> bool {
        self.0 == Some(mutation)
    }

    #[cfg(not(any(test, feature = "mutants")))]
    #[inline]
    pub(crate) fn is(self, _: Mutation) -> bool {
        false
    }
}
