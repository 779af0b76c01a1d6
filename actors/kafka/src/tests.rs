//! The door over real sockets, spoken to by the codec: what a client meets.

mod admin;
mod client;
mod configs;
mod connections;
mod fetching;
mod groups;
mod harness;
mod idempotence;
mod logs;
mod node;
mod offsets;
mod producing;
mod traps;
mod upkeep;
mod versions;
