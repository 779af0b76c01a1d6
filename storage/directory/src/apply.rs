//! Commands meet the state. Everything that could refuse is asked before
//! anything changes, so a refused command changes nothing but the index.

use crate::command::{Command, Outcome};
use crate::directory::Directory;
use crate::entry::LogEntry;
use crate::error::DirectoryError;
use lanes::Wish;
use pyralog_model::LogNumber;

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
            Command::CreateLog { name, partitions, replication_factor, internal, .. } => {
                self.check_create(name, *partitions, *replication_factor, *internal)
            }
            Command::DeleteLog { number } | Command::AlterLog { number, .. } => {
                self.check_log(*number)
            }
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
                }))
            }
            Command::DeleteLog { number } => {
                self.delete(*number);
                Outcome::LogDeleted(*number)
            }
            Command::AlterLog { number, settings } => {
                self.alter(*number, settings);
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
        }
    }
}
