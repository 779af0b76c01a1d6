//! The whole directory as bytes, in place of the commands that made it.

use crate::codec;
use crate::counters::{Chunk, Counters};
use crate::directory::{Directory, PlacedLog};
use crate::entry::{LaneEntry, NodeEntry};
use crate::error::DecodeError;
use crate::history::HistoryBody;
use crate::lanes::Lanes;
use crate::mutation::Planted;
use crate::version1::Body1;
use crate::version2::PlacedLog2;
use pyralog_model::{ClusterId, LogNumber, LogicalClock, NodeNumber, Schema};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most bytes a snapshot has.
const SNAPSHOT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Version 3 of the snapshot's body. Chunks and logs are shared with the
/// directory that is written, and owned by the one that is read.
#[derive(Debug, Serialize, Deserialize)]
struct Body<Log, Counter> {
    last_index: u64,
    cluster: Option<ClusterId>,
    last_node: u32,
    last_log: u64,
    last_incarnation: u64,
    nodes: Vec<NodeEntry>,
    logs: Vec<Log>,
    clock: LogicalClock,
    lanes: Vec<LaneEntry>,
    counters: Vec<Counter>,
    history: HistoryBody,
}

type OwnedBody = Body<PlacedLog, Chunk>;
/// In version 2 the logs were other ones, and nothing else.
type Body2 = Body<PlacedLog2, Chunk>;

impl Directory {
    /// The directory's bytes. Equal directories have equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let chunks = self.counters.chunks();
        let body = Body::<&PlacedLog, &Chunk> {
            last_index: self.last_index(),
            cluster: self.cluster,
            last_node: self.last_node,
            last_log: self.last_log,
            last_incarnation: self.last_incarnation,
            nodes: self.nodes.values().cloned().collect(),
            logs: self.logs.values().map(|log| &**log).collect(),
            clock: self.lanes.clock,
            lanes: self.lanes.leased.values().copied().collect(),
            counters: chunks.iter().map(|chunk| &**chunk).collect(),
            history: HistoryBody::of(&self.history),
        };
        codec::encode(codec::VERSION, &body)
    }

    /// Reads what `snapshot` made, of any version. Any bytes may be given.
    ///
    /// # Errors
    /// `TooLong` before anything is read; else what is wrong with the bytes.
    pub fn restore(bytes: &[u8]) -> Result<Directory, DecodeError> {
        let body = match codec::version(bytes, SNAPSHOT_BYTES_MAX)? {
            1 => codec::decode::<Body1>(bytes).map(OwnedBody::from)?,
            2 => codec::decode::<Body2>(bytes).map(OwnedBody::from)?,
            _ => codec::decode(bytes)?,
        };
        body.check()?;
        let history = body.history.restore(body.last_index).map_err(DecodeError::Contradiction)?;
        let counters = Counters::restore(body.counters).map_err(DecodeError::Contradiction)?;
        let nodes = body.nodes.into_iter().map(|node| (node.number, node)).collect();
        let logs = body.logs.into_iter().map(|log| (log.entry.number, Arc::new(log)));
        let logs: BTreeMap<LogNumber, Arc<PlacedLog>> = logs.collect();
        let names: BTreeMap<_, _> =
            logs.iter().map(|(&number, log)| (log.entry.name.clone(), number)).collect();
        let leased = body.lanes.into_iter().map(|entry| (entry.lane, entry)).collect();
        Ok(Directory {
            history,
            cluster: body.cluster,
            last_node: body.last_node,
            last_log: body.last_log,
            last_incarnation: body.last_incarnation,
            nodes: Arc::new(nodes),
            logs: Arc::new(logs),
            names: Arc::new(names),
            lanes: Arc::new(Lanes { clock: body.clock, leased }),
            counters,
            planted: Planted::default(),
        })
    }
}

impl From<Body2> for OwnedBody {
    fn from(body: Body2) -> OwnedBody {
        Body {
            logs: body.logs.into_iter().map(PlacedLog::from).collect(),
            last_index: body.last_index,
            cluster: body.cluster,
            last_node: body.last_node,
            last_log: body.last_log,
            last_incarnation: body.last_incarnation,
            nodes: body.nodes,
            clock: body.clock,
            lanes: body.lanes,
            counters: body.counters,
            history: body.history,
        }
    }
}

impl From<Body1> for OwnedBody {
    fn from(body: Body1) -> OwnedBody {
        Body {
            last_index: body.last_index,
            cluster: body.cluster,
            last_node: body.last_node,
            last_log: body.last_log,
            last_incarnation: 0,
            nodes: body.nodes.into_iter().map(NodeEntry::from).collect(),
            logs: body.logs.into_iter().map(PlacedLog::from).collect(),
            clock: LogicalClock(0),
            lanes: Vec::new(),
            counters: Vec::new(),
            history: HistoryBody::beginning_at(body.last_index),
        }
    }
}

fn require(holds: bool, what: &'static str) -> Result<(), DecodeError> {
    if holds { Ok(()) } else { Err(DecodeError::Contradiction(what)) }
}

impl OwnedBody {
    /// What later code relies on without looking.
    fn check(&self) -> Result<(), DecodeError> {
        let founded = self.cluster.is_some();
        require(founded || self.last_node == 0, "members without a cluster")?;
        require(founded || self.counters.is_empty(), "counters without a cluster")?;
        self.check_nodes()?;
        self.check_logs()?;
        self.check_lanes()
    }

    fn check_nodes(&self) -> Result<(), DecodeError> {
        let numbers: Vec<u32> = self.nodes.iter().map(|node| node.number.0).collect();
        require(numbers.is_sorted_by(|a, b| a < b), "nodes out of order")?;
        let in_range = numbers.iter().all(|number| (1..=self.last_node).contains(number));
        require(in_range, "a node number that was never given")?;
        let names: BTreeSet<_> = self.nodes.iter().map(|node| &node.name).collect();
        let stores: BTreeSet<_> = self.nodes.iter().map(|node| node.store).collect();
        let all = self.nodes.len();
        require(names.len() == all && stores.len() == all, "two nodes with one name or store")?;
        let starts = self.nodes.iter().map(|node| node.incarnation.0).filter(|start| *start > 0);
        let starts: Vec<u64> = starts.collect();
        let in_range = starts.iter().all(|start| *start <= self.last_incarnation);
        require(in_range, "a start that was never counted")?;
        let distinct: BTreeSet<_> = starts.iter().collect();
        require(distinct.len() == starts.len(), "two nodes with one start")?;
        let token = |node: &NodeEntry| node.token.is_some() == (node.incarnation.0 > 0);
        require(self.nodes.iter().all(token), "a start without a token, or a token without one")
    }

    fn check_logs(&self) -> Result<(), DecodeError> {
        let numbers: Vec<u64> = self.logs.iter().map(|log| log.entry.number.0).collect();
        require(numbers.is_sorted_by(|a, b| a < b), "logs out of order")?;
        let in_range = numbers.iter().all(|number| (1..=self.last_log).contains(number));
        require(in_range, "a log number that was never given")?;
        let names: BTreeSet<_> = self.logs.iter().map(|log| &log.entry.name).collect();
        require(names.len() == self.logs.len(), "two logs with one name")?;
        let mut schemas = self.logs.iter().filter_map(|log| log.entry.schema.as_ref());
        schemas.try_for_each(Schema::check)?;
        let placed = self.logs.iter().all(|log| self.is_placed(log));
        require(placed, "a partition that is on no node, or on an unknown one")
    }

    fn check_lanes(&self) -> Result<(), DecodeError> {
        let clocks = self.lanes.iter().flat_map(|entry| [entry.from, entry.to]);
        let in_range = clocks.chain([self.clock]).all(|clock| clock <= LogicalClock::MAX);
        require(in_range, "a time past the end of the clock")?;
        // A value outside the type's range would carry into the next lane.
        let known = self.lanes.iter().all(|entry| {
            pyralog_model::Lane::new(entry.lane.number()).is_some() && entry.from <= entry.to
        });
        require(known, "a lane that cannot be, or a lease that ends before it begins")?;
        require(self.lanes.is_sorted_by(|a, b| a.lane < b.lane), "lanes out of order")?;
        let holders = self.lanes.iter().filter_map(|entry| entry.holder);
        let holders: Vec<_> = holders.collect();
        let distinct: BTreeSet<_> = holders.iter().collect();
        require(distinct.len() == holders.len(), "two lanes with one holder")?;
        let known = holders.iter().all(|(node, start)| {
            (self.has_node(node) || *node == Directory::OBELISKS)
                && (1..=self.last_incarnation).contains(&start.0)
        });
        require(known, "a lane that is leased to nobody known")
    }

    fn has_node(&self, number: &NodeNumber) -> bool {
        self.nodes.binary_search_by_key(number, |node| node.number).is_ok()
    }

    fn is_placed(&self, log: &PlacedLog) -> bool {
        let known = |replica: &NodeNumber| self.has_node(replica);
        log.placements.len() as u64 == u64::from(log.entry.partitions)
            && log.placements.iter().all(|placement| {
                !placement.replicas.is_empty() && placement.replicas.iter().all(known)
            })
    }
}
