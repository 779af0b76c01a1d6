//! The world as it is: the kernel's files, clocks and random numbers, and the
//! lock that keeps a data directory to one process.
//!
//! This is the one home of the ambient calls that the rest of the workspace is
//! forbidden to make.

mod clock;
mod disk;
mod entropy;
mod file;
mod lock;
mod mapping;
mod read_only;

pub use clock::RealClock;
pub use disk::RealDisk;
pub use entropy::RealEntropy;
pub use lock::{DirectoryLock, LockError, LockHolder, LockState};
pub use read_only::ReadOnlyDisk;
