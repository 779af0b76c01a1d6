//! Coordinators as actors: over the real store on a simulated disk, and over a log that
//! fails on purpose.

mod faults;
mod members;
mod node;
mod real;
