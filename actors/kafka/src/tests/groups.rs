//! Consumer groups: members, their offsets, and the tools that look at them.

mod admin;
mod asking;
mod coordinators;
mod members;
mod offsets;
mod rounds;
mod statics;
