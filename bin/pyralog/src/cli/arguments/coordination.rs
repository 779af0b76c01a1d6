//! `pyralog id` and `pyralog counter`, as they are typed.

use super::{OutputFlag, ServerFlags};
use clap::{Args, Subcommand};
use pyralog_console::api::IDS_MAX;
use pyralog_model::CounterMode;

/// `pyralog id`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct IdArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<IdCommand>,
    /// How many, in one piece
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(IDS_MAX)))]
    pub count: u32,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog id …`
#[derive(Debug, Subcommand)]
pub enum IdCommand {
    /// Show what an id is made of; asks no server
    Decode {
        /// The id, in decimal digits
        id: String,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
}

/// `pyralog counter …`
#[derive(Debug, Subcommand)]
pub enum CounterCommand {
    /// Make a counter; one that is there in this mode is left as it is
    Create {
        /// Its name: letters, digits, '.', '_' and '-'
        name: String,
        /// exact: in order and without gaps; leased: in blocks, much faster
        #[arg(long, default_value = "exact", value_name = "MODE", value_parser = mode)]
        mode: CounterMode,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Take the next values
    Next {
        /// Its name
        name: String,
        /// How many, in one piece
        #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
        /// Make it in this mode if it is not there
        #[arg(long, value_name = "MODE", value_parser = mode)]
        mode: Option<CounterMode>,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Show the last value given out
    Value {
        /// Its name
        name: String,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// List the counters
    List {
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
}

fn mode(text: &str) -> Result<CounterMode, String> {
    text.parse().map_err(|()| "expected 'exact' or 'leased'".into())
}
