//! The thread of the logs that promise less than a sync: it waits for nobody's, and
//! nobody who waits for one waits for it.

use crate::committing::{CommitJob, Gathered};
use crate::health::HealthLatch;
use crate::metrics::StoreGauges;
use crate::writing::WriterJob;
use pyralog_log::{RelaxedCommitter, WriterTask};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::sync::mpsc;

pub(crate) struct Relaxing {
    pub(crate) committer: RelaxedCommitter,
    pub(crate) jobs: mpsc::Receiver<CommitJob>,
    pub(crate) tasks: SyncSender<WriterJob>,
    pub(crate) health: HealthLatch,
    pub(crate) gauges: Arc<StoreGauges>,
}

impl Relaxing {
    pub(crate) fn run(mut self) {
        while let Some(job) = self.jobs.blocking_recv() {
            let gathered = Gathered::take(&mut self.jobs, job);
            let stop = gathered.stop;
            self.commit(gathered);
            if let Some(clean) = stop {
                self.obey_latch();
                if clean && self.committer.failure().is_none() {
                    let tasks = self.committer.finish();
                    self.forward(tasks);
                }
                return;
            }
        }
    }

    fn commit(&mut self, gathered: Gathered) {
        if gathered.submissions.is_empty() {
            return;
        }
        self.obey_latch();
        let completions = self.committer.step(gathered.submissions);
        self.gauges.relaxed(self.committer.counts());
        for (completion, reply) in completions.into_iter().zip(gathered.replies) {
            reply.answer(completion, &self.gauges);
        }
        let tasks = self.committer.take_tasks();
        self.forward(tasks);
        if let Some(cause) = self.committer.failure() {
            self.health.fail(cause);
        }
    }

    /// What failed elsewhere in the data directory ends this, too.
    fn obey_latch(&mut self) {
        if let Some(cause) = self.health.failure() {
            self.committer.fail(cause);
        }
    }

    /// Waits while the segment writer is behind: so what is not synced stays bounded.
    fn forward(&mut self, tasks: Vec<WriterTask>) {
        for task in tasks {
            if self.tasks.send(WriterJob::Task(task)).is_err() {
                self.committer.fail("the segment writer ended".to_owned());
            }
        }
    }
}
