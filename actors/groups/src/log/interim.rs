//! Stands in for what the façade will offer.

use futures::FutureExt;
use futures::future::BoxFuture;
use pyralog_directory::Directory;
use pyralog_model::{ApiError, Offset, PartitionId};
use pyralog_partition::Shen;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

pub(super) trait Interim {
    fn serving(&self, id: PartitionId) -> BoxFuture<'_, ()>;
    fn watch_directory(&self) -> watch::Receiver<Arc<Directory>>;
    fn delete_records(
        &self,
        id: PartitionId,
        before: Offset,
    ) -> BoxFuture<'_, Result<Offset, ApiError>>;
}

impl Interim for Shen {
    fn serving(&self, id: PartitionId) -> BoxFuture<'_, ()> {
        async move {
            while self.watermarks(id).is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        .boxed()
    }

    fn watch_directory(&self) -> watch::Receiver<Arc<Directory>> {
        let (sender, receiver) = watch::channel(Arc::default());
        let shen = self.clone();
        tokio::spawn(async move {
            while sender.receiver_count() > 0 {
                let _ = shen.logs();
                sender.send_modify(|_| ());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        receiver
    }

    fn delete_records(&self, _: PartitionId, _: Offset) -> BoxFuture<'_, Result<Offset, ApiError>> {
        async { Err(ApiError::unavailable("deletion of records")) }.boxed()
    }
}
