//! OTP-style supervisors for anybody's ractor actors.
//!
//! A supervisor starts its children in order, hears of each end, and decides
//! by its strategy who is stopped and started again, how soon, and when to give
//! up and fail itself, so that its own supervisor decides. The decisions are
//! pure ([`Strategy`], [`Intensity`], [`Backoff`] and the private `core`); the
//! actor around them only spawns, stops, waits and reports.
//!
//! Three things that ractor does not do are done here, because each of them
//! loses data: a child is started again only after the old one's state is gone;
//! a supervisor that stops lets its children stop in reverse, with patience,
//! before they are killed; and no place in the tree is found by a ractor name.
//!
//! Absent on purpose: domain decisions, I/O, remote actors.

mod backoff;
mod intensity;
mod strategy;

mod spec;

mod context;
mod observe;
mod vitals;

mod reports;

mod board;
mod core;
mod household;
mod supervisor;
mod tree;

pub use backoff::Backoff;
pub use context::ChildContext;
pub use intensity::Intensity;
pub use observe::{Observe, Snapshot};
pub use reports::{Report, ReportKind, Reports};
pub use spec::{ChildSpec, Restart, SupervisorSpec};
pub use strategy::Strategy;
pub use supervisor::{
    KillError, Notice, StartChildError, Supervisor, SupervisorArguments, SupervisorMessage,
    SupervisorState, TooManyRestarts,
};
pub use tree::{Outcome, ShutdownError, Tree, TreeNode};
pub use vitals::Vitals;
