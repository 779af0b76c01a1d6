//! The directory's keeper: a thread that makes commands durable, one after the
//! other, in a small database of its own.

use crate::thread::OwnedThread;
use pyralog_env::Disk;
use pyralog_meta::{CommandLog, LoadedCommands, MetaError};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// Why a command is not kept.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The database refused.
    #[error("the directory's database: {0}")]
    Meta(#[from] MetaError),
    /// The thread could not be started.
    #[error("cannot start the directory's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The keeper is ending.
    #[error("the directory's keeper is ending")]
    Gone,
}

/// What was kept before the start.
pub type Kept = LoadedCommands;

/// Commands that may wait.
const QUEUE_MAX: usize = 64;

enum KeeperJob {
    Append { index: u64, command: Vec<u8>, reply: oneshot::Sender<Result<(), MetaError>> },
    Snapshot { index: u64, snapshot: Vec<u8> },
    Stop,
}

/// Owned by the directory's actor; the thread ends with it.
#[derive(Debug)]
pub struct Keeper {
    jobs: mpsc::Sender<KeeperJob>,
    thread: OwnedThread,
}

impl Keeper {
    /// Opens the database at `path` (made if it is not there), reads what it
    /// holds, and starts the thread. Blocks on the disk for a moment.
    pub fn start(disk: Arc<dyn Disk>, path: &Path) -> Result<(Keeper, Kept), KeeperError> {
        let log = CommandLog::open(disk, path)?;
        let kept = log.load()?;
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let thread = OwnedThread::start("pyralog-directory", move || run(&log, queue))?;
        Ok((Keeper { jobs, thread }, kept))
    }

    /// Keeps the command of this index; durable when it returns.
    pub async fn append(&self, index: u64, command: Vec<u8>) -> Result<(), KeeperError> {
        let (reply, answer) = oneshot::channel();
        let job = KeeperJob::Append { index, command, reply };
        self.jobs.send(job).await.map_err(|_| KeeperError::Gone)?;
        answer.await.map_err(|_| KeeperError::Gone)?.map_err(KeeperError::Meta)
    }

    /// Keeps a snapshot instead of the commands up to `index`, some time soon.
    pub async fn save_snapshot(&self, index: u64, snapshot: Vec<u8>) -> Result<(), KeeperError> {
        let job = KeeperJob::Snapshot { index, snapshot };
        self.jobs.send(job).await.map_err(|_| KeeperError::Gone)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        while let Err(mpsc::error::TrySendError::Full(_)) = self.jobs.try_send(KeeperJob::Stop) {
            std::thread::yield_now();
        }
        self.thread.join();
    }
}

fn run(log: &CommandLog, mut queue: mpsc::Receiver<KeeperJob>) {
    while let Some(job) = queue.blocking_recv() {
        match job {
            KeeperJob::Append { index, command, reply } => {
                let _ = reply.send(log.append(index, &[command]));
            }
            KeeperJob::Snapshot { index, snapshot } => {
                // The commands are still there: a later snapshot will do.
                if let Err(error) = log.save_snapshot(index, &snapshot) {
                    tracing::warn!(%error, "no snapshot of the directory");
                }
            }
            KeeperJob::Stop => return,
        }
    }
}
