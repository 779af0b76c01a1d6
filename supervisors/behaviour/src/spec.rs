//! Children and supervisors as data.

mod child;
mod supervisor;

pub use child::ChildSpec;
pub(crate) use child::{Ask, Start, Started};
pub use supervisor::SupervisorSpec;

/// When a child that ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always, however it ended.
    Permanent,
    /// Only when it failed or was killed.
    Transient,
    /// Never.
    Temporary,
}

impl Restart {
    /// The name that listings show.
    pub fn name(self) -> &'static str {
        match self {
            Restart::Permanent => "permanent",
            Restart::Transient => "transient",
            Restart::Temporary => "temporary",
        }
    }
}
