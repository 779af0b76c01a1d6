//! The state of the logs that one query sees, wherever it names them: a log that it
//! reads twice is the same log both times.

use pyralog_model::{ApiError, PartitionId};
use pyralog_partition::{LogEntry, Shen, Watermarks};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Made for each query.
pub(crate) struct Snapshot {
    shen: Shen,
    /// By name.
    logs: BTreeMap<String, Arc<LogEntry>>,
    /// Of each partition from the moment it was first asked for.
    watermarks: Mutex<BTreeMap<PartitionId, Watermarks>>,
}

impl Snapshot {
    /// The logs that the directory lists now.
    pub(crate) fn new(shen: Shen) -> Snapshot {
        let logs = shen.logs().into_iter().map(|log| (log.name.to_string(), log)).collect();
        Snapshot { shen, logs, watermarks: Mutex::default() }
    }

    /// The way to the records.
    pub(crate) fn shen(&self) -> &Shen {
        &self.shen
    }

    /// A log by its name.
    pub(crate) fn log(&self, name: &str) -> Option<&Arc<LogEntry>> {
        self.logs.get(name)
    }

    /// Names of logs: the users', then the internal ones, each in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let of = |internal: bool| self.logs.values().filter(move |log| log.internal == internal);
        of(false).chain(of(true)).map(|log| log.name.to_string()).collect()
    }

    /// Where a partition began and ended when this query first looked.
    pub(crate) fn watermarks(&self, id: PartitionId) -> Result<Watermarks, ApiError> {
        let mut known = self.watermarks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watermarks) = known.get(&id) {
            return Ok(*watermarks);
        }
        let watermarks = self.shen.watermarks(id)?;
        known.insert(id, watermarks);
        Ok(watermarks)
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("logs", &self.logs.len()).finish_non_exhaustive()
    }
}
