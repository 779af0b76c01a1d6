//! The whole directory as bytes, in place of the commands that made it.

use crate::codec;
use crate::directory::{Directory, PlacedLog};
use crate::entry::NodeEntry;
use crate::error::DecodeError;
use pyralog_model::{ClusterId, LogNumber, NodeNumber};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes a snapshot has.
const SNAPSHOT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Version 1 of the snapshot's body.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    last_index: u64,
    cluster: Option<ClusterId>,
    last_node: u32,
    last_log: u64,
    nodes: Vec<NodeEntry>,
    logs: Vec<PlacedLog>,
}

impl Directory {
    /// The directory's bytes. Equal directories have equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        codec::encode(&Body {
            last_index: self.last_index,
            cluster: self.cluster,
            last_node: self.last_node,
            last_log: self.last_log,
            nodes: self.nodes.values().cloned().collect(),
            logs: self.logs.values().cloned().collect(),
        })
    }

    /// Reads what `snapshot` made. Any bytes may be given.
    ///
    /// # Errors
    /// `TooLong` before anything is read; else what is wrong with the bytes.
    pub fn restore(bytes: &[u8]) -> Result<Directory, DecodeError> {
        let body: Body = codec::decode(bytes, SNAPSHOT_BYTES_MAX)?;
        body.check()?;
        let nodes = body.nodes.into_iter().map(|node| (node.number, node)).collect();
        let logs: BTreeMap<LogNumber, PlacedLog> =
            body.logs.into_iter().map(|log| (log.entry.number, log)).collect();
        let names = logs.iter().map(|(&number, log)| (log.entry.name.clone(), number)).collect();
        Ok(Directory {
            last_index: body.last_index,
            cluster: body.cluster,
            last_node: body.last_node,
            last_log: body.last_log,
            nodes,
            logs,
            names,
        })
    }
}

impl Body {
    /// What later code relies on without looking.
    fn check(&self) -> Result<(), DecodeError> {
        let require =
            |holds, what| if holds { Ok(()) } else { Err(DecodeError::Contradiction(what)) };
        require(self.cluster.is_some() || self.last_node == 0, "members without a cluster")?;

        let numbers: Vec<u32> = self.nodes.iter().map(|node| node.number.0).collect();
        require(numbers.is_sorted_by(|a, b| a < b), "nodes out of order")?;
        let in_range = numbers.iter().all(|number| (1..=self.last_node).contains(number));
        require(in_range, "a node number that was never given")?;
        let names: BTreeSet<_> = self.nodes.iter().map(|node| &node.name).collect();
        let stores: BTreeSet<_> = self.nodes.iter().map(|node| node.store).collect();
        let all = self.nodes.len();
        require(names.len() == all && stores.len() == all, "two nodes with one name or store")?;

        let numbers: Vec<u64> = self.logs.iter().map(|log| log.entry.number.0).collect();
        require(numbers.is_sorted_by(|a, b| a < b), "logs out of order")?;
        let in_range = numbers.iter().all(|number| (1..=self.last_log).contains(number));
        require(in_range, "a log number that was never given")?;
        let names: BTreeSet<_> = self.logs.iter().map(|log| &log.entry.name).collect();
        require(names.len() == self.logs.len(), "two logs with one name")?;
        let placed = self.logs.iter().all(|log| self.is_placed(log));
        require(placed, "a partition that is on no node, or on an unknown one")
    }

    fn is_placed(&self, log: &PlacedLog) -> bool {
        let known = |replica: &NodeNumber| {
            self.nodes.binary_search_by_key(replica, |node| node.number).is_ok()
        };
        log.placements.len() as u64 == u64::from(log.entry.partitions)
            && log.placements.iter().all(|placement| {
                !placement.replicas.is_empty() && placement.replicas.iter().all(known)
            })
    }
}
