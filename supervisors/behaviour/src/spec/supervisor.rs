//! One supervisor: its children, its strategy, and when it gives up.

use crate::{ChildSpec, Intensity, Strategy};

/// What a supervisor starts and how it reacts.
#[derive(Debug, Clone)]
pub struct SupervisorSpec {
    /// Who is restarted together.
    pub strategy: Strategy,
    /// How many restarts are too many.
    pub intensity: Intensity,
    /// In start order: each child needs only earlier ones.
    pub children: Vec<ChildSpec>,
    /// Whether children may be added while it runs.
    pub dynamic: bool,
}

impl SupervisorSpec {
    /// Children that do not depend on each other.
    pub fn one_for_one(children: Vec<ChildSpec>) -> SupervisorSpec {
        SupervisorSpec::new(Strategy::OneForOne, children)
    }

    /// Children that are useless without each other.
    pub fn one_for_all(children: Vec<ChildSpec>) -> SupervisorSpec {
        SupervisorSpec::new(Strategy::OneForAll, children)
    }

    /// Children that hold references to earlier ones.
    pub fn rest_for_one(children: Vec<ChildSpec>) -> SupervisorSpec {
        SupervisorSpec::new(Strategy::RestForOne, children)
    }

    /// No children yet; they are added while it runs and do not depend on each other.
    pub fn dynamic() -> SupervisorSpec {
        SupervisorSpec { dynamic: true, ..SupervisorSpec::one_for_one(Vec::new()) }
    }

    /// Sets how many restarts are too many.
    pub fn intensity(self, intensity: Intensity) -> SupervisorSpec {
        SupervisorSpec { intensity, ..self }
    }

    fn new(strategy: Strategy, children: Vec<ChildSpec>) -> SupervisorSpec {
        SupervisorSpec { strategy, intensity: Intensity::default(), children, dynamic: false }
    }
}
