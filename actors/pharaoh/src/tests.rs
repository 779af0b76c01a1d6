//! The client's actors on a simulated disk, against an Obelisk that is the real
//! directory in memory.

mod believing;
mod calls;
mod copies;
mod counters;
mod lanes;
mod node;
