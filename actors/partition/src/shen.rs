//! Shen, the façade: everything a door may ask of the node's logs. It resolves
//! names by the directory and partitions by the routes, and hides which actor
//! does what.

use crate::gate::{Gate, PendingAppend, Watermarks};
use crate::log_entry::{LogEntry, Views, entry};
use crate::routes::Routes;
use bytes::Bytes;
use pyralog_directory::Command;
use pyralog_log::PartitionSizes;
use pyralog_model::{
    ApiError, BatchHeader, ClusterId, ErrorCode, LogName, LogNumber, LogSettings, NodeName,
    NodeNumber, Offset, PartitionId, ScarabId, StoreId,
};
use pyralog_pharaoh::{Answer, DirectoryHub, Made, Pharaoh, Request};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a new log may take to serve.
const CREATION_PATIENCE: Duration = Duration::from_secs(5);
/// How long this node's copy of the directory may be behind a change it made.
const COPY_PATIENCE: Duration = Duration::from_secs(5);

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
    /// Check only.
    pub validate_only: bool,
}

/// The answer to a read.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Pieces to be written back to back: whole batches, the first of which may
    /// begin before the offset asked for.
    pub batches: Vec<Bytes>,
    /// For each of them the Scarab id of its first record, 0 without one.
    pub scarab_bases: Vec<u64>,
    /// Sum of their lengths.
    pub bytes: usize,
    /// The partition's offsets at the time of the read.
    pub watermarks: Watermarks,
}

impl Slice {
    /// The Scarab id of the first record of `batches[batch]`; record `k` of it has
    /// `nth(k)` of that.
    pub fn scarab_base(&self, batch: usize) -> Option<ScarabId> {
        self.scarab_bases.get(batch).filter(|base| **base != 0).map(|base| ScarabId(*base))
    }
}

/// One partition, for people.
#[derive(Debug, Clone, Copy)]
pub struct PartitionView {
    /// Its offsets.
    pub watermarks: Watermarks,
    /// Its bytes.
    pub sizes: PartitionSizes,
    /// The label of its present leadership, once an Obelisk has given one.
    pub epoch_label: Option<u64>,
    /// Producers' sessions that it knows.
    pub sessions: usize,
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
        }
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

    /// Creates a log, or only checks that it could be. Returns when its
    /// partitions serve.
    pub async fn create_log(&self, create: CreateLog) -> Result<Arc<LogEntry>, ApiError> {
        let partitions = self.check_partitions(&create)?;
        check_replication(create.replication_factor)?;
        let mut settings = self.settings.log_settings.clone();
        for (key, value) in &create.settings {
            let set = settings.set(key, value);
            set.map_err(|error| ApiError::new(ErrorCode::SettingInvalid, error.to_string()))?;
        }
        let view = self.hub.directory();
        if view.log(&create.name).is_some() {
            let message = format!("there is a log '{}' already", create.name);
            return Err(ApiError::new(ErrorCode::LogExists, message));
        }
        let name = create.name.clone();
        let command = Command::CreateLog {
            name: create.name,
            partitions,
            replication_factor: 1,
            settings,
            internal: false,
        };
        if create.validate_only {
            let mut trial = pyralog_directory::Directory::clone(&view);
            trial.apply(trial.last_index() + 1, &command)?;
            let log = trial.log(&name).ok_or_else(|| ApiError::unavailable("the directory"))?;
            return Ok(entry(&trial, log));
        }
        match self.propose(command).await? {
            Made::Log(number) => self.await_serving(number, partitions).await?,
            other => return Err(unexpected(&other)),
        }
        self.log(name.as_str()).ok_or_else(|| {
            ApiError::new(ErrorCode::LogNotFound, format!("log '{name}' was deleted meanwhile"))
        })
    }

    /// Deletes a log. Its files go soon after.
    pub async fn delete_log(&self, number: LogNumber) -> Result<(), ApiError> {
        self.propose(Command::DeleteLog { number }).await.map(|_| ())
    }

    /// Changes the directory, and waits until this node's copy shows it: whoever
    /// asks next sees what was done.
    async fn propose(&self, command: Command) -> Result<Made, ApiError> {
        match self.pharaoh.ask(Request::Propose(command)).await? {
            Answer::Done { index, made } => {
                self.hub.reach(index, COPY_PATIENCE).await?;
                Ok(made)
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Admits and queues an append, in the order of the calls. The batches were
    /// verified by `split_batches`. What is returned resolves when all of them
    /// are durable.
    pub async fn append(
        &self,
        partition: PartitionId,
        batches: Vec<(BatchHeader, Bytes)>,
    ) -> Result<PendingAppend, ApiError> {
        self.gate(partition)?.append(batches).await
    }

    /// Whole batches from the one that holds `from`: at least one if there is any
    /// below the high watermark, more until `bytes_max`.
    pub async fn read(
        &self,
        partition: PartitionId,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Slice, ApiError> {
        let gate = self.gate(partition)?;
        let slice = gate.store.read(&gate.log, from, bytes_max).await?;
        let mut watermarks = gate.watermarks();
        // The committer shows bytes a moment before it moves the watermark.
        watermarks.high = watermarks.high.max(slice.end);
        let pyralog_log::Slice { pieces: batches, scarab_bases, bytes, .. } = slice;
        Ok(Slice { batches, scarab_bases, bytes, watermarks })
    }

    /// The partition's offsets.
    pub fn watermarks(&self, partition: PartitionId) -> Result<Watermarks, ApiError> {
        Ok(self.gate(partition)?.watermarks())
    }

    /// Told when the high watermark moves.
    pub fn watch(&self, partition: PartitionId) -> Result<watch::Receiver<Offset>, ApiError> {
        Ok(self.gate(partition)?.watch())
    }

    /// The first batch that holds a record with a timestamp of `timestamp_ms` or
    /// later; the caller finds the record in it.
    pub async fn batch_at_time(
        &self,
        partition: PartitionId,
        timestamp_ms: i64,
    ) -> Result<Option<Bytes>, ApiError> {
        let gate = self.gate(partition)?;
        Ok(gate.store.batch_at_time(&gate.log, timestamp_ms).await?)
    }

    /// Offsets and sizes of a partition.
    pub fn partition(&self, partition: PartitionId) -> Result<PartitionView, ApiError> {
        let gate = self.gate(partition)?;
        Ok(PartitionView {
            watermarks: gate.watermarks(),
            sizes: gate.log.sizes(),
            epoch_label: gate.epoch_label(),
            sessions: gate.log.sessions(),
        })
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
            None => {
                Err(ApiError::new(ErrorCode::LogNotFound, format!("there is no log {}", id.log.0)))
            }
            Some(log) if id.partition.0 >= log.partitions => Err(ApiError::new(
                ErrorCode::PartitionNotFound,
                format!("log '{}' has {} partitions", log.name, log.partitions),
            )),
            Some(_) => Err(ApiError::unavailable("the partition")),
        }
    }

    fn check_partitions(&self, create: &CreateLog) -> Result<u32, ApiError> {
        let refuse = |message| Err(ApiError::new(ErrorCode::PartitionsInvalid, message));
        let partitions = create.partitions.unwrap_or(self.settings.default_partitions);
        let per_log = self.settings.partitions_per_log_max;
        if partitions == 0 || partitions > per_log {
            return refuse(format!("a log has 1 to {per_log} partitions, not {partitions}"));
        }
        let present: u32 = self.hub.directory().logs().map(|log| log.partitions).sum();
        let most = self.settings.partitions_max;
        if present.saturating_add(partitions) > most {
            return refuse(format!(
                "this node has {present} partitions and takes at most {most}; \
                 raise partitions_max or delete a log"
            ));
        }
        Ok(partitions)
    }

    async fn await_serving(&self, log: LogNumber, partitions: u32) -> Result<(), ApiError> {
        let mut changes = self.routes.watch();
        let serving = async {
            loop {
                let all =
                    (0..partitions).all(|p| self.routes.gate(PartitionId::new(log.0, p)).is_some());
                if all || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(CREATION_PATIENCE, serving).await;
        waited.map_err(|_| {
            ApiError::new(
                ErrorCode::Timeout,
                "the log is created, but its partitions do not serve yet; look at `pyralog actors`",
            )
        })
    }
}

fn check_replication(factor: Option<u16>) -> Result<(), ApiError> {
    match factor {
        None | Some(1) => Ok(()),
        Some(other) => Err(ApiError::new(
            ErrorCode::ReplicationInvalid,
            format!("{other} replicas were asked for, but there is 1 live Pyramid"),
        )),
    }
}

fn unexpected(answer: &impl std::fmt::Debug) -> ApiError {
    let message = format!("the Obelisk answered something else: {answer:?}; please report it");
    ApiError::new(ErrorCode::Internal, message)
}
