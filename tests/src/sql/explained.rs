//! The figures of a query: those in `EXPLAIN ANALYZE`, and those of the whole process
//! in `/metrics`.

use super::answer::must;
use crate::http;
use anyhow::{Context, Result};
use serde_json::Value;
use std::net::SocketAddr;

/// A plan with its figures.
#[derive(Debug, Clone)]
pub struct Explained {
    /// As it was printed.
    pub text: String,
}

impl Explained {
    /// Runs a query and says what it did.
    pub fn analyze(address: SocketAddr, query: &str) -> Result<Explained> {
        Explained::ask(address, &format!("EXPLAIN ANALYZE {query}"))
    }

    /// Says what a query would do.
    pub fn plan(address: SocketAddr, query: &str) -> Result<Explained> {
        Explained::ask(address, &format!("EXPLAIN {query}"))
    }

    fn ask(address: SocketAddr, query: &str) -> Result<Explained> {
        let answer = must(address, query)?;
        let cells = answer.rows.iter().flatten().filter_map(Value::as_str);
        Ok(Explained { text: cells.collect::<Vec<_>>().join("\n") })
    }

    /// The sum of a figure over all nodes of the plan; `None` if none has it.
    pub fn figure(&self, name: &str) -> Option<u64> {
        let name = format!("{name}=");
        let mut found = self.text.split(&name).skip(1).filter_map(number).peekable();
        found.peek()?;
        Some(found.sum())
    }

    /// The lines that speak of reading a log.
    pub fn scans(&self) -> Vec<&str> {
        self.text.lines().map(str::trim).filter(|line| line.contains("PartitionScan")).collect()
    }
}

/// `12`, `12.5 K`, `1.3 M`, `1.2 B`, `3.1 MiB` or `4 GB`, as DataFusion shortens counts.
fn number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let digits: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim_start_matches(' ');
    let unit = unit.split([',', ']', ' ', '\n']).next().unwrap_or_default();
    let factor = match unit {
        "K" => 1e3,
        "M" => 1e6,
        "B" => 1e9,
        "T" => 1e12,
        "KB" | "KiB" => 1024.0,
        "MB" | "MiB" => 1024.0 * 1024.0,
        "GB" | "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => 1.0,
    };
    Some((digits * factor).round() as u64)
}

/// A metric of the process; the sum over its labels.
pub fn metric(address: SocketAddr, name: &str) -> Result<u64> {
    let text = http::get(address, "/metrics")?.body;
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    });
    let values: Vec<f64> = values.collect();
    (!values.is_empty())
        .then(|| values.iter().sum::<f64>() as u64)
        .with_context(|| format!("no metric {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_added_up_however_they_are_shortened() {
        let text = "A, metrics=[bytes_read=1.5 K, elapsed=3ms]\n  B, metrics=[bytes_read=12, x=1]\n\
                    C, metrics=[bytes_read=2.0 MB]";
        let explained = Explained { text: text.into() };
        assert_eq!(explained.figure("bytes_read"), Some(1_500 + 12 + 2 * 1024 * 1024));
        assert_eq!(explained.figure("records_read"), None);
    }
}
