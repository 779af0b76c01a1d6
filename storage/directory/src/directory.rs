//! The directory's state and what may be read from it.

use crate::entry::{LogEntry, NodeEntry, Placement};
use pyralog_model::{ClusterId, LogName, LogNumber, NodeNumber, PartitionId, PartitionNumber};
use std::collections::BTreeMap;

/// What the commands so far have made. `default()` is the directory before the
/// first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    pub(crate) last_index: u64,
    pub(crate) cluster: Option<ClusterId>,
    /// The greatest numbers given so far, kept because rows may go.
    pub(crate) last_node: u32,
    pub(crate) last_log: u64,
    pub(crate) nodes: BTreeMap<NodeNumber, NodeEntry>,
    pub(crate) logs: BTreeMap<LogNumber, PlacedLog>,
    /// Follows from `logs`, so it is not in the snapshot.
    pub(crate) names: BTreeMap<LogName, LogNumber>,
}

/// A log and where its partitions are, by partition number.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct PlacedLog {
    pub(crate) entry: LogEntry,
    pub(crate) placements: Vec<Placement>,
}

impl Directory {
    /// The index of the last command; 0 before the first.
    pub fn last_index(&self) -> u64 {
        self.last_index
    }

    /// The cluster's identity, once it is founded.
    pub fn cluster(&self) -> Option<ClusterId> {
        self.cluster
    }

    /// All members, by number.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeEntry> {
        self.nodes.values()
    }

    /// One member.
    pub fn node(&self, number: NodeNumber) -> Option<&NodeEntry> {
        self.nodes.get(&number)
    }

    /// All logs, by name.
    pub fn logs(&self) -> impl Iterator<Item = &LogEntry> {
        self.names.values().map(|number| &self.logs[number].entry)
    }

    /// The log that has this name now.
    pub fn log(&self, name: &LogName) -> Option<&LogEntry> {
        self.log_by_number(*self.names.get(name)?)
    }

    /// One log.
    pub fn log_by_number(&self, number: LogNumber) -> Option<&LogEntry> {
        self.logs.get(&number).map(|log| &log.entry)
    }

    /// The number that the next log will get: none from here on was ever given.
    pub fn next_log_number(&self) -> LogNumber {
        LogNumber(self.last_log + 1)
    }

    /// Which nodes hold a partition.
    pub fn placement(&self, partition: PartitionId) -> Option<&Placement> {
        let placements = &self.logs.get(&partition.log)?.placements;
        placements.get(usize::try_from(partition.partition.0).ok()?)
    }

    /// All partitions that `node` holds, by log and partition number.
    pub fn partitions_of(
        &self,
        node: NodeNumber,
    ) -> impl Iterator<Item = (PartitionId, &Placement)> {
        self.logs.values().flat_map(move |log| {
            let partitions = (0..).map(PartitionNumber).zip(&log.placements);
            let here = partitions.filter(move |(_, placement)| placement.replicas.contains(&node));
            let id = |partition| PartitionId { log: log.entry.number, partition };
            here.map(move |(partition, placement)| (id(partition), placement))
        })
    }
}
