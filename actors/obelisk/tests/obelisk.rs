//! An Obelisk as its clients meet it, on a simulated disk: everything is asked of
//! the handle, over clean stops, kills of single actors and power cuts.

#[path = "obelisk/counting.rs"]
mod counting;
#[path = "obelisk/following.rs"]
mod following;
#[path = "obelisk/ids.rs"]
mod ids;
#[path = "obelisk/lanes.rs"]
mod lanes;
#[path = "obelisk/rollback.rs"]
mod rollback;
#[path = "obelisk/serving.rs"]
mod serving;
#[path = "obelisk/starts.rs"]
mod starts;
#[path = "obelisk/world.rs"]
mod world;
