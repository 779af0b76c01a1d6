//! What the system says of a process: `/proc`.

use anyhow::{Context, Result};
use std::fs;

/// Ticks of processor time that the process has used, all threads together; a
/// hundred make a second.
pub fn cpu_ticks(id: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name stands in parentheses and may have spaces.
    let (_, rest) = stat.rsplit_once(") ").context("no name")?;
    let field = |place: usize| -> Result<u64> {
        Ok(rest.split(' ').nth(place).context("too short")?.parse()?)
    };
    Ok(field(11)? + field(12)?)
}

/// Bytes of memory that are resident now.
pub fn resident_bytes(id: u32) -> Result<u64> {
    memory(id, "VmRSS:")
}

/// The most bytes that were ever resident.
pub fn peak_bytes(id: u32) -> Result<u64> {
    memory(id, "VmHWM:")
}

fn memory(id: u32, kind: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find(|line| line.starts_with(kind)).context("no such line")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_this_process() {
        let resident = resident_bytes(std::process::id()).unwrap();
        assert!((100_000..=peak_bytes(std::process::id()).unwrap()).contains(&resident));
        cpu_ticks(std::process::id()).unwrap();
    }
}
