//! A bound file: its two copies.

use super::EntryCopy;
use crate::bound_file::{BoundCopy, read_copy};
use crate::copies::read_pair;
use crate::entry::Kept;
use crate::error::CounterError;
use pyralog_env::DiskFile;
use pyralog_model::StoreId;
use std::path::Path;

/// Both copies of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundView {
    /// The copies.
    pub copies: [EntryCopy; 2],
    /// The version of a newer program that has written one of them.
    pub newer: Option<u16>,
    /// The bound that counts; none if neither copy can be read.
    pub bound: Option<u64>,
}

impl BoundView {
    /// Reads both copies of a bound of this store.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(
        file: &dyn DiskFile,
        path: &Path,
        store: StoreId,
    ) -> Result<BoundView, CounterError> {
        let pair = read_pair(file, 0).map_err(CounterError::io(path, "read"))?;
        let copies = pair.each_ref().map(|block| read_copy(block, store));
        let newer = copies.iter().find_map(|copy| match copy {
            BoundCopy::Newer(version) => Some(*version),
            BoundCopy::Kept(_) => None,
        });
        let [first, second] = copies.map(|copy| match copy {
            BoundCopy::Kept(kept) => kept,
            BoundCopy::Newer(_) => Kept::Damaged,
        });
        let bound = match first.later(second) {
            Kept::Entry(entry) => Some(entry.bound),
            _ => None,
        };
        Ok(BoundView { copies: [first, second].map(EntryCopy::of), newer, bound })
    }
}
