//! Where the present directory is found: by doors, by the façade, by whoever
//! starts partitions. It outlives the actor that publishes into it.

use pyralog_directory::Directory;
use pyralog_model::{ApiError, ErrorCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How the copy stands to the Obelisk's directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CopyState {
    /// No Obelisk has answered since the start: it shows what it had.
    #[default]
    Kept,
    /// It is told of every change.
    Following,
    /// No Obelisk answers, or the disk has no room: it shows what it has.
    Waiting(String),
    /// The Obelisk's directory is another one, or older than the copy. Nothing is
    /// taken from it, and an operator has to look.
    Diverged(String),
}

/// Where the present directory is found. Clones share it.
#[derive(Debug, Clone)]
pub struct DirectoryHub {
    directory: Arc<watch::Sender<Arc<Directory>>>,
    state: Arc<watch::Sender<CopyState>>,
    opened: Arc<watch::Sender<bool>>,
}

impl Default for DirectoryHub {
    fn default() -> DirectoryHub {
        DirectoryHub {
            directory: Arc::new(watch::Sender::new(Arc::default())),
            state: Arc::new(watch::Sender::new(CopyState::default())),
            opened: Arc::new(watch::Sender::new(false)),
        }
    }
}

impl DirectoryHub {
    /// The present directory; an empty one (index 0) before the first.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.borrow())
    }

    /// Told of every change.
    pub fn watch(&self) -> watch::Receiver<Arc<Directory>> {
        self.directory.subscribe()
    }

    /// How the copy stands to the Obelisk's directory.
    pub fn state(&self) -> CopyState {
        self.state.borrow().clone()
    }

    /// Told when that changes.
    pub fn watch_state(&self) -> watch::Receiver<CopyState> {
        self.state.subscribe()
    }

    /// Shows another state of the directory, if it is a later one. For the actor
    /// that keeps it.
    pub fn publish(&self, directory: Arc<Directory>) {
        self.directory.send_if_modified(|present| {
            // An actor that was started again reads what it had published.
            let later = directory.last_index() > present.last_index();
            if later {
                *present = directory;
            }
            later
        });
        self.opened.send_if_modified(|opened| !std::mem::replace(opened, true));
    }

    /// Returns when what the node had kept has been read.
    ///
    /// # Errors
    /// `unavailable` if that takes longer than `patience`.
    pub(crate) async fn opened(&self, patience: Duration) -> Result<(), ApiError> {
        let mut opened = self.opened.subscribe();
        let opened = opened.wait_for(|opened| *opened);
        match tokio::time::timeout(patience, opened).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(ApiError::unavailable("this node's copy of the directory")),
        }
    }

    /// Says how the copy stands. For the actor that keeps it.
    pub fn set_state(&self, state: CopyState) {
        self.state.send_if_modified(|present| {
            let other = *present != state;
            if other {
                *present = state;
            }
            other
        });
    }

    /// Returns when the directory has the command of this index, so that whoever
    /// made a change reads it.
    ///
    /// # Errors
    /// `timeout`: the change is made, this node does not show it yet.
    pub async fn reach(&self, index: u64, patience: Duration) -> Result<Arc<Directory>, ApiError> {
        let mut changes = self.watch();
        let reached = changes.wait_for(|directory| directory.last_index() >= index);
        match tokio::time::timeout(patience, reached).await {
            Ok(Ok(directory)) => Ok(Arc::clone(&directory)),
            // The sender lives as long as this hub.
            Ok(Err(_)) | Err(_) => Err(ApiError::new(
                ErrorCode::Timeout,
                format!(
                    "the change is made (index {index}), but this node's copy of the directory \
                     does not show it yet; it stands at {}",
                    self.directory().last_index()
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_directory::Command;
    use pyralog_model::ClusterId;

    fn founded() -> Arc<Directory> {
        let mut directory = Directory::default();
        directory.apply(1, &Command::FoundCluster { cluster: ClusterId(1) }).unwrap();
        Arc::new(directory)
    }

    #[tokio::test]
    async fn it_never_goes_back_and_whoever_waits_is_told() {
        let hub = DirectoryHub::default();
        let waiting = hub.clone();
        let waiting =
            tokio::spawn(async move { waiting.reach(1, Duration::from_secs(10)).await.unwrap() });
        hub.publish(founded());
        hub.publish(Arc::default());
        assert_eq!(waiting.await.unwrap().last_index(), 1);
        assert_eq!(hub.directory().last_index(), 1);
        let late = hub.reach(2, Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(late.code, ErrorCode::Timeout);
    }
}
