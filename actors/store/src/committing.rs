//! The committer's thread: back to back, it takes what queued during the last
//! sync, has it made durable, and answers.

mod gathering;

pub(crate) use gathering::Gathered;

use crate::health::HealthLatch;
use crate::metrics::StoreGauges;
use crate::pulse::Pulse;
use crate::writing::WriterJob;
use gathering::Reply;
use pyralog_env::Clock;
use pyralog_log::{Committer, Completion, LogError, Submission, WriterReport};
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use tokio::sync::{mpsc, oneshot};

/// What may wait in the queue.
pub(crate) enum CommitJob {
    /// A submission and who waits for the answer.
    Submit { submission: Submission, pulse: Option<Arc<Pulse>>, reply: oneshot::Sender<Completion> },
    /// End the thread; `clean` writes everything first, so that the next start
    /// replays nothing.
    Stop { clean: bool },
}

pub(crate) struct Committing {
    pub(crate) committer: Committer,
    pub(crate) jobs: mpsc::Receiver<CommitJob>,
    pub(crate) tasks: std_mpsc::SyncSender<WriterJob>,
    pub(crate) reports: std_mpsc::Receiver<WriterReport>,
    pub(crate) health: HealthLatch,
    pub(crate) gauges: Arc<StoreGauges>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stalled: Option<String>,
    /// Appends are being refused for want of room; said once, at each change.
    pub(crate) refusing: bool,
}

impl Committing {
    pub(crate) fn run(mut self) {
        while let Some(job) = self.jobs.blocking_recv() {
            let Gathered { submissions, replies, bytes, stop } =
                Gathered::take(&mut self.jobs, job);
            self.commit(submissions, replies, bytes);
            if let Some(clean) = stop {
                self.obey_latch();
                if clean && self.committer.failure().is_none() && self.finish() {
                    self.gauges.ended_clean();
                }
                return;
            }
        }
    }

    /// What failed elsewhere in the data directory ends this, too.
    fn obey_latch(&mut self) {
        if let Some(cause) = self.health.failure() {
            self.committer.fail(cause);
        }
    }

    fn commit(&mut self, submissions: Vec<Submission>, replies: Vec<Reply>, bytes: usize) {
        if submissions.is_empty() {
            return;
        }
        self.heed_reports();
        self.obey_latch();
        if let Err(error) = self.wait_for_room(bytes) {
            return self.refuse(submissions, replies, &error);
        }
        let before = self.clock.monotonic();
        let completions = self.committer.step(submissions);
        let took = self.clock.monotonic() - before;
        self.gauges.committed(self.committer.counts(), took);
        for (completion, reply) in completions.into_iter().zip(replies) {
            self.answer(completion, reply);
        }
        self.forward_tasks();
        if let Some(cause) = self.committer.failure() {
            self.health.fail(cause);
        }
    }

    fn answer(&mut self, completion: Completion, reply: Reply) {
        self.note_room(&completion);
        reply.answer(completion, &self.gauges);
    }

    /// Tells the operator when the disk fills up and when there is room again.
    fn note_room(&mut self, completion: &Completion) {
        let refusing = match completion {
            Completion::Refused(LogError::DiskFull { .. }) => true,
            Completion::Appended(_) => self.stalled.is_some() && self.refusing,
            _ => return,
        };
        if refusing == self.refusing {
            return;
        }
        match refusing {
            true => tracing::warn!(
                "the disk is full: appends are refused, reads go on; free some space"
            ),
            false => tracing::info!("the disk has room again: appends are taken"),
        }
        self.refusing = refusing;
        self.gauges.set_disk_full(refusing || self.stalled.is_some());
    }

    /// Waits until the segment writer has freed WAL space; a full disk cannot be
    /// waited for.
    fn wait_for_room(&mut self, bytes: usize) -> Result<(), LogError> {
        while self.committer.failure().is_none() && !self.committer.has_room(bytes) {
            self.forward_tasks();
            if let Some(what) = &self.stalled {
                return Err(LogError::DiskFull { what: what.clone() });
            }
            match self.reports.recv() {
                Ok(report) => self.heed(report),
                Err(_) => self.committer.fail("the segment writer ended".to_owned()),
            }
        }
        Ok(())
    }

    /// Nothing is written; but what only opens or closes a partition is done, so
    /// that reads can go on.
    fn refuse(&mut self, submissions: Vec<Submission>, replies: Vec<Reply>, error: &LogError) {
        for (submission, reply) in submissions.into_iter().zip(replies) {
            let completion = match submission {
                Submission::Append(_) | Submission::Truncate { .. } => {
                    Completion::Refused(error.clone())
                }
                control => self.committer.step(vec![control]).remove(0),
            };
            self.answer(completion, reply);
        }
    }

    fn heed_reports(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            self.heed(report);
        }
    }

    fn heed(&mut self, report: WriterReport) {
        self.stalled = match &report {
            WriterReport::Stalled(what) => Some(what.clone()),
            WriterReport::Released(_) | WriterReport::Checkpointed => None,
            _ => self.stalled.take(),
        };
        self.gauges.set_disk_full(self.refusing || self.stalled.is_some());
        self.committer.heed(report);
        if let Some(cause) = self.committer.failure() {
            self.health.fail(cause);
        }
    }

    fn forward_tasks(&mut self) {
        for task in self.committer.take_tasks() {
            if self.tasks.send(WriterJob::Task(task)).is_err() {
                self.committer.fail("the segment writer ended".to_owned());
            }
        }
    }

    /// True if everything is in synced segments and the checkpoint says so.
    fn finish(&mut self) -> bool {
        let task = self.committer.finish();
        self.forward_tasks();
        let (done, finished) = std_mpsc::sync_channel(1);
        let asked = self.tasks.send(WriterJob::Finish(task, done)).is_ok();
        asked && finished.recv().unwrap_or(false)
    }
}
