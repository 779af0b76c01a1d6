//! Supervisors at work on real actors: every promise of the crate, by example.

#[path = "behaviour/probe.rs"]
mod probe;
#[path = "behaviour/stage.rs"]
mod stage;

#[path = "behaviour/dynamic.rs"]
mod dynamic;
#[path = "behaviour/escalation.rs"]
mod escalation;
#[path = "behaviour/listing.rs"]
mod listing;
#[path = "behaviour/restarts.rs"]
mod restarts;
#[path = "behaviour/shutdown.rs"]
mod shutdown;
#[path = "behaviour/siblings.rs"]
mod siblings;
#[path = "behaviour/starting.rs"]
mod starting;
#[path = "behaviour/traps.rs"]
mod traps;
