//! What the commands do.

pub mod actors;
pub mod config;
pub mod consume;
pub mod counter;
pub mod debug;
pub mod get;
pub mod group;
pub mod id;
pub mod inspect;
pub mod log;
pub mod produce;
pub mod sql;
pub mod status;
pub mod verify;
