//! One process per data directory.
//!
//! The lock is the kernel's `flock` on `DIR/LOCK`: it ends with the process,
//! however that ends, so there is never a stale lock to clear by hand. What the
//! file says (process id and the time the lock was taken) is only for people.

use super::RealClock;
use crate::{Clock, WallMillis};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The name of the lock file in its directory.
const LOCK_FILE: &str = "LOCK";

/// `is_free` and a dying predecessor hold the lock for a moment: worth waiting
/// for, this often and this long each time.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Who holds a lock, as far as its file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockHolder {
    /// The process id.
    pub pid: u32,
    /// When the lock was taken.
    pub since: WallMillis,
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

/// Whether a directory is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// Nobody has it at this moment.
    Free,
    /// A process has it; `None` if the lock file does not tell which.
    Held(Option<LockHolder>),
}

/// Why a directory could not be locked.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "data directory {} is in use by {}; stop that process or choose another directory",
        dir.display(),
        holder.map_or_else(|| "another process".to_owned(), |holder| holder.to_string())
    )]
    Held {
        /// The directory.
        dir: PathBuf,
        /// Who has it; `None` if the file was not readable as ours.
        holder: Option<LockHolder>,
    },
    /// The lock file could not be made, locked or written.
    #[error("cannot lock data directory {}: {source}", dir.display())]
    Io {
        /// The directory.
        dir: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A data directory that is ours until this value is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    // Closing the descriptor is what releases the lock.
    _file: File,
    dir: PathBuf,
}

impl DirectoryLock {
    /// Locks `dir`, which must exist, and writes our process id into its lock
    /// file. Waits at most 100 ms for a holder that is about to go.
    ///
    /// # Errors
    /// `Held` names the process that has it.
    pub fn acquire(dir: &Path) -> Result<DirectoryLock, LockError> {
        let fail = |source| LockError::Io { dir: dir.to_owned(), source };
        let file = open(dir, true).map_err(fail)?;
        if !lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(fail)? {
            return Err(LockError::Held { dir: dir.to_owned(), holder: holder(dir) });
        }
        let text = format!("{}\n{}\n", std::process::id(), RealClock::new().wall().0);
        file.set_len(0).and_then(|()| file.write_all_at(text.as_bytes(), 0)).map_err(fail)?;
        Ok(DirectoryLock { _file: file, dir: dir.to_owned() })
    }

    /// True if nobody holds `dir` at this moment; also if it was never locked.
    ///
    /// # Errors
    /// Whatever opening or locking the file says, other than that it is missing.
    pub fn is_free(dir: &Path) -> io::Result<bool> {
        let file = match open(dir, false) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        // Shared, so that two who ask do not see each other.
        try_lock(&file, FlockOperation::NonBlockingLockShared)
    }

    /// Whether somebody holds `dir` at this moment, and who. Changes nothing, and
    /// needs no right to; a directory that was never locked is free.
    ///
    /// # Errors
    /// Whatever opening or locking the file says, other than that it is missing.
    pub fn look(dir: &Path) -> io::Result<LockState> {
        let file = match File::open(dir.join(LOCK_FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockState::Free),
            Err(error) => return Err(error),
        };
        match try_lock(&file, FlockOperation::NonBlockingLockShared)? {
            true => Ok(LockState::Free),
            false => Ok(LockState::Held(holder(dir))),
        }
    }

    /// The directory that is locked.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn open(dir: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).truncate(false).mode(0o600);
    options.open(dir.join(LOCK_FILE))
}

fn lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    for _ in 1..ATTEMPTS {
        if try_lock(file, operation)? {
            return Ok(true);
        }
        std::thread::sleep(PAUSE);
    }
    try_lock(file, operation)
}

fn try_lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(true),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn holder(dir: &Path) -> Option<LockHolder> {
    let text = fs::read_to_string(dir.join(LOCK_FILE)).ok()?;
    let mut lines = text.lines();
    let pid = lines.next()?.parse().ok()?;
    let since = WallMillis(lines.next()?.parse().ok()?);
    Some(LockHolder { pid, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(DirectoryLock::is_free(dir.path()).unwrap());
        let first = DirectoryLock::acquire(dir.path()).unwrap();
        assert!(!DirectoryLock::is_free(dir.path()).unwrap());
        let LockState::Held(Some(seen)) = DirectoryLock::look(dir.path()).unwrap() else {
            panic!("held");
        };
        assert_eq!(seen.pid, std::process::id());
        let refused = DirectoryLock::acquire(dir.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        assert_eq!(DirectoryLock::look(dir.path()).unwrap(), LockState::Free);
        assert!(DirectoryLock::is_free(dir.path()).unwrap());
        DirectoryLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_missing_directory_is_an_error_and_not_a_holder() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert!(matches!(DirectoryLock::acquire(&missing), Err(LockError::Io { .. })));
    }
}
