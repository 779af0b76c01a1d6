//! The supervision tree of a node, as data.
//!
//! ```text
//! pyralog              rest_for_one
//! ├─ store             worker        owns the storage threads; recovers the data directory
//! ├─ partitions        dynamic       one child a partition
//! ├─ coordination      rest_for_one
//! │  ├─ directory      worker        logs, settings, placement
//! │  └─ reconciler     worker        alone starts and stops partitions
//! └─ doors             one_for_one
//!    ├─ kafka-connections  dynamic   one temporary child a connection
//!    ├─ kafka          worker        accepts
//!    └─ console        worker        HTTP
//! ```
//!
//! Start order is dependency order: whoever falls takes those with it that hold
//! its references, and nobody else. The reconciler stands behind `partitions`,
//! since it starts children there; that is also why a fall of the coordination
//! leaves running partitions alone. No domain decision and no I/O are made here.

mod metrics;
mod pyramid;

pub use pyramid::{NodeTree, PyramidArguments, start_pyramid};
