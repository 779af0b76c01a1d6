//! Which partitions this node serves right now. Partition actors fill it; the
//! façade reads it. It outlives them all.

use crate::gate::Gate;
use pyralog_model::PartitionId;
use pyralog_store::StoreHandle;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use tokio::sync::watch;

/// From partition to its gate. Clones share it.
#[derive(Debug, Clone)]
pub struct Routes {
    gates: Arc<RwLock<HashMap<PartitionId, Arc<Gate>>>>,
    /// The store that keeps all of them, once there is one.
    store: Arc<RwLock<Option<StoreHandle>>>,
    /// Grows with every change, for those who wait for a partition to serve.
    version: Arc<watch::Sender<u64>>,
}

impl Default for Routes {
    fn default() -> Routes {
        let version = Arc::new(watch::Sender::new(0));
        Routes { gates: Arc::default(), store: Arc::default(), version }
    }
}

impl Routes {
    pub(crate) fn gate(&self, id: PartitionId) -> Option<Arc<Gate>> {
        self.gates.read().expect("no one panics holding the routes").get(&id).cloned()
    }

    /// Says which store keeps the partitions.
    pub(crate) fn set_store(&self, store: StoreHandle) {
        *self.store.write().expect("no one panics holding the store") = Some(store);
    }

    pub(crate) fn store(&self) -> Option<StoreHandle> {
        self.store.read().expect("no one panics holding the store").clone()
    }

    /// Shows every gate there is.
    pub(crate) fn for_each(&self, show: impl FnMut(&Arc<Gate>)) {
        self.gates.read().expect("no one panics holding the routes").values().for_each(show);
    }

    pub(crate) fn insert(&self, id: PartitionId, gate: Arc<Gate>) {
        self.gates.write().expect("no one panics holding the routes").insert(id, gate);
        self.version.send_modify(|version| *version += 1);
    }

    /// Closes the gate and takes it out, unless another one has taken its place.
    pub(crate) fn remove(&self, id: PartitionId, gate: &Arc<Gate>) {
        gate.close();
        let mut gates = self.gates.write().expect("no one panics holding the routes");
        if gates.get(&id).is_some_and(|present| Arc::ptr_eq(present, gate)) {
            gates.remove(&id);
        }
        drop(gates);
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}
