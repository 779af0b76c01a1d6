//! The door over real sockets, spoken to by the codec: what a client meets.

mod client;
mod connections;
mod fetching;
mod harness;
mod idempotence;
mod logs;
mod node;
mod offsets;
mod producing;
mod versions;
