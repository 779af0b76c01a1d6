//! What only an Obelisk is told.

use super::Keys;
use std::time::Duration;

/// Coordination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObeliskSettings {
    /// Apparent size of the sparse file of counters in bytes.
    pub counter_file_bytes: u64,
    /// Every increment waits for the disk.
    pub fsync_on_increment: bool,
    /// How long a lease of Scarab ids lasts.
    pub lease_term: Duration,
}

impl ObeliskSettings {
    pub(super) fn of(keys: &Keys<'_>) -> ObeliskSettings {
        ObeliskSettings {
            counter_file_bytes: keys.number("counter_file_size"),
            fsync_on_increment: keys.switch("fsync_on_increment"),
            lease_term: keys.duration("lease_term"),
        }
    }
}
