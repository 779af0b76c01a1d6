//! `pyralog bench`, as it is typed.

use super::OutputFlag;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `pyralog bench …`
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Append over Kafka's protocol; counts acknowledged records only
    Produce(ProduceBench),
    /// Fetch everything over Kafka's protocol, checking each batch
    Consume(ConsumeBench),
    /// Write and sync a file, as the disk does it without Pyralog
    Disk(DiskBench),
    /// Make Scarab ids in a lane of this process, and through a server if one is named
    Ids(IdsBench),
    /// Count: a leased block beside a plain loop, and an arena on the disk
    Counters(CountersBench),
    /// Find records by their keys in process, in logs of different sizes
    Keys(KeysBench),
    /// Ask an Obelisk in another process, beside an echo over the same link
    Link(LinkBench),
}

/// `pyralog bench produce`
#[derive(Debug, Clone, Args)]
pub struct ProduceBench {
    /// Kafka address of the node
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    pub bootstrap: String,
    /// Log to append to; it must exist
    #[arg(long, default_value = "bench")]
    pub log: String,
    /// Partitions to spread batches over
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub partitions: u32,
    /// Size of a record's value in bytes
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub record_bytes: u32,
    /// Size of a batch in bytes, about
    #[arg(long, default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch_bytes: u32,
    /// Requests in flight on each connection
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub in_flight: u32,
    /// Connections
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: u32,
    /// How long to send, in seconds
    #[arg(long, default_value_t = 10, conflicts_with = "total_bytes")]
    pub seconds: u64,
    /// How much to send in bytes, instead of how long
    #[arg(long)]
    pub total_bytes: Option<u64>,
    /// The node's data directory, to name its file system in the report
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog bench consume`
#[derive(Debug, Clone, Args)]
pub struct ConsumeBench {
    /// Kafka address of the node
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    pub bootstrap: String,
    /// Log to read
    #[arg(long, default_value = "bench")]
    pub log: String,
    /// Partitions to read
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub partitions: u32,
    /// Connections to spread the partitions over
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: u32,
    /// Most bytes of one fetch
    #[arg(long, default_value_t = 16_777_216, value_parser = clap::value_parser!(u32).range(1..))]
    pub fetch_bytes: u32,
    /// The node's data directory, to name its file system in the report
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog bench disk`
#[derive(Debug, Clone, Args)]
pub struct DiskBench {
    /// Directory on the disk to measure
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Bytes of each write, synced before the next
    #[arg(long, default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(1..=268_435_456))]
    pub write_bytes: u32,
    /// How long to write, in seconds
    #[arg(long, default_value_t = 5, conflicts_with = "total_bytes")]
    pub seconds: u64,
    /// How much to write in bytes, instead of how long
    #[arg(long)]
    pub total_bytes: Option<u64>,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog bench ids`
#[derive(Debug, Clone, Args)]
pub struct IdsBench {
    /// Server to take batches from as well
    #[arg(long, value_name = "URLS")]
    pub server: Option<String>,
    /// Ids of one batch from the server
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub batch: u32,
    /// How long to ask the server, in seconds
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog bench counters`
#[derive(Debug, Clone, Args)]
pub struct CountersBench {
    /// Directory on the disk that the arena is made on
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Values of each loop
    #[arg(long, default_value_t = 200_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub values: u64,
    /// Increments in the arena
    #[arg(long, default_value_t = 20_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub increments: u64,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog bench keys`
#[derive(Debug, Clone, Args)]
pub struct KeysBench {
    /// Directory on the disk that the logs are made on
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Keys of each log
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 1_000_000], value_name = "N,…", value_parser = clap::value_parser!(u64).range(1..))]
    pub keys: Vec<u64>,
    /// Lookups of each kind
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub lookups: u64,
    /// Size of a record's value in bytes
    #[arg(long, default_value_t = 100)]
    pub value_bytes: u32,
    /// Records of a batch
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch_records: u32,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}

/// `pyralog bench link`
#[derive(Debug, Clone, Args)]
pub struct LinkBench {
    /// Directory on the disk that the Obelisk keeps its data on for the while
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
    /// Round trips of each kind
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub round_trips: u32,
    /// How to print.
    #[command(flatten)]
    pub output: OutputFlag,
}
