//! The directory's keeper: a thread that makes commands durable, one after the
//! other, in a small database of its own.
//!
//! A full disk refuses a command and nothing else: the database is begun again
//! and asked what became of it. Any other failure is FAILSTOP.

use crate::health::{Health, HealthLatch};
use crate::thread::OwnedThread;
use pyralog_env::Disk;
use pyralog_meta::{LoadedCommands, MetaError};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

mod shelf;

use shelf::Shelf;

/// Why a command is not kept.
#[derive(Debug, Error)]
pub enum KeeperError {
    /// The database refused.
    #[error("the directory's database: {0}")]
    Meta(#[from] MetaError),
    /// There is no room. The command is not kept and never will be.
    #[error("the disk has no room for the directory; free some space and try again")]
    DiskFull,
    /// There is no room, not even to find out what became of the command.
    #[error("the disk has no room for the directory; free some space")]
    Unsettled,
    /// A command that was called unsettled is kept after all: only a new start
    /// reads it.
    #[error("the directory's database holds a command that was called unsettled")]
    Ahead,
    /// A write or a sync failed earlier in this process.
    #[error("the directory stopped ({0}); restart the node once the disk is sound")]
    Failed(String),
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
    Append { first: u64, commands: Vec<Vec<u8>>, reply: oneshot::Sender<Result<(), KeeperError>> },
    Snapshot { index: u64, snapshot: Vec<u8> },
    Install { index: u64, snapshot: Vec<u8>, reply: oneshot::Sender<Result<(), KeeperError>> },
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
    ///
    /// # Errors
    /// `Failed` if `health` is: a failure is final in its process.
    pub fn start(
        disk: Arc<dyn Disk>,
        path: &Path,
        health: HealthLatch,
    ) -> Result<(Keeper, Kept), KeeperError> {
        if let Health::Failed { cause } = health.get() {
            return Err(KeeperError::Failed(cause));
        }
        let (shelf, kept) = Shelf::open(disk, path, health.clone())?;
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let latch = health.clone();
        let thread = OwnedThread::start_vital("pyralog-directory", 0, health, move || {
            run(shelf, queue, &latch);
        })?;
        Ok((Keeper { jobs, thread }, kept))
    }

    /// Keeps the command of this index; durable when it returns.
    ///
    /// # Errors
    /// After `DiskFull` and `Unsettled` the keeper goes on.
    pub async fn append(&self, index: u64, command: Vec<u8>) -> Result<(), KeeperError> {
        self.append_all(index, vec![command]).await
    }

    /// Keeps the commands of `first` and the indices after it, all of them or
    /// none; durable when it returns.
    ///
    /// # Errors
    /// As `append`.
    pub async fn append_all(&self, first: u64, commands: Vec<Vec<u8>>) -> Result<(), KeeperError> {
        let (reply, answer) = oneshot::channel();
        let job = KeeperJob::Append { first, commands, reply };
        self.jobs.send(job).await.map_err(|_| KeeperError::Gone)?;
        answer.await.map_err(|_| KeeperError::Gone)?
    }

    /// Keeps a snapshot instead of the commands up to `index`, some time soon.
    pub async fn save_snapshot(&self, index: u64, snapshot: Vec<u8>) -> Result<(), KeeperError> {
        let job = KeeperJob::Snapshot { index, snapshot };
        self.jobs.send(job).await.map_err(|_| KeeperError::Gone)
    }

    /// Keeps a snapshot that came from elsewhere and may lie beyond the last
    /// command, in place of all commands up to `index`; durable when it returns.
    ///
    /// # Errors
    /// After `DiskFull` the keeper has what it had, and goes on.
    pub async fn install_snapshot(&self, index: u64, snapshot: Vec<u8>) -> Result<(), KeeperError> {
        let (reply, answer) = oneshot::channel();
        let job = KeeperJob::Install { index, snapshot, reply };
        self.jobs.send(job).await.map_err(|_| KeeperError::Gone)?;
        answer.await.map_err(|_| KeeperError::Gone)?
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

fn run(mut shelf: Shelf, mut queue: mpsc::Receiver<KeeperJob>, health: &HealthLatch) {
    while let Some(job) = queue.blocking_recv() {
        // Whatever failed in the data directory, here or elsewhere.
        let sound = health.failure().map_or(Ok(()), |cause| Err(KeeperError::Failed(cause)));
        match job {
            KeeperJob::Append { first, commands, reply } => {
                let _ = reply.send(sound.and_then(|()| shelf.append(first, &commands)));
            }
            KeeperJob::Snapshot { index, snapshot } if sound.is_ok() => {
                shelf.save_snapshot(index, &snapshot);
            }
            KeeperJob::Snapshot { .. } => {}
            KeeperJob::Install { index, snapshot, reply } => {
                let _ = reply.send(sound.and_then(|()| shelf.install_snapshot(index, &snapshot)));
            }
            KeeperJob::Stop => return,
        }
    }
}
