//! Logs as clients see them, made once for each state of the directory, since
//! every request looks one up.

use pyralog_directory::Directory;
use pyralog_model::{LogName, LogNumber, LogSettings};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A log, as clients see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number.
    pub number: LogNumber,
    /// Its name.
    pub name: LogName,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many replicas each partition has.
    pub replication_factor: u16,
    /// Its settings.
    pub settings: LogSettings,
    /// True for logs that the system keeps for itself.
    pub internal: bool,
    /// Kafka's id for it.
    pub topic_id: [u8; 16],
}

/// One state of the directory with its logs ready to be handed out.
#[derive(Debug, Default)]
pub(crate) struct DirectoryView {
    pub(crate) directory: Arc<Directory>,
    /// Sorted by name.
    pub(crate) logs: BTreeMap<LogName, Arc<LogEntry>>,
}

impl DirectoryView {
    pub(crate) fn new(directory: Arc<Directory>) -> DirectoryView {
        let entries = directory.logs().map(|log| (log.name.clone(), entry(&directory, log)));
        let logs = entries.collect();
        DirectoryView { directory, logs }
    }
}

pub(crate) fn entry(directory: &Directory, log: &pyralog_directory::LogEntry) -> Arc<LogEntry> {
    let cluster = directory.cluster().expect("a cluster is founded before its first log");
    Arc::new(LogEntry {
        number: log.number,
        name: log.name.clone(),
        partitions: log.partitions,
        replication_factor: log.replication_factor,
        settings: log.settings.clone(),
        internal: log.internal,
        topic_id: log.number.topic_id(cluster),
    })
}
