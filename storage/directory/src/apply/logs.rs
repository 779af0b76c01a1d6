//! Logs and where their partitions are.

use crate::directory::{Directory, PlacedLog};
use crate::entry::{LogEntry, PARTITIONS_MAX, Placement};
use crate::error::DirectoryError;
use pyralog_model::{LogName, LogNumber, LogSettings, NodeNumber, Schema};
use std::sync::Arc;

impl Directory {
    pub(super) fn check_create(
        &self,
        name: &LogName,
        partitions: u32,
        replication_factor: u16,
        internal: bool,
    ) -> Result<(), DirectoryError> {
        self.check_is_founded()?;
        if name.is_internal() != internal {
            return Err(DirectoryError::InternalName(name.clone()));
        }
        if self.names.contains_key(name) {
            return Err(DirectoryError::LogExists(name.clone()));
        }
        if !(1..=PARTITIONS_MAX).contains(&partitions) {
            return Err(DirectoryError::Partitions { asked: partitions, most: PARTITIONS_MAX });
        }
        let nodes = self.pyramids().count();
        if !(1..=nodes).contains(&usize::from(replication_factor)) {
            return Err(DirectoryError::ReplicationFactor { asked: replication_factor, nodes });
        }
        Ok(())
    }

    pub(super) fn check_log(&self, number: LogNumber) -> Result<(), DirectoryError> {
        self.present(number).map(|_| ())
    }

    pub(super) fn check_alter(
        &self,
        number: LogNumber,
        settings: &LogSettings,
    ) -> Result<(), DirectoryError> {
        Ok(settings.check_change(&self.present(number)?.settings)?)
    }

    pub(super) fn check_add(
        &self,
        number: LogNumber,
        partitions: u32,
    ) -> Result<(), DirectoryError> {
        let have = self.present(number)?.partitions;
        if partitions > PARTITIONS_MAX {
            return Err(DirectoryError::Partitions { asked: partitions, most: PARTITIONS_MAX });
        }
        if partitions <= have {
            return Err(DirectoryError::PartitionsNotMore { asked: partitions, have });
        }
        Ok(())
    }

    /// The schema that the log has once it has these columns.
    pub(super) fn grown_schema(
        &self,
        number: LogNumber,
        wanted: &Schema,
    ) -> Result<Schema, DirectoryError> {
        Ok(match &self.present(number)?.schema {
            Some(present) => present.grown_to(wanted)?,
            None => Schema::new(wanted.columns.clone())?,
        })
    }

    fn present(&self, number: LogNumber) -> Result<&LogEntry, DirectoryError> {
        self.log_by_number(number).ok_or(DirectoryError::LogNotFound(number))
    }

    /// Gives the log the next number.
    pub(super) fn create(&mut self, entry: LogEntry) -> LogNumber {
        self.last_log += 1;
        let number = LogNumber(self.last_log);
        let entry = LogEntry { number, ..entry };
        let nodes: Vec<NodeNumber> = self.pyramids().map(|node| node.number).collect();
        let placements = (0..entry.partitions).map(|partition| place(&nodes, &entry, partition));
        let placements = placements.collect();
        Arc::make_mut(&mut self.names).insert(entry.name.clone(), number);
        Arc::make_mut(&mut self.logs).insert(number, Arc::new(PlacedLog { entry, placements }));
        number
    }

    pub(super) fn delete(&mut self, number: LogNumber) {
        if let Some(log) = Arc::make_mut(&mut self.logs).remove(&number) {
            Arc::make_mut(&mut self.names).remove(&log.entry.name);
        }
    }

    pub(super) fn change_log(&mut self, number: LogNumber, change: impl FnOnce(&mut PlacedLog)) {
        if let Some(log) = Arc::make_mut(&mut self.logs).get_mut(&number) {
            change(Arc::make_mut(log));
        }
    }

    /// Places the new ones as at creation; those that are there stay where they are.
    pub(super) fn add_partitions(&mut self, number: LogNumber, partitions: u32) {
        let nodes: Vec<NodeNumber> = self.pyramids().map(|node| node.number).collect();
        self.change_log(number, |log| {
            let new = log.entry.partitions..partitions;
            log.placements.extend(new.map(|partition| place(&nodes, &log.entry, partition)));
            log.entry.partitions = partitions;
        });
    }
}

/// Round robin over the Pyramids, begun elsewhere by each log, so that many small
/// logs do not all land on the first node.
fn place(nodes: &[NodeNumber], entry: &LogEntry, partition: u32) -> Placement {
    let first = (entry.number.0 + u64::from(partition)) % nodes.len() as u64;
    let replicas = nodes.iter().copied().cycle().skip(first as usize);
    let replicas = replicas.take(usize::from(entry.replication_factor)).collect();
    Placement { generation: 1, replicas }
}
