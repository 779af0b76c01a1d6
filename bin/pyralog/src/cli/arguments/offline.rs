//! `pyralog inspect` and `pyralog verify`, as they are typed.

use super::Format;
use clap::{Args, ValueEnum};
use pyralog_model::StoreId;
use std::path::PathBuf;

/// `pyralog inspect`
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// What the files are
    pub kind: InspectKind,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Show at most this many rows of each file, and all damage [default: 100 in a table, else all]
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Begin at this offset; of an arena at this counter, of a manifest at this command
    #[arg(long, value_name = "OFFSET")]
    pub from: Option<u64>,
    /// Show the records of each batch (segment and wal), the versions of each key (.pphm)
    #[arg(long)]
    pub records: bool,
    /// The store id that checksums begin with; found in the data directory if the file lies in one
    #[arg(long, value_name = "ID")]
    pub store: Option<StoreId>,
    /// How to print
    #[arg(short = 'o', long = "output", default_value = "table", value_name = "FORMAT")]
    pub format: InspectFormat,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InspectKind {
    /// Records: FILE.segment
    Segment,
    /// The write-ahead log: FILE.wal
    Wal,
    /// What is derived from records: FILE.offsets, FILE.times, FILE.sessions or FILE.pphm
    Index,
    /// Counters and bounds of ids: arena or lane
    Arena,
    /// What a node knows of itself: meta.redb, directory.redb, keys.manifest or node.toml
    Manifest,
}

impl InspectKind {
    /// The word that is typed.
    pub fn word(self) -> &'static str {
        match self {
            InspectKind::Segment => "segment",
            InspectKind::Wal => "wal",
            InspectKind::Index => "index",
            InspectKind::Arena => "arena",
            InspectKind::Manifest => "manifest",
        }
    }
}

/// How an inspection is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InspectFormat {
    /// For people.
    Table,
    /// One document: an array with an object for each file.
    Json,
    /// An object a line: what the file is, its rows, its damage, a summary.
    Ndjson,
}

/// `pyralog verify`
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The data directory
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// How to print
    #[arg(short = 'o', long = "output", default_value = "table", value_name = "FORMAT")]
    pub format: Format,
}
