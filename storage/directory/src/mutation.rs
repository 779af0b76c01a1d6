//! Bugs to plant, so that the tests which promise to catch them can prove it.
//! A build without the feature `mutants` contains none of them.

/// One planted bug of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Give a lane again without regard to the end of its last lease.
    LaneReissued,
}

/// The bug that is planted in this directory, if any. Not part of its history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
