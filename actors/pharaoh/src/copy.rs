//! This node's durable copy of the cluster's directory. It serves from the first
//! moment from what it has, with or without an Obelisk, and follows one when it
//! can.
//!
//! ```text
//!   start ──▶ look ──────────────────▶ follow ◀─┐
//!                │ another directory     │  └────┘ commands: durable, applied, published
//!                ▼                       │         too far behind: a snapshot first
//!             diverged: nothing is       │ no answer
//!             taken, asked again later   ▼
//!                                     waiting ─▶ look
//! ```
//!
//! A copy never goes back: an Obelisk whose directory is shorter, or another one,
//! was put together from the wrong files, and to follow it would delete logs. The
//! Obelisk itself compares, before each answer, by the digest of all commands that
//! comes with each question.

mod following;

pub use following::{CopyArguments, CopyMessage, DirectoryCopy};

use crate::hub::{CopyState, DirectoryHub};
use pyralog_directory::{Command, Directory, Holding};
use pyralog_store::{Keeper, KeeperError, Kept};
use ractor::ActorProcessingErr;
use std::sync::Arc;

/// A snapshot replaces the commands after this many of them.
const SNAPSHOT_EVERY: u64 = 512;

/// Why something was not taken.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    /// An operator has to look.
    #[error("{0}")]
    Diverged(String),
    /// The disk has no room, or the database is no good any more.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// The copy itself: what was applied, and where it is kept.
struct Copy {
    directory: Arc<Directory>,
    keeper: Keeper,
    hub: DirectoryHub,
}

impl Copy {
    fn open(keeper: Keeper, kept: Kept, hub: DirectoryHub) -> Result<Copy, ActorProcessingErr> {
        let (snapshot, commands) = kept;
        let mut directory = match snapshot {
            Some((_, bytes)) => Directory::restore(&bytes)?,
            None => Directory::default(),
        };
        for (index, bytes) in commands {
            let command = Command::decode(&bytes)?;
            // A command is kept only after it was applied once: it applies again.
            directory.apply(index, &command)?;
        }
        let copy = Copy { directory: Arc::new(directory), keeper, hub };
        copy.hub.publish(Arc::clone(&copy.directory));
        Ok(copy)
    }

    fn index(&self) -> u64 {
        self.directory.last_index()
    }

    /// Makes the commands that follow durable, then shows what they made.
    async fn take(&mut self, commands: Vec<Command>) -> Result<(), CopyError> {
        let (before, first) = (self.index(), self.index() + 1);
        let mut next = Directory::clone(&self.directory);
        for (index, command) in (first..).zip(&commands) {
            // The Obelisk keeps only what its directory has carried out.
            next.apply(index, command).map_err(|refused| {
                CopyError::Diverged(format!(
                    "command {index} of the Obelisk's directory does not fit this node's copy: \
                     {refused}"
                ))
            })?;
        }
        self.keeper.append_all(first, commands.iter().map(Command::encode).collect()).await?;
        let index = next.last_index();
        if index / SNAPSHOT_EVERY != before / SNAPSHOT_EVERY {
            self.keeper.save_snapshot(index, next.snapshot()).await?;
        }
        self.show(next);
        Ok(())
    }

    /// Takes a snapshot in place of commands that are not to be had any more.
    async fn install(&mut self, index: u64, bytes: Vec<u8>) -> Result<(), CopyError> {
        let diverged = |what: String| Err(CopyError::Diverged(what));
        let next = match Directory::restore(&bytes) {
            Ok(next) => next,
            Err(error) => return diverged(format!("the Obelisk's snapshot is damaged: {error}")),
        };
        if next.last_index() != index || index < self.index() {
            return diverged(format!(
                "the Obelisk's snapshot ends at {}, this node's copy stands at {}",
                next.last_index(),
                self.index()
            ));
        }
        if self.directory.cluster().is_some() && next.cluster() != self.directory.cluster() {
            return diverged("the Obelisk's snapshot is of another cluster".to_owned());
        }
        if next.holds(&self.directory.known()) == Holding::No {
            return diverged("the Obelisk's snapshot was made in another way".to_owned());
        }
        self.keeper.install_snapshot(index, bytes).await?;
        self.show(next);
        Ok(())
    }

    fn show(&mut self, next: Directory) {
        self.directory = Arc::new(next);
        self.hub.publish(Arc::clone(&self.directory));
        self.hub.set_state(CopyState::Following);
    }
}
