//! Queries over a real store in a directory of its own, through the handle that doors
//! hold.

#[path = "query/node.rs"]
mod node;
#[path = "query/shown.rs"]
mod shown;
#[path = "query/traps.rs"]
mod traps;

#[path = "query/bytes.rs"]
mod bytes;
#[path = "query/clauses.rs"]
mod clauses;
#[path = "query/columns.rs"]
mod columns;
#[path = "query/gaps.rs"]
mod gaps;
#[path = "query/guards.rs"]
mod guards;
#[path = "query/joins.rs"]
mod joins;
#[path = "query/layouts.rs"]
mod layouts;
#[path = "query/limits.rs"]
mod limits;
#[path = "query/names.rs"]
mod names;
#[path = "query/pushdown.rs"]
mod pushdown;
#[path = "query/snapshots.rs"]
mod snapshots;
