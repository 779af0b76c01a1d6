//! What a committer's thread takes from its queue at once, and how it answers.

use super::CommitJob;
use crate::metrics::StoreGauges;
use crate::pulse::Pulse;
use pyralog_log::{Completion, Submission};
use pyralog_model::Offset;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A step takes no further job once it holds this many bytes or submissions.
const STEP_BYTES_AIM: usize = 4 << 20;
const STEP_JOBS_MAX: usize = 8_192;

/// One step's submissions, and who waits for each.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) submissions: Vec<Submission>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) bytes: usize,
    /// The thread is to end after this step, cleanly or not.
    pub(crate) stop: Option<bool>,
}

/// Who waits for an answer.
pub(crate) struct Reply {
    pulse: Option<Arc<Pulse>>,
    generation: u64,
    reply: oneshot::Sender<Completion>,
}

impl Gathered {
    /// Takes `first` and what waits behind it.
    pub(crate) fn take(jobs: &mut mpsc::Receiver<CommitJob>, first: CommitJob) -> Gathered {
        let mut gathered = Gathered::default();
        let mut next = Some(first);
        while let Some(job) = next.take() {
            match job {
                CommitJob::Submit { submission, pulse, reply } => {
                    gathered.bytes += submission_bytes(&submission);
                    let generation = generation(&submission);
                    gathered.submissions.push(submission);
                    gathered.replies.push(Reply { pulse, generation, reply });
                }
                CommitJob::Stop { clean } => {
                    gathered.stop = Some(clean);
                    break;
                }
            }
            if gathered.bytes < STEP_BYTES_AIM && gathered.submissions.len() < STEP_JOBS_MAX {
                next = jobs.try_recv().ok();
            }
        }
        gathered
    }
}

impl Reply {
    /// Tells the partition and whoever waits.
    pub(crate) fn answer(self, completion: Completion, gauges: &StoreGauges) {
        if let Some(pulse) = &self.pulse {
            match end(&completion) {
                Some(end) => pulse.acknowledged(end),
                None if matches!(completion, Completion::Refused(_)) => {
                    pulse.refused(self.generation);
                }
                None => {}
            }
        }
        if matches!(completion, Completion::Refused(_)) {
            gauges.refused();
        }
        // Nobody waiting is no error: the client may have gone.
        let _ = self.reply.send(completion);
    }
}

/// The end of what is acknowledged.
fn end(completion: &Completion) -> Option<Offset> {
    match completion {
        Completion::Appended(appended) => Some(appended.into_inner().end),
        Completion::Accepted(accepted) => Some(accepted.end),
        _ => None,
    }
}

fn generation(submission: &Submission) -> u64 {
    match submission {
        Submission::Append(append) => append.generation,
        Submission::Truncate { generation, .. } => *generation,
        Submission::Open(_) | Submission::Close(_) | Submission::Barrier => 0,
    }
}

fn submission_bytes(submission: &Submission) -> usize {
    match submission {
        // 80: the frame around each batch.
        Submission::Append(append) => {
            append.batches.iter().map(|(_, batch)| batch.len() + 80).sum()
        }
        _ => 0,
    }
}
