//! The data directory as a whole: who may use it, whose it is, and how often it
//! was started.
//!
//! ```text
//! DIR/LOCK         held (flock) by the one process that uses it
//! DIR/node.toml    identity, see `node_file`
//! DIR/pyramid/…    what the Pyramid stores
//! DIR/obelisk/…    what the Obelisk stores
//! ```
//!
//! Opening takes the lock, reads or founds the identity, and raises the boot
//! number durably *before* anything else starts: whatever carries a boot number
//! can then be told from what an earlier start wrote.

mod error;
mod node_file;
mod temporary;

pub use error::DataDirectoryError;
pub use node_file::{FORMAT_VERSION, NodeFile};
pub use temporary::TemporaryDirectory;

use pyralog_env::{DirectoryLock, Disk, Entropy, LockError};
use pyralog_model::{Boot, ClusterId, NodeNumber, StartToken, StoreId};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A data directory that is ours until this value is dropped.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    node: NodeFile,
    was_clean: bool,
    _lock: DirectoryLock,
}

/// What the configuration says about a node's identity.
#[derive(Debug, Default, Clone)]
pub struct Wanted {
    /// The configured name.
    pub name: Option<String>,
    /// The configured cluster.
    pub cluster: Option<ClusterId>,
    /// A new directory without a configured cluster founds one.
    pub founds: bool,
}

impl DataDirectory {
    /// Opens `path`, founding it when it is new, and raises its boot number.
    ///
    /// # Errors
    /// When another process has it, when its format is newer than this program,
    /// when it belongs to another name or cluster than wanted, or when the disk
    /// refuses.
    pub fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        wanted: &Wanted,
        entropy: &dyn Entropy,
    ) -> Result<DataDirectory, DataDirectoryError> {
        let fail = DataDirectoryError::io("open", path);
        create_durably(&*disk, path).map_err(|error| match error.kind() {
            // A file has the name: that it "exists" would not say what is wrong.
            io::ErrorKind::AlreadyExists => fail(io::ErrorKind::NotADirectory.into()),
            _ => fail(error),
        })?;
        let lock = DirectoryLock::acquire(path).map_err(|error| match error {
            LockError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                fail(source)
            }
            error => error.into(),
        })?;
        let found = NodeFile::read(&*disk, path)?;
        let was_clean = found.as_ref().is_none_or(|node| node.clean);
        let mut node = match found {
            Some(node) => node.matching(path, wanted)?,
            None => NodeFile::found(wanted, entropy),
        };
        if node.cluster.is_none() && wanted.founds {
            node.cluster = Some(ClusterId(entropy.next_u128()));
        }
        node.boot = Boot(node.boot.0 + 1);
        node.clean = false;
        node.write(&*disk, path)?;
        Ok(DataDirectory { path: path.to_owned(), disk, node, was_clean, _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who the node is.
    pub fn node(&self) -> &NodeFile {
        &self.node
    }

    /// True when the last process shut down in order, or there was none.
    pub fn was_clean(&self) -> bool {
        self.was_clean
    }

    /// The store's number of starts.
    pub fn boot(&self) -> Boot {
        self.node.boot
    }

    /// The store.
    pub fn store(&self) -> StoreId {
        self.node.store
    }

    /// Keeps what the cluster said about this node when it took its start.
    pub fn record_membership(
        &mut self,
        cluster: ClusterId,
        number: NodeNumber,
        token: StartToken,
    ) -> Result<(), DataDirectoryError> {
        let mut node = self.node.clone().with_cluster(&self.path, Some(cluster))?;
        node.number = Some(number);
        node.start_tokens = vec![token];
        self.replace(node)
    }

    /// Keeps a token before it is sent, so that the next start knows it in case
    /// its arrival is never heard of. Says which one to send: `drawn`, or the last
    /// one if too many were never answered.
    pub fn add_start_token(&mut self, drawn: StartToken) -> Result<StartToken, DataDirectoryError> {
        let mut node = self.node.clone();
        let token = node.add_start_token(drawn);
        self.replace(node)?;
        Ok(token)
    }

    fn replace(&mut self, node: NodeFile) -> Result<(), DataDirectoryError> {
        if self.node != node {
            node.write(&*self.disk, &self.path)?;
            self.node = node;
        }
        Ok(())
    }

    /// Says that everything has been synced and stopped. The last write.
    pub fn mark_clean(&mut self) -> Result<(), DataDirectoryError> {
        self.node.clean = true;
        self.node.write(&*self.disk, &self.path)
    }
}

/// A directory whose own name is lost after a power cut loses all that is in
/// it, so every name that this makes is synced.
fn create_durably(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let here = |path: &'_ Path| {
        if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
    };
    let mut changed = Vec::new();
    for (name, parent) in path.ancestors().zip(path.ancestors().skip(1)) {
        if disk.exists(name)? {
            break;
        }
        changed.push(here(parent));
    }
    disk.create_dir_all(path)?;
    changed.iter().try_for_each(|parent| disk.sync_dir(parent))
}

#[cfg(test)]
#[path = "data_directory/tests.rs"]
mod tests;
