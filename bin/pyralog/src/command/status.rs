//! `pyralog status`.

use crate::cli::{Format, ServerFlags};
use crate::client::{Client, block_on};
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::StatusReply;
use std::time::Duration;

/// Shows the node at a glance.
pub fn run(server: ServerFlags, format: Format) -> Result<(), Failure> {
    let client = Client::new(&server.server)?;
    let status: StatusReply = block_on(client.get("/v1/status"))?;
    match format {
        Format::Json => output::json(&status),
        Format::Table => {
            let row = |name: &str, value: String| vec![name.to_owned(), value];
            // Whole seconds: the rest only distracts.
            let uptime =
                jiff::SignedDuration::try_from(Duration::from_secs(status.uptime_ms / 1000));
            let rows = [
                row("node", format!("{} (number {})", status.node, status.number)),
                row("role", status.role),
                row("state", status.readiness.to_string()),
                row("version", status.version),
                row("cluster", status.cluster),
                row("store", format!("{} (boot {})", status.store, status.boot)),
                row("data", status.data_dir),
                row("kafka", status.kafka_address),
                row("http", format!("http://{}", status.http_address)),
                row("up", uptime.map(|time| format!("{time:#}")).unwrap_or_default()),
                row("logs", format!("{} with {} partitions", status.logs, status.partitions)),
                row("memory", status.resident_bytes.map(output::size).unwrap_or_default()),
            ];
            let lines: Vec<_> = rows.iter().map(|row| format!("{:8} {}", row[0], row[1])).collect();
            output::line(lines.join("\n"))
        }
    }
}
