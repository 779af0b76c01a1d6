//! Links between nodes: who may come in, what passes, and who is still there.
//!
//! ```text
//!   dialler ─ connect ─▶ door        one connection a pair of nodes
//!      └──── preamble ────┘          both prove that they have the cookie
//!      └── ractor_cluster ┘          then it multiplexes calls to …
//!      └───── router ─────┘          … one actor a node: bytes in, bytes out
//!           detector                 silence becomes a state, then an end
//! ```
//!
//! ractor_cluster has no reconnection, no backpressure, no dead-peer detection
//! and an accept loop that an idle client can block, so all of that is here, and
//! it is given streams that are authenticated and fail by themselves. Decisions
//! are pure ([`preamble`], [`Detector`]); actors perform.
//!
//! Control messages only: record bytes get links of their own.

mod cookie;
mod identity;
mod refusal;

mod detector;
pub mod preamble;

mod frames;
mod link;
mod pulse;
mod stream;

mod links;
mod peer;

mod attending;
mod handshake;

mod children;
mod dialler;
mod dialling;
mod door;
mod guest;
mod router;
mod server;

pub use children::{LinkArguments, link_child};
pub use cookie::{Cookie, CookieError};
pub use detector::{Detector, DetectorSettings, Effect, Input};
pub use identity::{PeerIdentity, SelfCell, SelfIdentity};
pub use links::{LinkRow, LinkSettings, Links};
pub use peer::{BODY_BYTES_MAX, CallError, Peer, PeerState};
pub use refusal::Refusal;
pub use router::{Served, Service};
