//! The Obelisks as a client sees them.
//!
//! ```text
//!  doors, partitions ──▶ Pharaoh ──▶ calls ──▶ Ask: this process's Obelisk,
//!        │                  │                       or one behind a link
//!        │ claim            ├─ lane: the node's own Scarab ids
//!        └───▶ LaneHandle ◀─┤  allocators: blocks of leased counters
//!                           └─ membership: who this start is
//!
//!  DirectoryCopy ──publishes──▶ DirectoryHub ──▶ whoever reads the directory
//! ```
//!
//! - `protocol`: what may be asked, and the answers; `wire`: both as bytes.
//! - [`Ask`]: whoever can be asked, in this process or behind a link.
//! - `call`, `endpoints`, `caller`: who is asked, when, and how often.
//! - `knowing`: who is not believed.
//! - [`Pharaoh`]: the handle; `naming`: ids and counters; `membership`: joining.
//! - `lane`, `allocator`: what is leased, and used without asking anybody.
//! - `hub`, `copy`: the directory on this node.
//! - `simulated`: an Obelisk for tests.

mod ask;
mod linked;
mod protocol;
mod wire;

mod call;
mod caller;
mod endpoints;
mod knowing;

mod copy;
mod hub;

mod allocator;
mod lane;
mod membership;
mod naming;
mod pharaoh;

mod children;

#[cfg(any(test, feature = "simulated"))]
pub mod simulated;
#[cfg(test)]
mod tests;

pub use ask::{Ask, Asked};
pub use caller::{Endpoint, EndpointState};
pub use children::{PharaohArguments, directory_child, pharaoh_child};
pub use copy::{CopyArguments, CopyMessage, DirectoryCopy};
pub use hub::{CopyState, DirectoryHub};
pub use knowing::diverged;
pub use lane::{LaneHandle, LaneState};
pub use linked::LinkedObelisk;
pub use membership::Membership;
pub use naming::Issued;
pub use pharaoh::{Pharaoh, PharaohOptions, PharaohState};
pub use protocol::{
    ANSWER_BYTES_MAX, Answer, AskOutcome, CHANGES_BYTES_MAX, CLAIM_MAX, CounterView, LaneGrant,
    Made, NodeStart, OBELISK_SERVICE, ObeliskStatus, REQUEST_BYTES_MAX, Request,
};
pub use wire::{decode_outcome, decode_request, encode_outcome, encode_request};
