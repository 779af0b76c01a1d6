//! The subtree of an Obelisk:
//!
//! ```text
//! obelisk          rest_for_one
//! ├─ arena         counters: the file, its bounds, its raises
//! ├─ directory     decides
//! └─ services      one_for_one: lanes, sessions, epochs, counters, scarab
//! ```
//!
//! The services are stopped before the arena is closed, and the directory is
//! there as long as they are.

use crate::arena::{ArenaArguments, ArenaKeeper, ArenaMessage};
use crate::desk::Desk;
use crate::directory::{DirectoryArguments, DirectoryAuthority, DirectoryMessage, HistoryLimits};
use crate::handle::{ObeliskHandle, ObeliskLimits};
use crate::services::{
    DeskArguments, DeskKeeper, DeskMessage, Lanes, LanesArguments, LanesMessage, Scarab,
    ScarabArguments, ScarabMessage,
};
use pyralog_behaviour::{ChildContext, ChildSpec, Intensity, SupervisorSpec};
use pyralog_counter::ArenaOptions;
use pyralog_counter::cells::CellSource;
use pyralog_env::Disk;
use pyralog_model::{ClusterId, CounterNumber};
use pyralog_pharaoh::NodeStart;
use pyralog_store::HealthLatch;
use ractor::Actor;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long the arena may take to close cleanly, the directory to end a write,
/// and a service to give back what it holds.
const PATIENCE: Duration = Duration::from_secs(15);

/// What an Obelisk needs.
#[derive(Clone)]
pub struct ObeliskArguments {
    /// Where the actors are found, made by `ObeliskHandle::new`.
    pub handle: ObeliskHandle,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The data directory; the Obelisk's files are in `obelisk` below it.
    pub data_dir: PathBuf,
    /// The cluster, as `node.toml` knows it: founded if it is not yet.
    pub cluster: ClusterId,
    /// This node's own start. Its `next` is durable in `node.toml` already. A node
    /// of both roles registers both by the same start.
    pub start: NodeStart,
    /// The arena's settings.
    pub arena: ArenaOptions,
    /// How the arena's values are reached: `cells::MappedSource` on a real disk.
    pub cells: Arc<dyn CellSource>,
    /// Fails when a sync of this data directory does, for the rest of the process.
    pub health: HealthLatch,
}

/// The subtree.
pub fn obelisk_child(arguments: ObeliskArguments) -> ChildSpec {
    ChildSpec::supervisor("obelisk", move |_| {
        // Coordination may be away for as long as it takes: in a node of both roles
        // the records go on, and one alone says in its tree what is wrong.
        SupervisorSpec::rest_for_one(vec![
            arena_child(&arguments),
            directory_child(&arguments),
            services_child(&arguments),
        ])
        .intensity(Intensity::unlimited())
    })
}

fn arena_child(arguments: &ObeliskArguments) -> ChildSpec {
    let arguments = arguments.clone();
    let start = move |context: ChildContext| {
        let arguments = ArenaArguments {
            disk: Arc::clone(&arguments.disk),
            folder: arguments.data_dir.join("obelisk"),
            store: arguments.start.store,
            cells: Arc::clone(&arguments.cells),
            options: arguments.arena.clone(),
            seat: arguments.handle.shared().arena.clone(),
            health: arguments.health.clone(),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, ArenaKeeper, arguments, context.supervisor())
    };
    ChildSpec::new::<ArenaMessage, _, _>("arena", "arena", start).patience(PATIENCE)
}

fn directory_child(arguments: &ObeliskArguments) -> ChildSpec {
    let arguments = arguments.clone();
    let start = move |context: ChildContext| {
        let shared = arguments.handle.shared();
        let ObeliskLimits { commands_max, commands_bytes_max, .. } = shared.limits;
        let arguments = DirectoryArguments {
            disk: Arc::clone(&arguments.disk),
            path: arguments.data_dir.join("obelisk").join("directory.redb"),
            cluster: arguments.cluster,
            start: arguments.start.clone(),
            arena: shared.arena.clone(),
            limits: HistoryLimits { commands_max, bytes_max: commands_bytes_max },
            hub: shared.hub.clone(),
            own: Arc::clone(&shared.own),
            seat: shared.directory.clone(),
            health: arguments.health.clone(),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, DirectoryAuthority, arguments, context.supervisor())
    };
    ChildSpec::new::<DirectoryMessage, _, _>("directory", "directory", start).patience(PATIENCE)
}

/// Scarab last: it leases from `lanes`, and gives back to it when it stops.
fn services_child(arguments: &ObeliskArguments) -> ChildSpec {
    let shared = arguments.handle.shared();
    let children = vec![
        lanes_child(arguments),
        desk_child("sessions", &shared.sessions, Some(CounterNumber::SESSIONS)),
        desk_child("epochs", &shared.epochs, Some(CounterNumber::EPOCHS)),
        desk_child("counters", &shared.counters, None),
        scarab_child(arguments),
    ];
    ChildSpec::supervisor("services", move |_| {
        SupervisorSpec::one_for_one(children.clone()).intensity(Intensity::unlimited())
    })
}

fn lanes_child(arguments: &ObeliskArguments) -> ChildSpec {
    let handle = arguments.handle.clone();
    let start = move |context: ChildContext| {
        let shared = handle.shared();
        let arguments = LanesArguments {
            directory: shared.directory.clone(),
            hub: shared.hub.clone(),
            steady: shared.steady.clone(),
            term_ms: shared.limits.lease_term_ms,
            seat: shared.lanes.clone(),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Lanes, arguments, context.supervisor())
    };
    ChildSpec::new::<LanesMessage, _, _>("lanes", "grantor", start)
}

fn desk_child(id: &str, desk: &Desk, counter: Option<CounterNumber>) -> ChildSpec {
    let desk = desk.clone();
    let start = move |context: ChildContext| {
        let arguments = DeskArguments { desk: desk.clone(), counter, vitals: context.vitals() };
        Actor::spawn_linked(None, DeskKeeper, arguments, context.supervisor())
    };
    ChildSpec::new::<DeskMessage, _, _>(id, "allocator", start)
}

fn scarab_child(arguments: &ObeliskArguments) -> ChildSpec {
    let arguments = arguments.clone();
    let start = move |context: ChildContext| {
        let shared = arguments.handle.shared();
        let arguments = ScarabArguments {
            disk: Arc::clone(&arguments.disk),
            path: arguments.data_dir.join("obelisk").join("lane"),
            store: arguments.start.store,
            mint: shared.mint.clone(),
            lanes: shared.lanes.clone(),
            own: Arc::clone(&shared.own),
            health: arguments.health.clone(),
            vitals: context.vitals(),
        };
        Actor::spawn_linked(None, Scarab, arguments, context.supervisor())
    };
    ChildSpec::new::<ScarabMessage, _, _>("scarab", "allocator", start).patience(PATIENCE)
}
