//! Logs as clients see them, made once for each state of the directory, since
//! every request looks one up.

use pyralog_directory::Directory;
use pyralog_model::LogName;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, RwLock};

/// A log, as clients see it: the directory's entry and Kafka's id for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    entry: pyralog_directory::LogEntry,
    /// Kafka's id for it.
    pub topic_id: [u8; 16],
}

impl Deref for LogEntry {
    type Target = pyralog_directory::LogEntry;

    fn deref(&self) -> &pyralog_directory::LogEntry {
        &self.entry
    }
}

/// One state of the directory with its logs ready to be handed out.
#[derive(Debug, Default)]
pub(crate) struct DirectoryView {
    directory: Arc<Directory>,
    /// Sorted by name.
    pub(crate) logs: BTreeMap<LogName, Arc<LogEntry>>,
}

impl DirectoryView {
    fn new(directory: Arc<Directory>) -> DirectoryView {
        let entries = directory.logs().map(|log| (log.name.clone(), entry(&directory, log)));
        let logs = entries.collect();
        DirectoryView { directory, logs }
    }
}

/// The view of the present directory, made when the first one asks for it.
#[derive(Debug, Default)]
pub(crate) struct Views(RwLock<Arc<DirectoryView>>);

impl Views {
    pub(crate) fn of(&self, directory: Arc<Directory>) -> Arc<DirectoryView> {
        let present = Arc::clone(&self.0.read().expect("no one panics holding a view"));
        if Arc::ptr_eq(&present.directory, &directory) {
            return present;
        }
        let made = Arc::new(DirectoryView::new(directory));
        let mut present = self.0.write().expect("no one panics holding a view");
        if present.directory.last_index() <= made.directory.last_index() {
            *present = Arc::clone(&made);
        }
        made
    }
}

pub(crate) fn entry(directory: &Directory, log: &pyralog_directory::LogEntry) -> Arc<LogEntry> {
    let cluster = directory.cluster().expect("a cluster is founded before its first log");
    Arc::new(LogEntry { entry: log.clone(), topic_id: log.number.topic_id(cluster) })
}
