//! The command line: parsed here, done elsewhere.

mod arguments;
mod node_flags;

pub use arguments::{
    ActorsCommand, BenchCommand, Cli, Command, ConfigCommand, ConsumeArguments, ConsumeBench,
    DebugCommand, DiskBench, Format, From, LogCommand, OutputFlag, ProduceArguments, ProduceBench,
    RecordFormat, ServerFlags,
};
pub use node_flags::{NodeFlags, Role};

use crate::failure::Failure;
use crate::{bench, command, run, telemetry};
use clap::Parser;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Parses, runs, and says how it ended.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" of clap's with status 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_reader_left() {
                let _ = writeln!(std::io::stderr().lock(), "{failure}");
            }
            failure.exit_code()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { node, command } = cli;
    let is_node = matches!(command, None | Some(Command::Dev { .. }));
    telemetry::start(if is_node { "info" } else { "warn" });
    match command {
        None => run::node(node),
        Some(Command::Dev { node: more, random_ports, demo }) => {
            run::dev(node.or(more), random_ports, demo)
        }
        Some(Command::Config { command: ConfigCommand::Check { node: more, output } }) => {
            command::config::check(&node.or(more), output.format)
        }
        Some(Command::Log { command }) => command::log::run(command),
        Some(Command::Produce(arguments)) => command::produce::run(arguments),
        Some(Command::Consume(arguments)) => command::consume::run(arguments),
        Some(Command::Actors(arguments)) => command::actors::run(arguments),
        Some(Command::Status { server, output }) => command::status::run(server, output.format),
        Some(Command::Debug { command }) => command::debug::run(command),
        Some(Command::Bench { command }) => bench::run(command),
    }
}
