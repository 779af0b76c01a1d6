//! `pyralog bench`: load over Kafka's protocol, what coordination costs, and the
//! disk's own figures, so that a ratio comes from one tool on one machine.

mod consume;
mod counters;
mod disk;
mod figures;
mod ids;
mod kafka;
mod keys;
mod latency;
mod link;
mod machine;
mod payload;
mod produce;
mod report;

pub use figures::Figures;
pub use latency::Latency;
pub use machine::Machine;
pub use report::Report;

use crate::cli::BenchCommand;
use crate::failure::Failure;

/// Runs one of them.
pub fn run(command: BenchCommand) -> Result<(), Failure> {
    match command {
        BenchCommand::Produce(arguments) => {
            let format = arguments.output.format;
            in_runtime(produce::run(arguments))?.print(format)
        }
        BenchCommand::Consume(arguments) => {
            let format = arguments.output.format;
            in_runtime(consume::run(arguments))?.print(format)
        }
        BenchCommand::Disk(arguments) => {
            let format = arguments.output.format;
            disk::run(&arguments)?.print(format)
        }
        BenchCommand::Ids(arguments) => {
            let format = arguments.output.format;
            in_runtime(ids::run(arguments))?.print(format)
        }
        BenchCommand::Link(arguments) => {
            let format = arguments.output.format;
            in_runtime(link::run(arguments))?.print(format)
        }
        BenchCommand::Keys(arguments) => {
            let format = arguments.output.format;
            in_runtime(keys::run(arguments))?.print(format)
        }
        BenchCommand::Counters(arguments) => {
            let format = arguments.output.format;
            counters::run(&arguments)?.print(format)
        }
    }
}

fn in_runtime<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    runtime.block_on(future)
}
