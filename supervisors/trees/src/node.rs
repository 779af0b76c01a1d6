//! A node: the tiers that its roles name, side by side, and what they share.

use crate::metrics;
use crate::pyramid::{PyramidArguments, Shared, pyramid_child};
use pyralog_behaviour::{ChildSpec, Supervisor, SupervisorSpec, Tree};
use pyralog_cluster::{LinkArguments, Links, link_child};
use pyralog_console::{ConsoleArguments, ConsoleLimits, NodeFacts, Readiness, console_child};
use pyralog_counter::ArenaOptions;
use pyralog_counter::cells::MappedSource;
use pyralog_env::{Clock, Disk, Entropy};
use pyralog_model::{ClusterId, NodeName, StoreId};
use pyralog_obelisk::{LinkService, ObeliskArguments, ObeliskHandle, ObeliskLimits, obelisk_child};
use pyralog_partition::Shen;
use pyralog_pharaoh::{
    DirectoryHub, Endpoint, LinkedObelisk, NodeStart, OBELISK_SERVICE, Pharaoh, PharaohArguments,
    PharaohOptions, pharaoh_child,
};
use pyralog_store::{HealthLatch, StoreGauges};
use ractor::SpawnErr;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;

/// What a node needs.
pub struct NodeArguments {
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Its store id.
    pub store: StoreId,
    /// The cluster, if the data directory is of one already.
    pub cluster: Option<ClusterId>,
    /// The node's name.
    pub name: NodeName,
    /// How this start shows itself to the cluster.
    pub start: NodeStart,
    /// The links to other nodes.
    pub links: Links,
    /// The bound socket where other nodes connect.
    pub link_listener: Arc<TcpListener>,
    /// Where Obelisks of other processes answer.
    pub pharaoh_endpoints: Vec<String>,
    /// For a node that coordinates.
    pub obelisk: Option<ObeliskPart>,
    /// The rest, for a node that keeps data.
    pub pyramid: Option<PyramidArguments>,
    /// The bound HTTP socket.
    pub http_listener: Arc<TcpListener>,
    /// What does not change while the node runs.
    pub facts: NodeFacts,
    /// How ready the node is.
    pub readiness: watch::Receiver<Readiness>,
    /// Allow fault injection.
    pub debug_faults: bool,
}

/// What the Obelisk's part of a node needs.
#[derive(Debug, Clone)]
pub struct ObeliskPart {
    /// The counters' arena.
    pub arena: ArenaOptions,
    /// How long a lease of Scarab ids lasts.
    pub lease_term: Duration,
}

/// A running tree and the handles that outlive its actors.
#[derive(Clone)]
pub struct NodeTree {
    /// The tree.
    pub tree: Tree,
    /// The client of the Obelisks.
    pub pharaoh: Pharaoh,
    /// The façade, of a Pyramid.
    pub shen: Option<Shen>,
    /// Whether the data directory may still be written.
    pub health: HealthLatch,
    /// Counts of the storage threads of a Pyramid, and how they ended.
    pub gauges: Option<Arc<StoreGauges>>,
}

/// Starts the tree; returns when every door serves.
pub async fn start_node(arguments: NodeArguments) -> Result<NodeTree, SpawnErr> {
    let health = HealthLatch::default();
    let mut hub = DirectoryHub::default();
    let links = arguments.links.clone();
    let mut children = vec![link_child(LinkArguments {
        links: links.clone(),
        listener: Some(Arc::clone(&arguments.link_listener)),
    })];
    let mut endpoints = Vec::new();
    if let Some(part) = arguments.obelisk.clone() {
        let lease_term_ms = u32::try_from(part.lease_term.as_millis()).unwrap_or(u32::MAX);
        let limits = ObeliskLimits { lease_term_ms, ..ObeliskLimits::default() };
        let handle = ObeliskHandle::new(Arc::clone(&arguments.clock), limits);
        links.serve(OBELISK_SERVICE, Arc::new(LinkService::new(handle.clone())));
        endpoints.push(Endpoint { name: "this node".to_owned(), ask: Arc::new(handle.clone()) });
        if arguments.pyramid.is_none() {
            // No copy is kept: what is decided here is what is known here.
            hub = handle.hub();
        }
        children.push(obelisk_subtree(&arguments, part.arena, handle, &health));
    }
    let linked = arguments.pharaoh_endpoints.iter().map(|endpoint| links.dial(endpoint));
    endpoints.extend(linked.map(LinkedObelisk::endpoint));
    let pharaoh = Pharaoh::new(PharaohOptions {
        endpoints,
        hub,
        clock: Arc::clone(&arguments.clock),
        entropy: Arc::clone(&arguments.entropy),
    });
    let has_lane = arguments.pyramid.is_some();
    children.push(pharaoh_child(PharaohArguments {
        pharaoh: pharaoh.clone(),
        disk: Arc::clone(&arguments.disk),
        lane_file: has_lane.then(|| arguments.data_dir.join("pyramid").join("lane")),
        store: arguments.store,
        health: health.clone(),
    }));
    let this = Arc::new(OnceLock::new());
    let shared = Arc::new(Shared {
        disk: Arc::clone(&arguments.disk),
        clock: Arc::clone(&arguments.clock),
        entropy: Arc::clone(&arguments.entropy),
        tree: Arc::clone(&this),
        data_dir: arguments.data_dir.clone(),
        store: arguments.store,
        name: arguments.name.clone(),
        health: health.clone(),
        pharaoh: pharaoh.clone(),
    });
    let handles = arguments.pyramid.map(|pyramid| {
        let (child, handles) = pyramid_child(&shared, pyramid);
        children.push(child);
        handles
    });
    let shen = handles.as_ref().map(|handles| handles.shen.clone());
    let gauges = handles.as_ref().map(|handles| Arc::clone(&handles.gauges));
    let groups = handles.as_ref().map(|handles| handles.groups.clone());
    let queries = handles.map(|handles| handles.queries);
    let more_metrics = metrics::of_pyramid(gauges.clone(), queries.clone());
    children.push(console_child(ConsoleArguments {
        listener: arguments.http_listener,
        shen: shen.clone(),
        groups,
        queries,
        pharaoh: pharaoh.clone(),
        tree: Arc::clone(&this),
        facts: arguments.facts,
        readiness: arguments.readiness,
        clock: Arc::clone(&arguments.clock),
        more_metrics,
        debug_faults: arguments.debug_faults,
        limits: ConsoleLimits::default(),
    }));
    let spec = SupervisorSpec::one_for_one(children);
    let (root, _join) = Supervisor::start("pyralog", spec, arguments.clock, None).await?;
    let tree = Tree::new(root);
    let _ = this.set(tree.clone());
    Ok(NodeTree { tree, pharaoh, shen, health, gauges })
}

fn obelisk_subtree(
    arguments: &NodeArguments,
    arena: ArenaOptions,
    handle: ObeliskHandle,
    health: &HealthLatch,
) -> ChildSpec {
    obelisk_child(ObeliskArguments {
        handle,
        disk: Arc::clone(&arguments.disk),
        data_dir: arguments.data_dir.clone(),
        cluster: arguments.cluster.expect("a node that coordinates founds a cluster"),
        start: arguments.start.clone(),
        arena,
        cells: Arc::new(MappedSource),
        health: health.clone(),
    })
}
