//! What the names in a directory of numbered ones say.

use crate::paths::DELETED_SUFFIX;
use pyralog_env::DiskEntry;

/// The names, sorted into what they mean.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Directories that are called by a number, ascending.
    pub(super) numbers: Vec<u64>,
    /// Directories of deleted logs.
    pub(super) removed: Vec<String>,
    /// Everything else.
    pub(super) strangers: Vec<String>,
}

impl Listing {
    pub(super) fn of(entries: &[DiskEntry]) -> Listing {
        let mut listing = Listing::default();
        for entry in entries {
            let number = entry.name.parse().ok().filter(|number: &u64| {
                // `007` is not how a store writes 7.
                entry.is_dir && number.to_string() == entry.name
            });
            match number {
                Some(number) => listing.numbers.push(number),
                None if entry.is_dir && entry.name.ends_with(DELETED_SUFFIX) => {
                    listing.removed.push(entry.name.clone());
                }
                None => listing.strangers.push(entry.name.clone()),
            }
        }
        listing.numbers.sort_unstable();
        listing
    }
}
