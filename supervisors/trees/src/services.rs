//! What partitions and doors want from the Obelisks, answered by the client.

use pyralog_kafka::Sessions;
use pyralog_model::{ApiError, Epoch, PartitionId, ScarabId, SessionId};
use pyralog_partition::{EpochLabels, IdSource};
use pyralog_pharaoh::{LaneHandle, Pharaoh};
use std::pin::Pin;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Scarab ids for batches, from the node's own lane.
pub(crate) struct LaneIds(pub(crate) LaneHandle);

impl IdSource for LaneIds {
    fn claim(&self, records: u32) -> Option<ScarabId> {
        self.0.claim(records)
    }

    fn prepare(&self) -> Option<Boxed<()>> {
        if self.0.is_ready() {
            return None;
        }
        let lane = self.0.clone();
        Some(Box::pin(async move { lane.prepare().await }))
    }
}

/// Sessions of producers and labels of epochs, one call each.
pub(crate) struct Asked(pub(crate) Pharaoh);

impl Sessions for Asked {
    fn next(&self) -> Boxed<Result<SessionId, ApiError>> {
        let pharaoh = self.0.clone();
        Box::pin(async move { pharaoh.session().await })
    }
}

impl EpochLabels for Asked {
    fn label(&self, _: PartitionId, _: Epoch) -> Boxed<Option<u64>> {
        let pharaoh = self.0.clone();
        Box::pin(async move { pharaoh.epoch_labels(1).await.ok() })
    }
}
