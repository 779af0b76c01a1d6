//! The supervision tree of a node, as data.
//!
//! ```text
//! pyralog               one_for_one
//! ├─ links              rest_for_one   other nodes: who dials in, whom we dial
//! ├─ obelisk            rest_for_one   arena → directory → services       role obelisk
//! ├─ pharaoh            one_for_one    the client of the Obelisks: lane, leased counters
//! ├─ pyramid            rest_for_one                                      role pyramid
//! │  ├─ store           worker         owns the storage threads; recovers the data directory
//! │  ├─ partitions      dynamic        one child a partition
//! │  ├─ coordination    rest_for_one
//! │  │  ├─ directory    worker         this node's copy: logs, settings, placement
//! │  │  └─ reconciler   worker         alone starts and stops partitions
//! │  └─ doors           one_for_one
//! │     ├─ kafka-connections  dynamic  one temporary child a connection
//! │     └─ kafka        worker         accepts
//! └─ console            worker         HTTP, of both tiers
//! ```
//!
//! The tiers stand side by side: what falls in one takes nothing of the other
//! with it, since they know each other by handles that outlive actors. Within a
//! tier the start order is the dependency order: whoever falls takes those with
//! it that hold its references, and nobody else. The reconciler stands behind
//! `partitions`, since it starts children there; that is also why a fall of the
//! coordination leaves running partitions alone. No domain decision and no I/O are
//! made here.

mod metrics;
mod node;
mod pyramid;
mod services;

pub use node::{NodeArguments, NodeTree, ObeliskPart, start_node};
pub use pyramid::PyramidArguments;
