//! The world as arguments.
//!
//! Everything that touches a disk, a clock or entropy takes it as a value of
//! one of these traits. The real ones are thin; the simulated ones lose power,
//! fill up and fail on purpose, from a seed, so that years of bad luck pass in
//! a minute. Nothing above this crate may reach for the ambient ones:
//! `clippy.toml` names each forbidden call with its replacement.

mod clock;
mod disk;
mod entropy;
mod real;
pub mod sim;

pub use clock::{Clock, Monotonic, WallMillis};
pub use disk::{Disk, DiskEntry, DiskFile, FileMapping};
pub use entropy::Entropy;
pub use real::{
    DirectoryLock, LockError, LockHolder, LockState, ReadOnlyDisk, RealClock, RealDisk, RealEntropy,
};
