//! Who a node says it is, to others and about others.

use pyralog_directory::Roles;
use pyralog_model::{Boot, ClusterId, NodeNumber, StoreId};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What this node tells its peers about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelfIdentity {
    /// The cluster, once it is known: a fresh node learns it from a peer.
    pub cluster: Option<ClusterId>,
    /// The node's number, once the directory has given it.
    pub node: Option<NodeNumber>,
    /// The data directory.
    pub store: StoreId,
    /// Which start of it: no other process says the same, not one on a copy either.
    pub boot: Boot,
    /// What the node does.
    pub roles: Roles,
}

/// The identity of this node as a cell that is filled in while it runs. Clones
/// are the same cell; handshakes read it anew each time.
#[derive(Debug, Clone)]
pub struct SelfCell(Arc<Mutex<SelfIdentity>>);

impl SelfCell {
    /// A cell with what is known at the start.
    pub fn new(identity: SelfIdentity) -> SelfCell {
        SelfCell(Arc::new(Mutex::new(identity)))
    }

    /// What is known now.
    pub fn get(&self) -> SelfIdentity {
        *self.cell()
    }

    /// Fills in the cluster.
    pub fn set_cluster(&self, cluster: ClusterId) {
        self.cell().cluster = Some(cluster);
    }

    /// Fills in the node's number.
    pub fn set_node(&self, node: NodeNumber) {
        self.cell().node = Some(node);
    }

    fn cell(&self) -> MutexGuard<'_, SelfIdentity> {
        // A plain value is whole whoever panicked meanwhile.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is at the other end of a link, proven by the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerIdentity {
    /// Its cluster; `None` while it has not joined one.
    pub cluster: Option<ClusterId>,
    /// Its number; `None` while it has none.
    pub node: Option<NodeNumber>,
    /// Its data directory.
    pub store: StoreId,
    /// Which start of it.
    pub boot: Boot,
    /// What it does.
    pub roles: Roles,
    /// The other end of the connection, which need not be where it listens.
    pub address: SocketAddr,
}
