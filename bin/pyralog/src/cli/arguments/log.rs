//! `pyralog log` as it is typed.

use super::{OutputFlag, ServerFlags};
use clap::{Args, Subcommand};

/// `pyralog log …`
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Make a log
    Create {
        /// Its name: letters, digits, '.', '_' and '-'
        name: String,
        /// Number of partitions; the server's default when not given
        #[arg(short, long, value_name = "N")]
        partitions: Option<u32>,
        /// Number of copies; the server's default when not given
        #[arg(long, value_name = "N")]
        replication_factor: Option<u16>,
        /// A setting, such as segment.bytes=100MB; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
        settings: Vec<(String, String)>,
        /// What SQL finds in the values: 'carrier TEXT, dep_delay BIGINT', or @FILE
        #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
        schema: Option<String>,
        /// Only check whether it could be made
        #[arg(long)]
        validate_only: bool,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// List the logs
    List {
        /// Internal logs too
        #[arg(long)]
        internal: bool,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Show the settings and partitions of a log
    Describe {
        /// Its name
        name: String,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Change the settings of a log, append columns to its schema, add partitions
    Alter(AlterArguments),
    /// Delete a log and all its records
    Delete {
        /// Its name
        name: String,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
}

/// `pyralog log alter`
#[derive(Debug, Args)]
pub struct AlterArguments {
    /// Its name
    pub name: String,
    /// A setting, such as segment.bytes=100MB; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub settings: Vec<(String, String)>,
    /// A setting that gets its default back; may be repeated
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// The whole schema, which begins with the columns that are there, or @FILE
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    pub schema: Option<String>,
    /// The number of partitions, more than before; keys may go to other partitions then
    #[arg(short, long, value_name = "N")]
    pub partitions: Option<u32>,
    /// Only check whether it could be changed
    #[arg(long)]
    pub validate_only: bool,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".into()),
    }
}
