//! What partitions ask of the rest of the node, by the narrowest of traits: so
//! that they need not know who answers, and go on when nobody does.

use pyralog_model::{Epoch, PartitionId, ScarabId};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long an idle producer's session is remembered, if nobody says.
const PRODUCER_ID_EXPIRATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Scarab ids for the records of a partition.
pub trait IdSource: Send + Sync {
    /// The first of as many ids as there are records; none while there is no lease.
    /// It is called under a lock and never waits. A later call gives greater ids.
    fn claim(&self, records: u32) -> Option<ScarabId>;

    /// Something to wait for, shortly, before `claim`; none if it will succeed.
    fn prepare(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>>;
}

/// Labels for leaderships, for people: nothing waits for one or compares two.
pub trait EpochLabels: Send + Sync {
    /// The label of an epoch; it may take as long as it likes. None if there is none
    /// for now: it is asked for again after a while.
    fn label(
        &self,
        partition: PartitionId,
        epoch: Epoch,
    ) -> Pin<Box<dyn Future<Output = Option<u64>> + Send>>;
}

/// What every partition of a node is given.
#[derive(Clone)]
pub struct PartitionServices {
    /// Where ids come from, if there are any.
    pub ids: Option<Arc<dyn IdSource>>,
    /// Where labels come from, if there are any.
    pub labels: Option<Arc<dyn EpochLabels>>,
    /// How long an idle producer's session is remembered.
    pub producer_id_expiration: Duration,
}

impl Default for PartitionServices {
    fn default() -> PartitionServices {
        let producer_id_expiration = PRODUCER_ID_EXPIRATION;
        PartitionServices { ids: None, labels: None, producer_id_expiration }
    }
}

impl fmt::Debug for PartitionServices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionServices")
            .field("ids", &self.ids.is_some())
            .field("labels", &self.labels.is_some())
            .field("producer_id_expiration", &self.producer_id_expiration)
            .finish()
    }
}
