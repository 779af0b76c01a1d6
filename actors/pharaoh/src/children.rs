//! The parts of the tree that belong to the client.

use crate::allocator::{Registry, RegistryMessage};
use crate::copy::{CopyArguments, CopyMessage, DirectoryCopy};
use crate::lane::{LaneArguments, LaneKeeper, LaneMessage};
use crate::pharaoh::Pharaoh;
use pyralog_behaviour::{ChildContext, ChildSpec, Intensity, SupervisorSpec, Vitals};
use pyralog_env::Disk;
use pyralog_model::StoreId;
use pyralog_store::HealthLatch;
use ractor::Actor;
use std::path::PathBuf;
use std::sync::Arc;

/// What the client's actors need.
#[derive(Clone)]
pub struct PharaohArguments {
    /// The handle that they serve.
    pub pharaoh: Pharaoh,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// Where the bound of this node's ids is kept: `DIR/pyramid/lane`. `None` for
    /// a node without a lane of its own.
    pub lane_file: Option<PathBuf>,
    /// The data directory's identity.
    pub store: StoreId,
    /// Fails when that file cannot be synced, for the rest of the process.
    pub health: HealthLatch,
}

/// The client: a supervisor over the lane and the allocators of counters.
pub fn pharaoh_child(arguments: PharaohArguments) -> ChildSpec {
    if arguments.lane_file.is_some() {
        arguments.pharaoh.lane().keep();
    }
    ChildSpec::supervisor("pharaoh", move |_| {
        let mut children = Vec::new();
        if let Some(path) = &arguments.lane_file {
            children.push(lane_child(&arguments, path.clone()));
        }
        let pharaoh = arguments.pharaoh.clone();
        let registry = move |context: ChildContext| {
            let supervisor = context.supervisor();
            Actor::spawn_linked(None, Registry, (pharaoh.clone(), context), supervisor)
        };
        children.push(ChildSpec::supervisor("allocators", |_| SupervisorSpec::dynamic()));
        children.push(ChildSpec::new::<RegistryMessage, _, _>("registry", "registry", registry));
        // Without ids and leases records are written all the same: whatever keeps
        // these down must not take a node along.
        SupervisorSpec::one_for_one(children).intensity(Intensity::unlimited())
    })
}

fn lane_child(arguments: &PharaohArguments, path: PathBuf) -> ChildSpec {
    let arguments = arguments.clone();
    let start = move |context: ChildContext| {
        let arguments = LaneArguments {
            pharaoh: arguments.pharaoh.clone(),
            disk: Arc::clone(&arguments.disk),
            path: path.clone(),
            store: arguments.store,
            health: arguments.health.clone(),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, LaneKeeper, arguments, context.supervisor())
    };
    ChildSpec::new::<LaneMessage, _, _>("lane", "lane", start)
}

/// The directory's copy. Its `vitals` are those of each incarnation, whatever is
/// given here.
pub fn directory_child(arguments: CopyArguments) -> ChildSpec {
    let start = move |context: ChildContext| {
        let arguments = CopyArguments { vitals: context.vitals(), ..arguments.clone() };
        Actor::spawn_linked(None, DirectoryCopy, arguments, context.supervisor())
    };
    ChildSpec::new::<CopyMessage, _, _>("directory", "directory", start)
}

impl CopyArguments {
    /// For `directory_child`.
    pub fn new(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        pharaoh: Pharaoh,
        health: HealthLatch,
    ) -> CopyArguments {
        let (hub, vitals) = (pharaoh.hub().clone(), Vitals::default());
        CopyArguments { disk, path, hub, pharaoh, health, vitals }
    }
}
