//! Shen, the façade: everything a door may ask of the node's logs. It resolves
//! names by the directory and partitions by the routes, and hides which actor
//! does what.

use crate::gate::Gate;
use crate::log_entry::{LogEntry, Views};
use crate::routes::Routes;
use pyralog_directory::Directory;
use pyralog_model::{
    ApiError, ClusterId, ErrorCode, LogName, LogNumber, LogSettings, NodeName, NodeNumber,
    PartitionId, Schema, StoreId,
};
use pyralog_pharaoh::{DirectoryHub, Pharaoh};
use std::sync::Arc;

mod finding;
mod keys;
mod logs;
mod records;
mod settings;

pub use finding::FindKey;
pub use records::{DataDirectory, PartitionView, Slice};

/// What to create.
#[derive(Debug, Clone)]
pub struct CreateLog {
    /// The name, already checked.
    pub name: LogName,
    /// Number of partitions; the node's default if absent.
    pub partitions: Option<u32>,
    /// Replicas of each partition; as many as there can be if absent.
    pub replication_factor: Option<u16>,
    /// Settings by Kafka's names.
    pub settings: Vec<(String, String)>,
    /// What SQL calls the fields of its values, if they have fields.
    pub schema: Option<Schema>,
    /// Check only.
    pub validate_only: bool,
}

/// Who this node is.
#[derive(Debug, Clone)]
pub struct NodeIdentity {
    /// The node's name.
    pub name: NodeName,
    /// Its data directory.
    pub store: StoreId,
}

/// What the façade decides by.
#[derive(Debug, Clone)]
pub struct ShenSettings {
    /// Partitions of a log that does not say.
    pub default_partitions: u32,
    /// The most partitions that one log may have.
    pub partitions_per_log_max: u32,
    /// The most partitions that this node may have.
    pub partitions_max: u32,
    /// Settings of a log that does not say.
    pub log_settings: LogSettings,
}

/// The façade. Clones are cheap and share everything.
#[derive(Debug, Clone)]
pub struct Shen {
    identity: Arc<NodeIdentity>,
    settings: Arc<ShenSettings>,
    pharaoh: Pharaoh,
    hub: DirectoryHub,
    views: Arc<Views>,
    routes: Routes,
    /// Whoever changes settings reads them first: one at a time.
    altering: Arc<tokio::sync::Mutex<()>>,
    /// For whom it acts: internal logs are changed by the cluster only.
    for_cluster: bool,
}

impl Shen {
    /// A façade over the client's directory and the given routes.
    pub fn new(
        identity: NodeIdentity,
        settings: ShenSettings,
        pharaoh: Pharaoh,
        routes: Routes,
    ) -> Shen {
        Shen {
            identity: Arc::new(identity),
            settings: Arc::new(settings),
            hub: pharaoh.hub().clone(),
            pharaoh,
            views: Arc::default(),
            routes,
            altering: Arc::default(),
            for_cluster: false,
        }
    }

    /// The same façade for the cluster's own use: it may also change internal logs,
    /// whose names begin with `__`. Doors do not ask for it.
    pub fn for_cluster(&self) -> Shen {
        Shen { for_cluster: true, ..self.clone() }
    }

    /// Waits until this node is a member that the directory lists: before that it
    /// has no number to tell to clients.
    pub async fn joined(&self) {
        let store = self.identity.store;
        let mut changes = self.hub.watch();
        // The sender lives as long as the hub.
        let _ = changes.wait_for(|directory| directory.nodes().any(|n| n.store == store)).await;
    }

    /// The cluster; 0 before this node has joined one.
    pub fn cluster_id(&self) -> ClusterId {
        self.hub.directory().cluster().unwrap_or(ClusterId(0))
    }

    /// Told when this node's copy of the directory changes.
    pub fn watch_directory(&self) -> tokio::sync::watch::Receiver<Arc<Directory>> {
        self.hub.watch()
    }

    /// This node's number; 0 before the directory has given it one.
    pub fn node(&self) -> NodeNumber {
        let directory = self.hub.directory();
        let mut nodes = directory.nodes();
        nodes.find(|node| node.store == self.identity.store).map(|n| n.number).unwrap_or_default()
    }

    /// This node's name.
    pub fn node_name(&self) -> &str {
        &self.identity.name.0
    }

    /// Every log, sorted by name.
    pub fn logs(&self) -> Vec<Arc<LogEntry>> {
        self.views.of(self.hub.directory()).logs.values().cloned().collect()
    }

    /// A log by its name.
    pub fn log(&self, name: &str) -> Option<Arc<LogEntry>> {
        self.views.of(self.hub.directory()).logs.get(name).cloned()
    }

    /// A log by Kafka's id for it.
    pub fn log_by_topic_id(&self, id: [u8; 16]) -> Option<Arc<LogEntry>> {
        self.logs().into_iter().find(|log| log.topic_id == id)
    }

    /// What the façade decides by.
    pub fn settings(&self) -> &ShenSettings {
        &self.settings
    }

    fn gate(&self, id: PartitionId) -> Result<Arc<Gate>, ApiError> {
        if let Some(gate) = self.routes.gate(id) {
            return Ok(gate);
        }
        match self.hub.directory().log_by_number(id.log) {
            None => Err(no_log(id.log)),
            Some(log) if id.partition.0 >= log.partitions => Err(ApiError::new(
                ErrorCode::PartitionNotFound,
                format!("log '{}' has {} partitions", log.name, log.partitions),
            )),
            Some(_) => Err(ApiError::unavailable("the partition")),
        }
    }

    /// The log, if whoever asks may change it.
    fn changeable(&self, number: LogNumber) -> Result<Arc<LogEntry>, ApiError> {
        let directory = self.hub.directory();
        let name = directory.log_by_number(number).map(|log| log.name.clone());
        let name = name.ok_or_else(|| no_log(number))?;
        if name.is_internal() && !self.for_cluster {
            return Err(internal(&name));
        }
        let view = self.views.of(directory);
        view.logs.get(&name).cloned().ok_or_else(|| no_log(number))
    }
}

fn no_log(number: LogNumber) -> ApiError {
    ApiError::new(ErrorCode::LogNotFound, format!("there is no log {}", number.0))
}

fn internal(name: &LogName) -> ApiError {
    let message = format!("'{name}' is one of the cluster's own logs: it can be read, not changed");
    ApiError::new(ErrorCode::LogNameInvalid, message)
}
