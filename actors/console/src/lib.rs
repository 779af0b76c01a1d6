//! The HTTP door: health, metrics and the `/v1` JSON API.
//!
//! - [`api`]: what travels, for the server here and the client in `bin/`.
//! - [`Console`]: the actor that owns the socket; [`console_child`] is its place
//!   in a tree.
//! - `routes` and below: one file a subject. They speak to the façade and to
//!   the tree, never to a partition's actor.
//! - `request`, `reply`: what comes and what goes, in our own words.
//! - `limits`, `connection`: what one client can take from the others.

pub mod api;
mod door;
mod facts;
mod limits;
mod murmur2;
mod readiness;

mod connection;
mod reply;
mod request;
mod routes;
mod stall;

mod actors;
mod counters;
mod groups;
mod health;
mod ids;
mod logs;
mod metrics;
mod records;
mod sql;
mod status;

#[cfg(test)]
mod tests;

pub use door::{Console, ConsoleArguments, ConsoleMessage, console_child};
pub use facts::NodeFacts;
pub use limits::ConsoleLimits;
pub use readiness::Readiness;
