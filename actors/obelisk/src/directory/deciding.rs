//! One decision after the other: asked, made durable, applied, published. The
//! one Obelisk decides by itself; its commands are indexed, so that a Raft log
//! can take its place.

use super::history::{History, HistoryLimits};
use pyralog_directory::{Command, Directory, DirectoryError, Outcome};
use pyralog_model::{ApiError, ErrorCode};
use pyralog_pharaoh::DirectoryHub;
use pyralog_store::{Keeper, KeeperError, Kept};
use std::sync::Arc;

/// A snapshot replaces the commands after at least this many of them, and after
/// at most that many; between the two when they are a quarter of it, so that a
/// large directory is not written again and again.
const SNAPSHOT_AFTER_MIN: usize = 512;
const SNAPSHOT_AFTER_MAX: usize = 16_384;
const SNAPSHOT_SHARE: usize = 4;

/// What came of a command, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decided {
    /// Its index; that of the last command if nothing had to be changed.
    pub(crate) index: u64,
    pub(crate) outcome: Outcome,
}

/// Why there is no decision.
#[derive(Debug)]
pub(crate) enum Undecided {
    /// The directory refuses.
    Refused(DirectoryError),
    /// It could not be kept.
    NotKept(KeeperError),
}

impl Undecided {
    /// True if nothing can be decided any more before a new start.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Undecided::Refused(_) => false,
            Undecided::NotKept(error) => {
                !matches!(error, KeeperError::DiskFull | KeeperError::Unsettled)
            }
        }
    }
}

impl From<Undecided> for ApiError {
    fn from(undecided: Undecided) -> ApiError {
        match undecided {
            Undecided::Refused(refused) => refused.into(),
            Undecided::NotKept(error @ KeeperError::DiskFull) => {
                ApiError::new(ErrorCode::DiskFull, error.to_string())
            }
            Undecided::NotKept(error) => {
                let message = format!("{error}; the change may or may not be made");
                ApiError::new(ErrorCode::Timeout, message)
            }
        }
    }
}

/// The directory and what keeps it.
pub(crate) struct Deciding {
    directory: Arc<Directory>,
    keeper: Keeper,
    hub: DirectoryHub,
    pub(super) history: History,
    /// Commands since the last snapshot, their bytes, and its own.
    since: usize,
    since_bytes: usize,
    snapshot_bytes: usize,
}

impl Deciding {
    /// Goes on where `kept` ends.
    ///
    /// # Errors
    /// When it cannot be read: a newer program wrote it, or it is damaged.
    pub(crate) fn restore(
        keeper: Keeper,
        kept: Kept,
        hub: DirectoryHub,
        limits: HistoryLimits,
    ) -> Result<Deciding, Box<dyn std::error::Error + Send + Sync>> {
        let (snapshot, commands) = kept;
        let snapshot_bytes = snapshot.as_ref().map_or(0, |(_, bytes)| bytes.len());
        let mut directory = match snapshot {
            Some((_, bytes)) => Directory::restore(&bytes)?,
            None => Directory::default(),
        };
        let mut history = History::new(directory.last_index(), limits);
        let (since, mut since_bytes) = (commands.len(), 0);
        for (index, bytes) in commands {
            let command = Command::decode(&bytes)?;
            // A command is kept only after it was applied once: it applies again.
            directory.apply(index, &command)?;
            since_bytes += bytes.len();
            history.push(command, bytes.len());
        }
        let directory = Arc::new(directory);
        Ok(Deciding { directory, keeper, hub, history, since, since_bytes, snapshot_bytes })
    }

    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    pub(crate) fn publish(&self) {
        self.hub.publish(Arc::clone(&self.directory));
    }

    /// Durable and published when it returns.
    pub(crate) async fn decide(&mut self, command: Command) -> Result<Decided, Undecided> {
        if let Some(outcome) = settled(&self.directory, &command) {
            return Ok(Decided { index: self.directory.last_index(), outcome });
        }
        // What is published is shared: the copy is cheap, and changes what it must.
        let mut next = Directory::clone(&self.directory);
        let index = next.last_index() + 1;
        let outcome = next.apply(index, &command).map_err(Undecided::Refused)?;
        let bytes = command.encode();
        let length = bytes.len();
        self.keeper.append(index, bytes).await.map_err(Undecided::NotKept)?;
        self.directory = Arc::new(next);
        self.history.push(command, length);
        (self.since, self.since_bytes) = (self.since + 1, self.since_bytes + length);
        self.publish();
        if self.wants_snapshot() {
            let snapshot = self.directory.snapshot();
            (self.since, self.since_bytes, self.snapshot_bytes) = (0, 0, snapshot.len());
            self.keeper.save_snapshot(index, snapshot).await.map_err(Undecided::NotKept)?;
        }
        Ok(Decided { index, outcome })
    }

    fn wants_snapshot(&self) -> bool {
        let large = self.since_bytes >= self.snapshot_bytes / SNAPSHOT_SHARE;
        (self.since >= SNAPSHOT_AFTER_MIN && large) || self.since >= SNAPSHOT_AFTER_MAX
    }
}

/// The outcome of a command that would change nothing: it is not written, so
/// that whoever asks again and again does not fill the disk.
fn settled(directory: &Directory, command: &Command) -> Option<Outcome> {
    match command {
        Command::FoundCluster { cluster } => {
            (directory.cluster() == Some(*cluster)).then_some(Outcome::ClusterFounded(*cluster))
        }
        Command::CreateCounter { name, mode } => {
            let there = directory.counter(name)?;
            directory.check(command).ok()?;
            (there.mode == *mode).then_some(Outcome::CounterCreated(there.number))
        }
        Command::StartNode { name, store, roles, next, advertised, .. } => {
            let node = directory.nodes().find(|node| node.store == *store)?;
            let same = node.name == *name
                && node.token == Some(*next)
                && node.roles == *roles
                && node.advertised == *advertised;
            let (number, incarnation) = (node.number, node.incarnation);
            same.then_some(Outcome::NodeStarted { number, incarnation })
        }
        Command::AlterLog { number, settings } => {
            let there = directory.log_by_number(*number)?;
            (there.settings == *settings).then_some(Outcome::LogAltered(*number))
        }
        Command::AlterSchema { number, schema } => {
            let there = directory.log_by_number(*number)?.schema.as_ref()?;
            (there.columns == schema.columns).then_some(Outcome::LogAltered(*number))
        }
        _ => None,
    }
}
