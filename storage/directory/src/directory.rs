//! The directory's state and what may be read from it.

use crate::counters::{Counters, row_of};
use crate::entry::{CounterEntry, LaneEntry, LogEntry, NodeEntry, Placement};
use crate::history::{History, Holding, Known};
use crate::lanes::Lanes;
use crate::mutation::Planted;
use pyralog_model::{
    ClusterId, CounterMode, CounterName, CounterNumber, LogName, LogNumber, LogicalClock,
    NodeNumber, PartitionId, PartitionNumber,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The cluster's own counters, as they are read by name.
const WELL_KNOWN: [(&str, CounterNumber); 3] = [
    ("epochs", CounterNumber::EPOCHS),
    ("scarab", CounterNumber::SCARABS),
    ("sessions", CounterNumber::SESSIONS),
];

/// What the commands so far have made. `default()` is the directory before the
/// first of them. A clone shares everything with its original until one of them
/// changes, so clones are cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    pub(crate) history: History,
    pub(crate) cluster: Option<ClusterId>,
    /// The greatest numbers given so far, kept because rows may go.
    pub(crate) last_node: u32,
    pub(crate) last_log: u64,
    pub(crate) last_incarnation: u64,
    pub(crate) nodes: Arc<BTreeMap<NodeNumber, NodeEntry>>,
    pub(crate) logs: Arc<BTreeMap<LogNumber, Arc<PlacedLog>>>,
    /// Follows from `logs`, so it is not in the snapshot.
    pub(crate) names: Arc<BTreeMap<LogName, LogNumber>>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) counters: Counters,
    pub(crate) planted: Planted,
}

/// A log and where its partitions are, by partition number.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct PlacedLog {
    pub(crate) entry: LogEntry,
    pub(crate) placements: Vec<Placement>,
}

impl Directory {
    /// Leases of the Obelisks' own lanes are in this name, which no node has, with
    /// the present start of the Obelisk as incarnation: a node of both roles has
    /// one lane for each.
    pub const OBELISKS: NodeNumber = NodeNumber(0);

    /// The index of the last command; 0 before the first.
    pub fn last_index(&self) -> u64 {
        self.history.last()
    }

    /// How far this directory has come and by which way, for another holder to
    /// compare with its own.
    pub fn known(&self) -> Known {
        self.history.known()
    }

    /// Whether this directory came the way that another holder knows. Exact for the
    /// last 8,192 commands; before them, as exact as the checkpoint below.
    pub fn holds(&self, known: &Known) -> Holding {
        self.history.holds(known)
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

    /// The members that keep data, by number.
    pub fn pyramids(&self) -> impl Iterator<Item = &NodeEntry> {
        self.nodes.values().filter(|node| node.roles.pyramid)
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

    /// The latest clock of whoever granted lanes.
    pub fn clock(&self) -> LogicalClock {
        self.lanes.clock
    }

    /// Every lane that was ever leased, by number.
    pub fn lanes(&self) -> impl Iterator<Item = &LaneEntry> {
        self.lanes.leased.values()
    }

    /// The counter of this name, of a user or the cluster's own (`epochs`,
    /// `scarab`, `sessions`).
    pub fn counter(&self, name: &CounterName) -> Option<CounterEntry> {
        let own = WELL_KNOWN.iter().find(|(own, _)| *own == name.as_str());
        match own {
            Some(&(_, number)) => {
                Some(CounterEntry { number, name: name.clone(), mode: CounterMode::Exact })
            }
            None => self.counters.entry(self.counters.find(name.as_str())?),
        }
    }

    /// The counter of a user that has this number.
    pub fn counter_by_number(&self, number: CounterNumber) -> Option<CounterEntry> {
        self.counters.entry(row_of(number)?)
    }

    /// How a counter of a user is counted: `counter_by_number` without the name,
    /// and fast.
    pub fn counter_mode(&self, number: CounterNumber) -> Option<CounterMode> {
        self.counters.mode(row_of(number)?)
    }

    /// All counters of users, by number.
    pub fn counters(&self) -> impl Iterator<Item = CounterEntry> {
        (0..self.counters.len()).filter_map(|row| self.counters.entry(row))
    }

    /// How many counters users have made.
    pub fn counter_count(&self) -> usize {
        self.counters.len()
    }

    /// Plants a bug in this directory and its clones.
    #[cfg(any(test, feature = "mutants"))]
    pub fn plant(&mut self, mutation: Option<crate::Mutation>) {
        self.planted = Planted::new(mutation);
    }
}
