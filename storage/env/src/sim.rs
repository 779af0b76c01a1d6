//! The world as it might be: a disk that loses power, fills up and lies, a
//! clock that jumps, and entropy that repeats. All of it follows from a seed,
//! so that a failing seed is a complete bug report.
//!
//! The disk keeps two images of everything: what programs see now, and what
//! would be found after a power cut if nothing more were written. What lies
//! between them is pending, and at a cut each pending piece survives or not:
//!
//! ```text
//!  program ──write──▶ live image ──sync──▶ durable image
//!                        │                     │
//!                        └──── pending ────────┤  at a cut: each 512-byte
//!                                              ▼  sector, each length change,
//!                                      image after the cut    each name, or not
//! ```

mod clock;
mod content;
mod cut;
mod disk;
mod entropy;
mod faults;
mod file;
mod names;
mod page;
mod power;
mod random;
mod state;
#[cfg(test)]
mod tests;

pub use clock::SimClock;
pub use cut::{CutCount, CutKind, CutReport};
pub use disk::SimDisk;
pub use entropy::SimEntropy;
pub use power::is_power_cut;
