//! Why a data directory cannot be used.

use pyralog_env::LockError;
use pyralog_model::ClusterId;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DataDirectoryError {
    /// Another process has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A younger program wrote it.
    #[error(
        "{} has format version {found}, and this program knows versions up to {known}; start it with the program that wrote it, or a newer one",
        path.display()
    )]
    TooNew {
        /// The directory.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// `node.toml` cannot be understood.
    #[error(
        "{} is damaged: {why}; restore it from a backup (without it the directory's identity is lost)",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It belongs to a node of another name.
    #[error(
        "{} belongs to node '{found}', not '{wanted}'; leave out --node-id, or choose another --data-dir",
        path.display()
    )]
    OtherNode {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who asked.
        wanted: String,
    },
    /// It belongs to another cluster.
    #[error(
        "{} belongs to cluster {found}, not {wanted}; remove cluster_id from the configuration, or choose another --data-dir",
        path.display()
    )]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// Its cluster.
        found: ClusterId,
        /// The configured one.
        wanted: ClusterId,
    },
    /// There is something else in its place.
    #[error("{} is not a directory; choose another --data-dir", path.display())]
    NotADirectory {
        /// What is in its place, or in the place of one above it.
        path: PathBuf,
    },
    /// This user may not.
    #[error(
        "cannot {what} {}: permission denied; give the directory to the user that runs the node (chown), or choose another --data-dir",
        path.display()
    )]
    Denied {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
    },
    /// The disk refuses.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl DataDirectoryError {
    /// Makes an `io::Error` one of ours.
    pub(super) fn io(what: &'static str, path: &Path) -> impl Fn(io::Error) -> DataDirectoryError {
        move |source| {
            let path = path.to_owned();
            match source.kind() {
                ErrorKind::NotADirectory => DataDirectoryError::NotADirectory { path },
                ErrorKind::PermissionDenied => DataDirectoryError::Denied { what, path },
                _ => DataDirectoryError::Io { what, path, source },
            }
        }
    }
}
