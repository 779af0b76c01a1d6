//! A `directory.redb`: its snapshot, its commands, and the directory they make.

use crate::output;
use pyralog_directory::{Command, Directory};
use pyralog_env::ReadOnlyDisk;
use pyralog_meta::{CommandLog, MetaError};
use pyralog_model::LogicalClock;
use std::path::Path;

/// What a database of commands holds.
#[derive(Debug)]
pub struct Replayed {
    /// The index that the snapshot reaches to, and its length in bytes.
    pub snapshot: Option<(u64, usize)>,
    /// What is wrong with the snapshot.
    pub snapshot_damage: Option<String>,
    /// The commands after it.
    pub steps: Vec<Step>,
    /// The directory, as far as it could be made.
    pub directory: Directory,
}

/// One command.
#[derive(Debug)]
pub struct Step {
    /// Its index.
    pub index: u64,
    /// The command, or why its bytes are none.
    pub command: Result<Command, String>,
    /// Why the directory refused it, which is a part of its history.
    pub refused: Option<String>,
}

/// Reads a database and makes the directory of it.
///
/// # Errors
/// When the database cannot be opened, or a command is missing.
pub fn replay(path: &Path) -> Result<Replayed, MetaError> {
    let (snapshot, commands) = CommandLog::look(&ReadOnlyDisk, path)?.load()?;
    let (mut directory, mut damage) = (Directory::default(), None);
    if let Some((index, bytes)) = &snapshot {
        match Directory::restore(bytes) {
            Ok(restored) if restored.last_index() == *index => directory = restored,
            Ok(restored) => {
                let found = restored.last_index();
                damage = Some(format!("the snapshot of index {index} reaches to {found}"));
            }
            Err(error) => damage = Some(format!("the snapshot cannot be read: {error}")),
        }
    }
    let mut broken = damage.is_some();
    let mut steps = Vec::with_capacity(commands.len());
    for (index, bytes) in commands {
        let command = Command::decode(&bytes).map_err(|error| error.to_string());
        broken |= command.is_err();
        let applied = match &command {
            Ok(command) if !broken => directory.apply(index, command).map(drop),
            _ => Ok(()),
        };
        steps.push(Step { index, command, refused: applied.err().map(|error| error.to_string()) });
    }
    let snapshot = snapshot.map(|(index, bytes)| (index, bytes.len()));
    Ok(Replayed { snapshot, snapshot_damage: damage, steps, directory })
}

/// A command in one line, without secrets.
pub fn describe(command: &Command) -> String {
    match command {
        Command::FoundCluster { cluster } => format!("found cluster {cluster}"),
        Command::RegisterNode { name, store, .. } => format!("register node {name}, store {store}"),
        Command::CreateLog { name, partitions, .. } => {
            format!("create log {name} with {}", count(*partitions))
        }
        Command::DeleteLog { number } => format!("delete log {}", number.0),
        Command::AlterLog { number, .. } => format!("alter the settings of log {}", number.0),
        Command::StartNode { name, store, .. } => format!("start node {name}, store {store}"),
        Command::LeaseLane { node, incarnation, now, term_ms, .. } => format!(
            "lease a lane to node {} in start {} at {} for {term_ms} ms",
            node.0,
            incarnation.0,
            time(*now)
        ),
        Command::ReleaseLane { node, lane, .. } => {
            format!("release lane {} of node {}", lane.number(), node.0)
        }
        Command::CreateCounter { name, mode } => format!("create counter {name}, {mode}"),
        Command::CreateTypedLog { name, partitions, schema, .. } => {
            format!("create log {name} with {}: {schema}", count(*partitions))
        }
        Command::AlterSchema { number, schema } => {
            format!("alter the schema of log {}: {schema}", number.0)
        }
        Command::AddPartitions { number, partitions } => {
            format!("let log {} have {}", number.0, count(*partitions))
        }
    }
}

fn count(partitions: u32) -> String {
    output::count(partitions.into(), "partition")
}

/// A time of the logical clock for people.
pub fn time(clock: LogicalClock) -> String {
    let unix_ms = i64::try_from(clock.unix_ms()).ok();
    let time = unix_ms.and_then(|unix_ms| jiff::Timestamp::from_millisecond(unix_ms).ok());
    time.map_or_else(|| clock.0.to_string(), |time| format!("{time:.3}"))
}
