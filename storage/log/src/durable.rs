//! Durability as a type: a value that claims to be on disk can only be made in
//! the presence of a sync that has returned.

/// Evidence that a sync completed. Only the two places that call one make it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SyncProof(());

impl SyncProof {
    /// To be called with the result of the sync itself, and nowhere else.
    pub(crate) fn from_sync(synced: std::io::Result<()>) -> std::io::Result<SyncProof> {
        synced.map(SyncProof)
    }

    /// A lie, for the planted bugs that acknowledge without a sync.
    pub(crate) fn forged_by_a_mutant() -> SyncProof {
        SyncProof(())
    }
}

/// A value whose bytes were on disk before it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable<T>(T);

impl<T> Durable<T> {
    pub(crate) fn new(value: T, _proof: SyncProof) -> Durable<T> {
        Durable(value)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}
