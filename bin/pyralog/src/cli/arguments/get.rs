//! `pyralog get`.

use super::ServerFlags;
use clap::{Args, ValueEnum};

/// `pyralog get`
#[derive(Debug, Args)]
pub struct GetArguments {
    /// The log
    pub log: String,
    /// The key, as it was produced
    pub key: String,
    /// The key is base64, for one that is no text
    #[arg(long)]
    pub base64: bool,
    /// Every version, the newest first; deletions too
    #[arg(long)]
    pub all: bool,
    /// The most versions
    #[arg(long, value_name = "N", requires = "all")]
    pub limit: Option<usize>,
    /// Only this partition
    #[arg(long, value_name = "N")]
    pub partition: Option<u32>,
    /// Only versions before this offset
    #[arg(long, value_name = "OFFSET")]
    pub before: Option<u64>,
    /// How to print what is found [default: value, or table with --all]
    #[arg(short = 'o', long = "output", value_name = "FORMAT")]
    pub format: Option<GetFormat>,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// How `get` prints records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetFormat {
    /// The value and a newline.
    Value,
    /// Where each record lies, when it is from, and how its value begins.
    Table,
    /// Everything, as one JSON document a line.
    Json,
}
