//! What the façade does not tell yet: when a partition serves, and when the directory
//! changes. Until it does, both are looked at again and again. Methods of `Shen` itself
//! with these names come before these.

use futures::FutureExt;
use futures::future::BoxFuture;
use pyralog_model::PartitionId;
use pyralog_partition::Shen;
use std::time::Duration;
use tokio::sync::watch;

const SERVING_LOOKS: Duration = Duration::from_millis(20);
const DIRECTORY_LOOKS: Duration = Duration::from_millis(200);

pub(super) trait Interim {
    /// Resolves when the partition serves.
    fn serving(&self, id: PartitionId) -> BoxFuture<'_, ()>;

    /// Told when the directory may have changed.
    fn watch_directory(&self) -> watch::Receiver<()>;
}

impl Interim for Shen {
    fn serving(&self, id: PartitionId) -> BoxFuture<'_, ()> {
        async move {
            while self.watermarks(id).is_err() {
                tokio::time::sleep(SERVING_LOOKS).await;
            }
        }
        .boxed()
    }

    fn watch_directory(&self) -> watch::Receiver<()> {
        let (sender, receiver) = watch::channel(());
        tokio::spawn(async move {
            while sender.send(()).is_ok() {
                tokio::time::sleep(DIRECTORY_LOOKS).await;
            }
        });
        receiver
    }
}
