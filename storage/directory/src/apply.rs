//! Commands meet the state. Everything that could refuse is asked before
//! anything changes, so a refused command changes nothing but the index.

use crate::command::{COMMAND_BYTES_MAX, Command, Outcome};
use crate::directory::Directory;
use crate::entry::LogEntry;
use crate::error::DirectoryError;
use lanes::Wish;
use pyralog_model::{LogNumber, Schema};

mod counters;
mod lanes;
mod logs;
mod nodes;

pub use nodes::TOKENS_MAX;

impl Directory {
    /// Carries out the command with `index`, which must be the one after the
    /// last. The same commands lead to the same directory, refusals included.
    ///
    /// # Errors
    /// `Index` if another command is due, and then nothing has happened. With
    /// every other error the index is used up and nothing else has changed.
    pub fn apply(&mut self, index: u64, command: &Command) -> Result<Outcome, DirectoryError> {
        let expect = self.last_index() + 1;
        if index != expect {
            return Err(DirectoryError::Index { expect, found: index });
        }
        self.history.push(command);
        self.check(command)?;
        Ok(self.carry_out(command))
    }

    /// Asks whether `apply` would carry `command` out now, so that a sole holder
    /// need not write down what is refused anyway.
    ///
    /// # Errors
    /// Those of `apply`, but for `Index`.
    pub fn check(&self, command: &Command) -> Result<(), DirectoryError> {
        match command {
            Command::FoundCluster { cluster } => self.check_found(*cluster),
            Command::RegisterNode { name, store, advertised } => {
                self.check_register(name, *store, advertised)
            }
            Command::CreateLog { name, partitions, replication_factor, settings, internal } => {
                settings.check()?;
                self.check_create(name, *partitions, *replication_factor, *internal)
            }
            Command::DeleteLog { number } => self.check_log(*number),
            Command::AlterLog { number, settings } => self.check_alter(*number, settings),
            Command::StartNode { name, store, roles, presented, next, advertised } => {
                self.check_start(name, *store, *roles, (presented, *next), advertised)
            }
            &Command::LeaseLane { node, incarnation, floor, now, term_ms } => {
                self.check_lease((node, incarnation), Wish { floor, now, term_ms })
            }
            &Command::ReleaseLane { node, incarnation, lane, granted_to, used_to } => {
                self.check_release((node, incarnation), lane, granted_to, used_to)
            }
            Command::CreateCounter { name, mode } => self.check_counter(name, *mode),
            Command::CreateTypedLog {
                name,
                partitions,
                replication_factor,
                settings,
                internal,
                schema,
            } => {
                settings.check()?;
                schema.check()?;
                check_bytes(command)?;
                self.check_create(name, *partitions, *replication_factor, *internal)
            }
            Command::AlterSchema { number, schema } => {
                check_bytes(command)?;
                self.grown_schema(*number, schema).map(|_| ())
            }
            Command::AddPartitions { number, partitions } => self.check_add(*number, *partitions),
        }
    }

    /// What `check` has let pass cannot fail.
    fn carry_out(&mut self, command: &Command) -> Outcome {
        match command {
            Command::FoundCluster { cluster } => {
                self.cluster = Some(*cluster);
                Outcome::ClusterFounded(*cluster)
            }
            Command::RegisterNode { name, store, advertised } => {
                Outcome::NodeRegistered(self.register(name, *store, advertised))
            }
            Command::CreateLog { name, partitions, replication_factor, settings, internal } => {
                Outcome::LogCreated(self.create(LogEntry {
                    number: LogNumber(0),
                    name: name.clone(),
                    partitions: *partitions,
                    replication_factor: *replication_factor,
                    settings: settings.clone(),
                    internal: *internal,
                    schema: None,
                }))
            }
            Command::CreateTypedLog {
                name,
                partitions,
                replication_factor,
                settings,
                internal,
                schema,
            } => Outcome::LogCreated(self.create(LogEntry {
                number: LogNumber(0),
                name: name.clone(),
                partitions: *partitions,
                replication_factor: *replication_factor,
                settings: settings.clone(),
                internal: *internal,
                schema: Some(Schema { version: 1, columns: schema.columns.clone() }),
            })),
            Command::DeleteLog { number } => {
                self.delete(*number);
                Outcome::LogDeleted(*number)
            }
            Command::AlterLog { number, settings } => {
                self.change_log(*number, |log| log.entry.settings = settings.clone());
                Outcome::LogAltered(*number)
            }
            Command::StartNode { name, store, roles, next, advertised, .. } => {
                let number = self.register(name, *store, advertised);
                let incarnation = self.start(number, *roles, *next);
                Outcome::NodeStarted { number, incarnation }
            }
            &Command::LeaseLane { node, incarnation, floor, now, term_ms } => {
                let entry = self.lease((node, incarnation), Wish { floor, now, term_ms });
                Outcome::LaneLeased { lane: entry.lane, from: entry.from, to: entry.to }
            }
            &Command::ReleaseLane { lane, used_to, .. } => {
                self.release(lane, used_to);
                Outcome::LaneReleased
            }
            Command::CreateCounter { name, mode } => {
                Outcome::CounterCreated(self.create_counter(name, *mode))
            }
            Command::AlterSchema { number, schema } => {
                let grown = self.grown_schema(*number, schema).expect("check let it pass");
                self.change_log(*number, |log| log.entry.schema = Some(grown));
                Outcome::LogAltered(*number)
            }
            Command::AddPartitions { number, partitions } => {
                self.add_partitions(*number, *partitions);
                Outcome::LogAltered(*number)
            }
        }
    }
}

/// What holds a schema may be too long to be read again.
fn check_bytes(command: &Command) -> Result<(), DirectoryError> {
    let have = command.encode().len();
    match have <= COMMAND_BYTES_MAX {
        true => Ok(()),
        false => Err(DirectoryError::SchemaBytes { have, most: COMMAND_BYTES_MAX }),
    }
}
