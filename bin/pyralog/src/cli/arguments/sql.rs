//! `pyralog sql`, as it is typed.

use super::ServerFlags;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// `pyralog sql`
#[derive(Debug, Args)]
pub struct SqlArguments {
    /// What to ask; from standard input when that is no terminal, else at a prompt
    #[arg(conflicts_with = "file")]
    pub query: Option<String>,
    /// File with statements, each ended by ';'
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How to print
    #[arg(short = 'o', long = "output", default_value = "table", value_name = "FORMAT")]
    pub format: SqlFormat,
    /// How long a query may run, such as 30s; the server has a limit of its own
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub timeout: Option<Duration>,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SqlFormat {
    /// For people.
    Table,
    /// One document: an array with an object for each row.
    Json,
    /// An object a line.
    Ndjson,
    /// A head, and a line for each row.
    Csv,
}

fn time(text: &str) -> Result<Duration, String> {
    let time: Option<jiff::SignedDuration> = text.parse().ok();
    match time.and_then(|time| Duration::try_from(time).ok()) {
        Some(time) if time >= Duration::from_millis(1) => Ok(time),
        _ => Err("expected a time such as 30s, 500ms or 5m".into()),
    }
}
