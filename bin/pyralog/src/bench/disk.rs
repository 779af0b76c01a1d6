//! `bench disk`: how fast the disk makes an extending file durable without us:
//! write, `fdatasync`, again.

use super::{Latency, Machine, Report};
use crate::cli::DiskBench;
use crate::failure::Failure;
use pyralog_env::{Clock, Disk, DiskFile, Entropy, RealClock, RealDisk, RealEntropy};
use serde_json::json;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Runs it.
pub fn run(arguments: &DiskBench) -> Result<Report, Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!("cannot measure {}: {error}", arguments.dir.display()))
    };
    let name = format!("pyralog-bench-disk-{:016x}", RealEntropy.next_u64());
    let path = arguments.dir.join(name);
    let file = RealDisk.create(&path).map_err(failed)?;
    let measured = measure(&file, arguments);
    // Also when the measurement failed: a full disk should not stay full.
    remove(&path).map_err(failed)?;
    let (bytes, elapsed, latency) = measured.map_err(failed)?;
    let settings =
        json!({ "write_bytes": arguments.write_bytes, "sync": "fdatasync", "file": "extending" });
    let machine = Machine::here(Some(&arguments.dir));
    Ok(Report::new("disk", settings, machine, elapsed, (None, bytes), &latency))
}

fn measure(
    file: &Arc<dyn DiskFile>,
    arguments: &DiskBench,
) -> io::Result<(u64, Duration, Latency)> {
    let clock = RealClock::new();
    let mut block = vec![0; arguments.write_bytes as usize];
    RealEntropy.fill(&mut block);
    let (mut written, mut latency) = (0, Latency::default());
    let limit = arguments.total_bytes.unwrap_or(u64::MAX);
    let time_max = match arguments.total_bytes {
        Some(_) => Duration::MAX,
        None => Duration::from_secs(arguments.seconds),
    };
    let started = clock.monotonic();
    while written < limit && clock.monotonic().since(started) < time_max {
        let before = clock.monotonic();
        file.write_all_at(&block, written)?;
        file.sync_data()?;
        latency.record(clock.monotonic().since(before));
        written += block.len() as u64;
    }
    Ok((written, clock.monotonic().since(started), latency))
}

fn remove(path: &Path) -> io::Result<()> {
    RealDisk.remove_file(path)
}
