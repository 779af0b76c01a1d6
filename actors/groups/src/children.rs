//! The coordinators' place in the tree.

use crate::coordinator::CoordinatorActor;
use crate::handle::Groups;
use crate::log::COORDINATORS;
use pyralog_behaviour::{ChildSpec, SupervisorSpec};
use ractor::Actor;

/// A coordinator that fails so often in a row is parked, and no other suffers.
const QUARANTINE_AFTER: u32 = 20;

/// `groups`: a supervisor of coordinators that do not depend on each other, named by
/// the number of their partition.
pub fn groups_child(groups: &Groups) -> ChildSpec {
    let groups = groups.clone();
    ChildSpec::supervisor("groups", move |_| {
        let children = (0..COORDINATORS).map(|number| coordinator_child(groups.clone(), number));
        SupervisorSpec::one_for_one(children.collect())
    })
}

fn coordinator_child(groups: Groups, number: u32) -> ChildSpec {
    ChildSpec::new(number.to_string(), "coordinator", move |context| {
        let arguments = groups.coordinator(number, context.vitals());
        Actor::spawn_linked(None, CoordinatorActor, arguments, context.supervisor())
    })
    .quarantine_after(QUARANTINE_AFTER)
}
