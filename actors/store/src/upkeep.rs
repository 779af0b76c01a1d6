//! The thread that looks after old records: every few seconds, and whenever somebody
//! says so, it looks at every partition. It decides and does the long work; what
//! changes a partition's files it asks of the segment writer, a moment at a time.
//!
//! ```text
//!  every 10 s, or told ──▶ each partition: seal what is old ─▶ expire ─▶ compact ─▶ sweep
//!                                               │             │           │
//!                                               └──── segment writer ◀────┘
//! ```
//!
//! It may fail while writes go on: what cannot be done now is done the next time. Only
//! a write or sync that fails is the store's end, as everywhere.

mod compacting;
mod pace;
mod setbacks;

pub(crate) use pace::Stop;
pub use pace::UpkeepOptions;
pub(crate) use setbacks::Setbacks;

use crate::health::HealthLatch;
use crate::metrics::StoreGauges;
use crate::writing::{UpkeepTask, WriterJob};
use compacting::Compacting;
use pace::Pace;
use pyralog_env::Clock;
use pyralog_log::{LogError, PartitionLog, compact, dirty_part, expiry, is_to_be_sealed};
use pyralog_model::PartitionId;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, RwLock};
use tokio::sync::oneshot;

/// What may wait in the queue.
pub(crate) enum UpkeepJob {
    /// Look at every partition now, and say so when it is done.
    Look(Option<oneshot::Sender<()>>),
    /// End.
    Stop,
}

pub(crate) struct Upkeep {
    pub(crate) jobs: Receiver<UpkeepJob>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) partitions: Arc<RwLock<BTreeMap<PartitionId, Arc<PartitionLog>>>>,
    pub(crate) writes: SyncSender<WriterJob>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: HealthLatch,
    pub(crate) gauges: Arc<StoreGauges>,
    pub(crate) options: UpkeepOptions,
    pub(crate) setbacks: Setbacks,
}

impl Upkeep {
    /// Ends when told to.
    pub(crate) fn run(mut self) {
        while !self.stop.is_told() {
            let told = match self.jobs.recv_timeout(self.options.interval) {
                Ok(UpkeepJob::Look(reply)) => reply,
                Err(RecvTimeoutError::Timeout) => None,
                Ok(UpkeepJob::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            // One partition that cannot be looked after is no reason to leave the others.
            if catch_unwind(AssertUnwindSafe(|| self.look())).is_err() {
                tracing::error!(
                    "looking after old records panicked; please report it with the log"
                );
            }
            if let Some(reply) = told {
                let _ = reply.send(());
            }
        }
    }

    fn look(&mut self) {
        let partitions = self.partitions.read().expect("no one panics holding this");
        let logs: Vec<Arc<PartitionLog>> = partitions.values().cloned().collect();
        drop(partitions);
        self.setbacks.forget_but(&logs);
        let mut dirty = 0;
        for log in logs {
            if self.stop.is_told() || self.health.failure().is_some() {
                return;
            }
            self.look_after(&log);
            let (_, below) = log.bounds();
            let part = dirty_part(&log, self.clock.wall(), below);
            dirty = part.map_or(dirty, |part| part.millionths.max(dirty));
        }
        self.gauges.upkeep.set_dirty_millionths(dirty);
    }

    fn look_after(&mut self, log: &Arc<PartitionLog>) {
        if log.upkeep_settings().is_none() {
            return;
        }
        let done = self.seal(log).and_then(|()| self.expire(log)).and_then(|()| {
            if self.setbacks.may_try(log.id(), self.clock.monotonic()) {
                self.compact(log)?;
            }
            log.sweep().map(|_| ())
        });
        match done {
            Ok(()) => {}
            // It is deleted, or everything ends.
            Err(LogError::NotOpen(_) | LogError::Closed) => {}
            Err(LogError::Failed { cause }) => self.health.fail(&cause),
            Err(error) => {
                let now = self.clock.monotonic();
                if self.setbacks.note(log.id(), &error, now) {
                    self.gauges.upkeep.gave_up();
                    tracing::warn!(partition = %log.id(), %error, "old records stay for now");
                }
            }
        }
    }

    /// Seals a segment that has been growing for long.
    fn seal(&self, log: &Arc<PartitionLog>) -> Result<(), LogError> {
        match is_to_be_sealed(log, self.clock.wall(), self.clock.monotonic()) {
            true => self.ask(log, UpkeepTask::Seal).map(|_| ()),
            false => Ok(()),
        }
    }

    /// Lets go of what retention does not keep.
    fn expire(&self, log: &Arc<PartitionLog>) -> Result<(), LogError> {
        // Everything that is in the log is committed: there are no replicas to wait for.
        let (start, below) = log.bounds();
        let Some(expiry) = expiry(log, self.clock.wall(), below) else { return Ok(()) };
        if expiry.start <= start {
            return Ok(());
        }
        let before = log.sizes();
        self.ask(log, UpkeepTask::Expire(expiry))?;
        let after = log.sizes();
        let bytes = before.segment_bytes.saturating_sub(after.segment_bytes);
        self.gauges.upkeep.expired(expiry.start.0 - start.0, bytes);
        tracing::debug!(partition = %log.id(), start = expiry.start.0, bytes, "old records are gone");
        Ok(())
    }

    /// Compacts, if that is due.
    fn compact(&mut self, log: &Arc<PartitionLog>) -> Result<(), LogError> {
        let (_, below) = log.bounds();
        let began = self.clock.monotonic();
        let pace = Pace::new(&*self.clock, &self.stop, &self.options);
        let mut host = Compacting { pace, writes: &self.writes, health: &self.health };
        let options = self.options.compaction();
        let Some(report) = compact(log, &options, self.clock.wall(), below, &mut host)? else {
            return Ok(());
        };
        self.setbacks.clear(log.id());
        let took = self.clock.monotonic() - began;
        self.gauges.upkeep.compacted(&report, took);
        let (removed, written) = (report.records_removed, report.bytes_written);
        tracing::debug!(partition = %log.id(), removed, written, ?took, "compacted");
        Ok(())
    }

    fn ask(&self, log: &Arc<PartitionLog>, task: UpkeepTask) -> Result<(), LogError> {
        compacting::ask(&self.writes, &self.health, log, task).map(|_| ())
    }
}
