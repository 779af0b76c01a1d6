//! The power: on, off, or about to go.

use std::io;
use thiserror::Error;

/// The special error of everything that is asked of a disk without power, and
/// of a handle from before a cut.
#[derive(Debug, Error)]
#[error("the simulated power is cut")]
struct PowerCut;

pub(super) fn power_cut() -> io::Error {
    io::Error::other(PowerCut)
}

/// True if `error` is the simulated power cut and not an error of the disk.
pub fn is_power_cut(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<PowerCut>())
}

/// Counts mutating operations and cuts the power in the one that was chosen.
#[derive(Debug, Default)]
pub(super) struct Power {
    /// Raised by every cut; a handle of an earlier boot is dead.
    pub(super) boot: u64,
    /// Mutating operations since the disk was made.
    pub(super) operations: u64,
    pub(super) off: bool,
    /// Operations still to come before the one that is cut.
    armed: Option<u64>,
}

impl Power {
    pub(super) fn arm(&mut self, operations: u64) {
        self.armed = Some(operations);
    }

    /// Fails if there is no power.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.off { Err(power_cut()) } else { Ok(()) }
    }

    /// Begins a mutating operation. `Ok(true)`: the power goes in the middle of
    /// it, so that what it does stays pending.
    pub(super) fn begin(&mut self) -> io::Result<bool> {
        self.check()?;
        self.operations += 1;
        match &mut self.armed {
            Some(0) => self.off = true,
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(self.off)
    }

    /// A new boot: the power is on, nothing is armed, old handles are dead.
    pub(super) fn boot(&mut self) {
        self.boot += 1;
        self.off = false;
        self.armed = None;
    }
}
