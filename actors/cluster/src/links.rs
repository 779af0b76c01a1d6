//! The handle on everything this node has to do with others. It is made before
//! the tree and outlives every actor in it.

mod nonces;
mod shared;
mod table;

pub(crate) use shared::Shared;
pub(crate) use table::Table;

use crate::cookie::Cookie;
use crate::pulse::Standing;
use crate::router::Service;
use crate::{Peer, PeerIdentity, SelfCell, SelfIdentity};
use pyralog_env::{Clock, Entropy};
use std::sync::Arc;
use std::time::Duration;

/// What links need from the node.
pub struct LinkSettings {
    /// What is known about this node at its start.
    pub identity: SelfIdentity,
    /// The secret of the cluster.
    pub cookie: Cookie,
    /// The node's clock.
    pub clock: Arc<dyn Clock>,
    /// The node's chance.
    pub entropy: Arc<dyn Entropy>,
}

/// One standing link, for listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Who is at the other end.
    pub identity: PeerIdentity,
    /// Whether this node dialled.
    pub dialled: bool,
    /// Whether the peer is suspected.
    pub silent: bool,
    /// How long the last heartbeat took, if this side has sent one.
    pub rtt: Option<Duration>,
    /// Calls from here that wait for their answer.
    pub calls_in_flight: usize,
    /// How long it stands.
    pub age: Duration,
    /// Bytes that came.
    pub read_bytes: u64,
    /// Bytes that went.
    pub written_bytes: u64,
}

/// The handle. Clones are the same. One per process: ractor_cluster keeps its
/// groups in a registry that two nodes in one process would share.
#[derive(Clone)]
pub struct Links {
    pub(crate) shared: Arc<Shared>,
}

impl Links {
    /// A handle without actors; nothing is dialled before the tree runs.
    pub fn new(settings: LinkSettings) -> Links {
        Links { shared: Arc::new(Shared::new(settings)) }
    }

    /// What this node tells its peers, to be filled in when it is known.
    pub fn identity(&self) -> &SelfCell {
        &self.shared.identity
    }

    /// Offers a service to all peers, from 1 on; one of the same number is
    /// replaced. Number 0 is the heartbeat's and cannot be taken.
    pub fn serve(&self, number: u16, service: Arc<dyn Service>) {
        self.shared.desk.serve(number, service);
    }

    /// Offers it no longer.
    pub fn withdraw(&self, number: u16) {
        self.shared.desk.withdraw(number);
    }

    /// The peer at `host:port`, dialled from now on for as long as the tree
    /// runs. The same endpoint is the same peer.
    pub fn dial(&self, endpoint: &str) -> Peer {
        self.shared.dial(endpoint)
    }

    /// The links that stand, in both directions.
    pub fn linked(&self) -> Vec<LinkRow> {
        let now = self.shared.clock.monotonic();
        let links = self.shared.table.all();
        let stand = links
            .into_iter()
            .filter(|link| matches!(link.pulse.standing(), Standing::Up | Standing::Silent));
        let row = |link: Arc<crate::link::Link>| {
            let (read_bytes, written_bytes) = link.pulse.bytes();
            LinkRow {
                identity: link.identity(),
                dialled: link.dialled,
                silent: link.pulse.standing() == Standing::Silent,
                rtt: link.rtt(),
                calls_in_flight: link.calls_in_flight(),
                age: now.since(link.opened),
                read_bytes,
                written_bytes,
            }
        };
        stand.map(row).collect()
    }
}
