//! Whole-system tests, in one binary so that everything is linked once.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests of real processes, in real time"
)]

mod arena_power;
mod bytes;
mod dev;
mod disk_full;
mod exactly_once;
mod examples;
mod flights;
mod heal;
mod hostile;
mod house;
mod identity;
mod kill;
mod names;
mod obelisk_away;
mod offsets;
mod power;
mod tiers;
mod weight;
