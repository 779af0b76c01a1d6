//! The command line: parsed here, done elsewhere.

mod arguments;
mod node_flags;

pub use arguments::{
    ActorsCommand, AlterArguments, BenchCommand, Cli, Command, ConfigCommand, ConsumeArguments,
    ConsumeBench, CounterCommand, CountersBench, DebugCommand, DiskBench, Format, From,
    GetArguments, GetFormat, GroupCommand, IdArguments, IdCommand, IdsBench, InspectArguments,
    InspectFormat, InspectKind, KeysBench, LinkBench, LogCommand, OutputFlag, ProduceArguments,
    ProduceBench, RecordFormat, ResetArguments, ServerFlags, SqlArguments, SqlFormat,
    VerifyArguments,
};
pub use node_flags::{NodeFlags, Role};

use crate::failure::{Failure, Status};
use crate::{bench, command, run, telemetry};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Parses, runs, and says how it ended.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(mut error) => {
            unscramble(&mut error);
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

/// Names the command that was meant when two letters changed places: to clap,
/// words as short as `lgo` and `log` are strangers then.
fn unscramble(error: &mut clap::Error) {
    if error.kind() != ErrorKind::InvalidSubcommand
        || error.get(ContextKind::SuggestedSubcommand).is_some()
    {
        return;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let commands = Cli::command();
    let near = commands
        .get_subcommands()
        .map(clap::Command::get_name)
        .find(|name| strsim::osa_distance(given, name) == 1);
    if let Some(near) = near {
        let near = ContextValue::Strings(vec![near.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
}

/// Help, for someone who did not say what to do. Starting a node in whatever
/// directory this is would be a guess.
fn nothing_said() -> Failure {
    let help = Cli::command().render_long_help();
    let _ = writeln!(std::io::stderr().lock(), "{help}");
    Failure::new(Status::Usage, "nothing says what to run")
        .help("`pyralog dev` to try things out, or --role, --config or --data-dir for a node")
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli { node, command } = cli;
    let is_node = matches!(command, None | Some(Command::Dev { .. }));
    // What the link library says at each connection, our own lines say in our words.
    telemetry::start(if is_node {
        "info,ractor_cluster=error"
    } else {
        "warn,ractor_cluster=error"
    });
    match command {
        None if !node.says_which_node() => Err(nothing_said()),
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
        Some(Command::Get(arguments)) => command::get::run(arguments),
        Some(Command::Sql(arguments)) => command::sql::run(arguments),
        Some(Command::Id(arguments)) => command::id::run(arguments),
        Some(Command::Group { command }) => command::group::run(command),
        Some(Command::Counter { command }) => command::counter::run(command),
        Some(Command::Actors(arguments)) => command::actors::run(arguments),
        Some(Command::Status { server, output }) => command::status::run(server, output.format),
        Some(Command::Inspect(arguments)) => command::inspect::run(&arguments),
        Some(Command::Verify(arguments)) => command::verify::run(&arguments),
        Some(Command::Debug { command }) => command::debug::run(command),
        Some(Command::Bench { command }) => bench::run(command),
    }
}
