//! Faults that a test has ordered, waiting for their operation.

use std::io;
use std::path::Path;

/// The errors a disk gives, by the kernel's numbers, so that the code under test
/// sees what it would see.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

pub(super) fn input_output_error() -> io::Error {
    io::Error::from_raw_os_error(EIO)
}

pub(super) fn no_space() -> io::Error {
    io::Error::from_raw_os_error(ENOSPC)
}

/// Each list holds parts of paths: the fault hits the first operation on a path
/// that contains one.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) syncs: Vec<String>,
    pub(super) reads: Vec<String>,
    pub(super) reads_for_good: Vec<String>,
    pub(super) misdirected: Vec<(String, u64)>,
}

impl Faults {
    pub(super) fn hits_sync(&mut self, path: &Path) -> bool {
        take(&mut self.syncs, path)
    }

    pub(super) fn hits_read(&mut self, path: &Path) -> bool {
        self.reads_for_good.iter().any(|part| contains(path, part)) || take(&mut self.reads, path)
    }

    /// Where a write to `position` really goes.
    pub(super) fn misdirect(&mut self, path: &Path, position: u64) -> u64 {
        let hit = self.misdirected.iter().position(|(part, _)| contains(path, part));
        match hit {
            Some(index) => position + self.misdirected.remove(index).1,
            None => position,
        }
    }
}

fn take(parts: &mut Vec<String>, path: &Path) -> bool {
    let hit = parts.iter().position(|part| contains(path, part));
    hit.map(|index| parts.remove(index)).is_some()
}

fn contains(path: &Path, part: &str) -> bool {
    path.to_string_lossy().contains(part)
}
