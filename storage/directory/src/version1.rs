//! Version 1 of commands and snapshots, as the first release wrote them: one
//! node that was both tiers, no starts, no lanes, no counters. Read for ever,
//! never written; nothing here follows a change of the present types.

use crate::command::Command;
use crate::directory::PlacedLog;
use crate::entry::{LogEntry, NodeEntry, Placement, Roles};
use pyralog_model::{
    ClusterId, Durability, Incarnation, LogName, LogNumber, LogSettings, NodeName, NodeNumber,
    StoreId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Command1 {
    FoundCluster {
        cluster: ClusterId,
    },
    RegisterNode {
        name: NodeName,
        store: StoreId,
        advertised: BTreeMap<String, String>,
    },
    CreateLog {
        name: LogName,
        partitions: u32,
        replication_factor: u16,
        settings: Settings1,
        internal: bool,
    },
    DeleteLog {
        number: LogNumber,
    },
    AlterLog {
        number: LogNumber,
        settings: Settings1,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Settings1 {
    segment_bytes: u64,
    max_message_bytes: u32,
    durability: Durability,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Body1 {
    pub(crate) last_index: u64,
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) last_node: u32,
    pub(crate) last_log: u64,
    pub(crate) nodes: Vec<Node1>,
    pub(crate) logs: Vec<PlacedLog1>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Node1 {
    number: NodeNumber,
    name: NodeName,
    store: StoreId,
    advertised: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlacedLog1 {
    entry: Log1,
    placements: Vec<Placement>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Log1 {
    number: LogNumber,
    name: LogName,
    partitions: u32,
    replication_factor: u16,
    settings: Settings1,
    internal: bool,
}

impl From<Settings1> for LogSettings {
    fn from(settings: Settings1) -> LogSettings {
        let Settings1 { segment_bytes, max_message_bytes, durability } = settings;
        #[allow(clippy::needless_update, reason = "settings of later versions have their defaults")]
        LogSettings { segment_bytes, max_message_bytes, durability, ..LogSettings::default() }
    }
}

impl From<Command1> for Command {
    fn from(command: Command1) -> Command {
        match command {
            Command1::FoundCluster { cluster } => Command::FoundCluster { cluster },
            Command1::RegisterNode { name, store, advertised } => {
                Command::RegisterNode { name, store, advertised }
            }
            Command1::CreateLog { name, partitions, replication_factor, settings, internal } => {
                let settings = settings.into();
                Command::CreateLog { name, partitions, replication_factor, settings, internal }
            }
            Command1::DeleteLog { number } => Command::DeleteLog { number },
            Command1::AlterLog { number, settings } => {
                Command::AlterLog { number, settings: settings.into() }
            }
        }
    }
}

impl From<Node1> for NodeEntry {
    fn from(node: Node1) -> NodeEntry {
        let Node1 { number, name, store, advertised } = node;
        let (roles, incarnation) = (Roles::BOTH, Incarnation(0));
        NodeEntry { number, name, store, advertised, roles, token: None, incarnation }
    }
}

impl From<PlacedLog1> for PlacedLog {
    fn from(log: PlacedLog1) -> PlacedLog {
        let PlacedLog1 { entry, placements } = log;
        let Log1 { number, name, partitions, replication_factor, settings, internal } = entry;
        let settings = settings.into();
        let schema = None;
        let entry =
            LogEntry { number, name, partitions, replication_factor, settings, internal, schema };
        PlacedLog { entry, placements }
    }
}
