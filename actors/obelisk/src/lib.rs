//! The Obelisk: what coordinates, and never sees a record.
//!
//! ```text
//!  ObeliskHandle ─┬─ sessions, epochs, counters ─▶ desks ──raise──▶ arena
//!     (Ask)       ├─ ids, timestamps ────────────▶ mint ───lease──▶ lanes
//!                 ├─ lanes ──────────────────────▶ stamped ───────▶ directory
//!                 └─ starts, changes, proposals ─────────────────▶ directory
//! ```
//!
//! - [`ObeliskHandle`]: answers every request, or says which part does not serve;
//!   `link_service`: the same for peers; `seat`: where its actors are found.
//! - `arena`: counters and their bounds; `desk`: where their values are claimed.
//! - `directory`: decides, and tells followers; `steady`: the time it grants by.
//! - `services`: lanes, sessions, epochs, counters of users, ids (`mint`).
//! - [`obelisk_child`]: all of it as one child of the node's tree.

mod handle;
mod link_service;
mod seat;

mod arena;
mod desk;

mod directory;
mod steady;

mod mint;
mod services;

mod obelisk;

pub use handle::{ObeliskHandle, ObeliskLimits};
pub use link_service::LinkService;
pub use obelisk::{ObeliskArguments, obelisk_child};
