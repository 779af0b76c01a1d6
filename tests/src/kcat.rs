//! kcat, the Kafka client that everybody has.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Between key and value in what kcat reads and prints. No flight has it.
pub const SEPARATOR: &str = "|";

/// kcat, pointed at a broker.
///
/// # Panics
/// When it is not installed.
pub fn command(address: SocketAddr) -> Command {
    let found = Command::new("kcat").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(
        found.is_ok(),
        "kcat is not installed: `apt-get install kcat` (the tests speak to Pyralog with it)"
    );
    let mut command = Command::new("kcat");
    command.arg("-b").arg(address.to_string());
    command
}

/// Produces a file of lines `key|value`.
pub fn produce(address: SocketAddr, topic: &str, file: &Path, more: &[&str]) -> Result<()> {
    let mut command = command(address);
    command.args(["-P", "-t", topic, "-K", SEPARATOR]).args(more).stdin(File::open(file)?);
    finish(command).map(|_| ())
}

/// Consumes a topic from its start to its end, one line a record in the
/// format of `-f`.
pub fn consume(address: SocketAddr, topic: &str, format: &str) -> Result<String> {
    let mut command = command(address);
    command.args(["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", format]);
    finish(command)
}

/// Runs it to its end; what it printed.
pub fn finish(mut command: Command) -> Result<String> {
    let output = command.output().context("kcat cannot be run")?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}
