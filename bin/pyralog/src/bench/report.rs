//! What a bench found, with the settings and the machine it was found on.

use super::latency::Percentiles;
use super::{Latency, Machine};
use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `produce`, `consume` or `disk`.
    pub bench: &'static str,
    /// What it was run with.
    pub settings: Map<String, Value>,
    /// On what.
    pub machine: Machine,
    /// From the first byte sent to the last answer, in seconds.
    pub seconds: f64,
    /// Records acknowledged or read; absent for the disk.
    pub records: Option<u64>,
    /// Bytes acknowledged, read or made durable: of record batches, headers
    /// included.
    pub bytes: u64,
    /// Requests answered, or syncs done.
    pub operations: u64,
    /// Records a second.
    pub records_per_second: Option<f64>,
    /// 10⁶ bytes a second.
    pub megabytes_per_second: f64,
    /// Of one request or one write with its sync.
    pub latency_ms: Percentiles,
}

impl Report {
    /// Puts the figures together.
    pub fn new(
        bench: &'static str,
        settings: Value,
        machine: Machine,
        elapsed: Duration,
        (records, bytes): (Option<u64>, u64),
        latency: &Latency,
    ) -> Report {
        // A run that took no time measured nothing; a division must still work.
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let Value::Object(settings) = settings else { unreachable!("settings are an object") };
        Report {
            bench,
            settings,
            machine,
            seconds,
            records,
            bytes,
            operations: latency.count(),
            records_per_second: records.map(|records| records as f64 / seconds),
            megabytes_per_second: bytes as f64 / 1e6 / seconds,
            latency_ms: latency.percentiles(),
        }
    }

    /// Prints it.
    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => output::json(self),
            Format::Table => output::line(self.lines().join("\n")),
        }
    }

    fn lines(&self) -> Vec<String> {
        let machine = &self.machine;
        let settings = self.settings.iter().map(|(name, value)| format!("{name}={value}"));
        let filesystem = machine.filesystem.as_deref().unwrap_or("file system not named");
        let mut lines = vec![
            format!("bench     {} {}", self.bench, settings.collect::<Vec<_>>().join(" ")),
            format!(
                "machine   {} × {}, Linux {}, {filesystem}",
                machine.cores, machine.cpu, machine.kernel
            ),
            format!("rate      {:.1} MB/s", self.megabytes_per_second),
        ];
        if let (Some(records), Some(rate)) = (self.records, self.records_per_second) {
            lines.push(format!("records   {records}, {rate:.0}/s"));
        }
        lines.push(format!(
            "total     {} in {:.2} s, {} operations",
            output::size(self.bytes),
            self.seconds,
            self.operations
        ));
        lines.push(format!("latency   {}", self.latency_ms));
        if machine.debug_build {
            lines.push("warning   this is a debug build; its figures mean nothing".into());
        }
        lines
    }
}
