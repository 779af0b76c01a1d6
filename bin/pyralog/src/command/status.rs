//! `pyralog status`.

use crate::cli::{Format, ServerFlags};
use crate::client::{Client, block_on};
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::{LeaseLine, ObeliskLine, StatusReply};
use std::time::Duration;

/// Shows the node at a glance.
pub fn run(server: ServerFlags, format: Format) -> Result<(), Failure> {
    let client = Client::new(&server.server)?;
    let status: StatusReply = block_on(client.get("/v1/status"))?;
    match format {
        Format::Json => output::json(&status),
        Format::Table => {
            let rows = rows(status).into_iter();
            let lines: Vec<_> =
                rows.filter_map(|(name, value)| Some(format!("{name:8} {}", value?))).collect();
            output::line(lines.join("\n"))
        }
    }
}

/// Name and value; a role without it has no such line.
fn rows(status: StatusReply) -> Vec<(&'static str, Option<String>)> {
    let number = status.number.map_or("not registered yet".into(), |n| format!("number {n}"));
    let state = match &status.waits_for {
        None => status.readiness.to_string(),
        Some(why) => format!("{}: {why}", status.readiness),
    };
    let mut rows = vec![
        ("node", Some(format!("{} ({number})", status.node))),
        ("role", Some(status.role)),
        ("state", Some(state)),
        ("version", Some(status.version)),
        ("cluster", status.cluster),
        ("start", status.incarnation.map(|count| format!("{count} of the cluster's"))),
        ("index", status.directory_index.map(|index| directory(index, status.directory_copy))),
        ("error", status.coordination_error),
    ];
    let obelisks = status.obelisks.into_iter().map(|line| ("obelisk", Some(obelisk(line))));
    rows.extend(obelisks);
    rows.extend([
        ("lease", status.lease.map(lease)),
        ("ids", status.ids_issued.map(|count| format!("{count} issued"))),
        ("store", Some(format!("{} (boot {})", status.store, status.boot))),
        ("data", Some(status.data_dir)),
        ("kafka", status.kafka_address),
        ("link", status.link_address),
        ("http", Some(format!("http://{}", status.http_address))),
        ("up", whole_seconds(status.uptime_ms)),
        (
            "logs",
            status.logs.zip(status.partitions).map(|(l, p)| format!("{l} with {p} partitions")),
        ),
        ("memory", status.resident_bytes.map(output::size)),
    ]);
    rows
}

fn directory(index: u64, copy: Option<String>) -> String {
    let copy = copy.map_or_else(String::new, |state| format!(", {state}"));
    format!("{index} of the directory{copy}")
}

fn obelisk(ObeliskLine { endpoint, up, error }: ObeliskLine) -> String {
    match (up, error) {
        (true, _) => format!("{endpoint} answers"),
        (false, Some(error)) => format!("{endpoint} is away: {error}"),
        (false, None) => format!("{endpoint} is away"),
    }
}

fn lease(LeaseLine { lane, remaining_ms }: LeaseLine) -> String {
    format!("lane {lane} for {}", whole_seconds(remaining_ms).unwrap_or_default())
}

/// The rest only distracts.
fn whole_seconds(millis: u64) -> Option<String> {
    let time = jiff::SignedDuration::try_from(Duration::from_secs(millis / 1000)).ok()?;
    Some(format!("{time:#}"))
}
