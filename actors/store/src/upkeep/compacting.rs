//! What a round of compaction asks of the store.

use super::Pace;
use crate::health::HealthLatch;
use crate::writing::{UpkeepTask, WriterJob};
use pyralog_log::{CompactionHost, LogError, PartitionLog, Replacement, Switched};
use pyralog_model::Offset;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::sync::oneshot;

pub(super) struct Compacting<'a> {
    pub(super) pace: Pace<'a>,
    pub(super) writes: &'a SyncSender<WriterJob>,
    pub(super) health: &'a HealthLatch,
}

impl CompactionHost for Compacting<'_> {
    fn go_on(&mut self, bytes: u64) -> bool {
        self.pace.take(bytes) && self.health.failure().is_none()
    }

    fn replace(
        &mut self,
        log: &Arc<PartitionLog>,
        replacement: Replacement,
    ) -> Result<Switched, LogError> {
        let switched = ask(self.writes, self.health, log, UpkeepTask::Replace(replacement))?;
        Ok(switched.unwrap_or(Switched::Overtaken))
    }

    fn save_cleaned(&mut self, log: &Arc<PartitionLog>, cleaned: Offset) -> Result<(), LogError> {
        ask(self.writes, self.health, log, UpkeepTask::SaveCleaned(cleaned)).map(|_| ())
    }
}

/// Has the segment writer do something, and waits for it. What became of a replacement
/// is in the answer to one.
pub(super) fn ask(
    writes: &SyncSender<WriterJob>,
    health: &HealthLatch,
    log: &Arc<PartitionLog>,
    task: UpkeepTask,
) -> Result<Option<Switched>, LogError> {
    let gone = || match health.failure() {
        Some(cause) => LogError::Failed { cause },
        None => LogError::Closed,
    };
    let (reply, answer) = oneshot::channel();
    writes.send(WriterJob::Upkeep(Arc::clone(log), task, reply)).map_err(|_| gone())?;
    answer.blocking_recv().map_err(|_| gone())?
}
