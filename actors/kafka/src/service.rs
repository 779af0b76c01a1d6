//! What every connection shares: the façade, the settings, the memory.

use crate::sessions::Sessions;
use crate::settings::KafkaSettings;
use pyralog_groups::Groups;
use pyralog_partition::Shen;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Shared by all connections of one door.
pub(crate) struct Service {
    pub shen: Shen,
    pub groups: Groups,
    pub sessions: Arc<dyn Sessions>,
    pub settings: KafkaSettings,
    /// Bytes of requests in flight.
    inbound: Arc<Semaphore>,
    /// Bytes of fetched records on their way out. Apart from `inbound`, so that
    /// slow readers do not keep producers waiting.
    outbound: Arc<Semaphore>,
}

/// The connection a request came by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// The address the client dialled, as this side sees it.
    pub local: SocketAddr,
    /// Where the client calls from.
    pub peer: SocketAddr,
}

impl Service {
    pub(crate) fn new(
        shen: Shen,
        groups: Groups,
        sessions: Arc<dyn Sessions>,
        settings: KafkaSettings,
    ) -> Service {
        let bytes = settings.global_bytes_max;
        let (inbound, outbound) =
            (Arc::new(Semaphore::new(bytes)), Arc::new(Semaphore::new(bytes)));
        Service { shen, groups, sessions, settings, inbound, outbound }
    }

    /// Waits for room for `bytes` of requests. More than there ever is becomes
    /// all there is, so that nothing waits for ever.
    pub(crate) async fn admit_request(&self, bytes: usize) -> OwnedSemaphorePermit {
        admit(&self.inbound, bytes, self.settings.global_bytes_max).await
    }

    /// Waits for room for `bytes` of fetched records.
    pub(crate) async fn admit_response(&self, bytes: usize) -> OwnedSemaphorePermit {
        admit(&self.outbound, bytes, self.settings.global_bytes_max).await
    }

    /// Host and port for `caller`.
    pub(crate) fn advertised(&self, caller: Caller) -> (String, u16) {
        match &self.settings.advertised {
            Some(address) => address.clone(),
            // An IPv4 client of a dual-stack socket knows nothing of ::ffff:1.2.3.4.
            None => (caller.local.ip().to_canonical().to_string(), caller.local.port()),
        }
    }
}

/// Takes `bytes` permits, but never more than `bytes_max`.
pub(crate) async fn admit(
    room: &Arc<Semaphore>,
    bytes: usize,
    bytes_max: usize,
) -> OwnedSemaphorePermit {
    let permits = u32::try_from(bytes.min(bytes_max)).unwrap_or(u32::MAX);
    room.clone().acquire_many_owned(permits).await.expect("the semaphore is never closed")
}
