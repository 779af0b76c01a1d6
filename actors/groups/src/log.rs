//! The log of a coordinator: one partition of `__groups`, behind a narrow trait, so
//! that tests can give it one that fails.

mod shen;

use crate::record::EncodedRecord;
use futures::future::BoxFuture;
use pyralog_env::WallMillis;
use pyralog_model::{ApiError, LogNumber};
pub(crate) use shen::ShenLogs;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::watch;

/// The name of the internal log.
pub const GROUPS_LOG: &str = "__groups";

/// Its partitions, each with a coordinator. It never has more: a group is found by its
/// name's hash.
pub const COORDINATORS: u32 = 16;

/// The coordinator of a group, by the hash of its name.
pub fn coordinator_of(group: &str) -> u32 {
    let hash = twox_hash::XxHash3_64::oneshot(group.as_bytes());
    u32::try_from(hash % u64::from(COORDINATORS)).expect("it is below 16")
}

/// Why records were not appended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendError {
    /// The log has none of them.
    #[error("{0}")]
    Refused(ApiError),
    /// It may have some of them, or all.
    #[error("{0}")]
    Unknown(ApiError),
}

/// Every log there is, by its name. A log of the same name and another number is another.
pub type Listed = Arc<BTreeMap<String, LogNumber>>;

/// The internal log `__groups` with its partitions, and the list of all logs.
pub trait GroupLogs: Debug + Send + Sync + 'static {
    /// True if the log is there.
    fn exist(&self) -> bool;

    /// Makes the log, if it is not there.
    ///
    /// # Errors
    /// It cannot be made now.
    fn create(&self) -> BoxFuture<'_, Result<(), ApiError>>;

    /// One of its partitions, whether it is there yet or not.
    fn partition(&self, number: u32) -> Arc<dyn GroupLog>;

    /// The number of a log, if it is there: as new as whatever the caller knows of it.
    fn number(&self, log: &str) -> Option<LogNumber>;

    /// Told when logs are made and deleted.
    fn listed(&self) -> watch::Receiver<Listed>;
}

/// One partition of `__groups`.
pub trait GroupLog: Debug + Send + Sync + 'static {
    /// Resolves when the log is there and its partition serves.
    fn serving(&self) -> BoxFuture<'_, ()>;

    /// The first offset, and the end of what is durable.
    ///
    /// # Errors
    /// The partition does not serve.
    fn bounds(&self) -> Result<(u64, u64), ApiError>;

    /// Appends records and returns the offset of the first when all are durable. What
    /// was called first is first in the log.
    ///
    /// # Errors
    /// See [`AppendError`].
    fn append(
        &self,
        records: Vec<EncodedRecord>,
        at: WallMillis,
    ) -> BoxFuture<'_, Result<u64, AppendError>>;

    /// Records from an offset on: at least one, if there is one below the end.
    ///
    /// # Errors
    /// The partition does not serve, or the offset is not there.
    fn read(&self, from: u64) -> BoxFuture<'_, Result<Vec<EncodedRecord>, ApiError>>;

    /// Lets everything before an offset go.
    ///
    /// # Errors
    /// It stays for now.
    fn trim(&self, before: u64) -> BoxFuture<'_, Result<(), ApiError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_stays_with_its_coordinator_for_ever() {
        // Other numbers would lose every group there is.
        let groups = ["", "g", "flights", "console-consumer-4711"];
        assert_eq!(groups.map(coordinator_of), [2, 7, 9, 3]);
        let used: std::collections::BTreeSet<u32> =
            (0..1_000).map(|n| coordinator_of(&format!("group-{n}"))).collect();
        assert_eq!(used.len(), COORDINATORS as usize);
    }
}
