//! The commands as they are typed.

mod bench;
mod coordination;
mod get;
mod group;
mod log;
mod offline;
mod produce;
mod sql;

pub use bench::{
    BenchCommand, ConsumeBench, CountersBench, DiskBench, IdsBench, KeysBench, LinkBench,
    ProduceBench,
};
pub use coordination::{CounterCommand, IdArguments, IdCommand};
pub use get::{GetArguments, GetFormat};
pub use group::{GroupCommand, ResetArguments};
pub use log::{AlterArguments, LogCommand};
pub use offline::{InspectArguments, InspectFormat, InspectKind, VerifyArguments};
pub use produce::ProduceArguments;
pub use sql::{SqlArguments, SqlFormat};

use super::NodeFlags;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::str::FromStr;

/// Pyralog: a Kafka-compatible log that syncs before it acknowledges.
///
/// `pyralog --role obelisk,pyramid --data-dir DIR` runs a node, `pyralog dev` one to try things out.
#[derive(Debug, Parser)]
#[command(name = "pyralog", version, max_term_width = 100, args_conflicts_with_subcommands = false)]
pub struct Cli {
    /// Flags of a node.
    #[command(flatten)]
    pub node: NodeFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node to try things out; its data is gone afterwards unless --data-dir is given
    Dev {
        /// Flags of a node.
        #[command(flatten)]
        node: NodeFlags,
        /// Let the system choose free ports
        #[arg(long)]
        random_ports: bool,
        /// Load a month of flights with their airlines, airports, planes and weather, and print
        /// questions to ask about them
        #[arg(long)]
        demo: bool,
    },
    /// Make, list, describe, alter and delete logs
    Log {
        /// What to do.
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Append records to a log: the lines of a file or of standard input, CSV or JSON
    Produce(ProduceArguments),
    /// Print the records of a log
    Consume(ConsumeArguments),
    /// Find the newest record with a key, or every version of it
    Get(GetArguments),
    /// Ask the logs in SQL, once or at a prompt
    Sql(SqlArguments),
    /// List, describe, reset and delete consumer groups
    Group {
        /// What to do.
        #[command(subcommand)]
        command: GroupCommand,
    },
    /// Take unique, time-ordered ids, or take one apart
    Id(IdArguments),
    /// Make counters and count with them
    Counter {
        /// What to do.
        #[command(subcommand)]
        command: CounterCommand,
    },
    /// Show the tree of supervisors and workers
    Actors(ActorsCommand),
    /// Show how a node is
    Status {
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
    /// Look into files of a data directory; reads only, and needs no node
    Inspect(InspectArguments),
    /// Check every byte of a data directory that no node runs on; reads only
    Verify(VerifyArguments),
    /// Look at the configuration
    Config {
        /// What to do.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Measure
    Bench {
        /// What to measure.
        #[command(subcommand)]
        command: BenchCommand,
    },
    /// Inject faults (the node needs --debug-faults)
    Debug {
        /// What to do.
        #[command(subcommand)]
        command: DebugCommand,
    },
}

/// Which server to ask.
#[derive(Debug, Clone, Args)]
pub struct ServerFlags {
    /// Servers, comma-separated, tried in order
    #[arg(
        long,
        env = "PYRALOG_SERVER",
        default_value = "http://127.0.0.1:8080",
        value_name = "URLS"
    )]
    pub server: String,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs: one document, or one per line for a stream.
    Json,
}

/// How to print.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputFlag {
    /// How to print
    #[arg(short = 'o', long = "output", default_value = "table", value_name = "FORMAT")]
    pub format: Format,
}

/// How `consume` prints a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// The value and a newline.
    Value,
    /// The key, a tab, the value and a newline.
    KeyValue,
    /// Everything, as one JSON document a line.
    Json,
}

/// `pyralog consume`
#[derive(Debug, Args)]
pub struct ConsumeArguments {
    /// The log
    pub log: String,
    /// Where to begin: start, end or an offset
    #[arg(long, default_value = "start", value_name = "WHERE")]
    pub from: From,
    /// Stop at the end instead of waiting for more
    #[arg(long)]
    pub until_end: bool,
    /// Only this partition
    #[arg(long, value_name = "N")]
    pub partition: Option<u32>,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// How to print a record
    #[arg(short = 'o', long, alias = "output", default_value = "value")]
    pub format: RecordFormat,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
}

/// Where `consume` begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// At the oldest record.
    Start,
    /// After the newest record.
    End,
    /// At an offset.
    Offset(u64),
}

impl FromStr for From {
    type Err = String;
    fn from_str(text: &str) -> Result<From, String> {
        match text {
            "start" => Ok(From::Start),
            "end" => Ok(From::End),
            _ => text
                .parse()
                .map(From::Offset)
                .map_err(|_| "expected 'start', 'end' or an offset".into()),
        }
    }
}

impl std::fmt::Display for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            From::Start => f.write_str("start"),
            From::End => f.write_str("end"),
            From::Offset(offset) => offset.fmt(f),
        }
    }
}

/// `pyralog actors`
#[derive(Debug, Args)]
pub struct ActorsCommand {
    /// Only the tree below this path
    pub path: Option<String>,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog config …`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every key, its value and where it comes from
    Check {
        /// Flags of a node.
        #[command(flatten)]
        node: NodeFlags,
        /// How to print.
        #[command(flatten)]
        output: OutputFlag,
    },
}

/// `pyralog debug …`
#[derive(Debug, Subcommand)]
pub enum DebugCommand {
    /// Kill the actor at a path, as shown by `pyralog actors`
    Kill {
        /// The path, such as pyralog/partitions
        path: String,
        /// Which server.
        #[command(flatten)]
        server: ServerFlags,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn node_flags_may_stand_on_either_side_of_dev() {
        let cli =
            Cli::try_parse_from(["pyralog", "--data-dir", "a", "dev", "--node-id", "n"]).unwrap();
        let Some(Command::Dev { node, .. }) = cli.command else { panic!("dev") };
        let flags = cli.node.or(node);
        assert_eq!((flags.data_dir, flags.node_id), (Some("a".into()), Some("n".into())));
    }
}
