//! The schema `sys`: what the node knows about itself and its cluster, as tables.
//!
//! | table | a row is |
//! |---|---|
//! | `sys.nodes` | a node of the cluster |
//! | `sys.logs` | a log |
//! | `sys.log_settings` | a setting of a log |
//! | `sys.partitions` | a partition of a log |
//! | `sys.groups` | a consumer group |
//! | `sys.group_members` | a member of a consumer group |
//! | `sys.group_offsets` | an offset that a group has committed |
//! | `sys.actors` | a supervisor or a worker of this node |
//! | `sys.counters` | a counter |
//! | `sys.config` | a key of this node's configuration |
//! | `sys.tables` | a table of this schema |
//! | `sys.columns` | a column of one of them, with its meaning |
//!
//! A table is read when its query runs, and only as far as the query goes: it is a
//! stream of rows from whoever knows them. Nothing is kept.
//!
//! - `words`: what a table and its columns are called, and what they mean.
//! - `table`: a table as the engine sees it.
//! - below it one file a subject, each with its words and its rows.

mod table;
mod words;

mod actors;
mod config;
mod counters;
mod group_offsets;
mod groups;
mod help;
mod logs;
mod nodes;
mod partitions;

#[cfg(test)]
mod tests;

pub use config::ConfigRow;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;
use pyralog_behaviour::Tree;
use pyralog_groups::Groups;
use pyralog_partition::Shen;
use pyralog_pharaoh::Pharaoh;
use std::fmt;
use std::sync::{Arc, OnceLock};
use table::{SystemTable, Table};

/// Whoever knows something that a table shows. Clones are cheap.
#[derive(Clone)]
pub struct SystemSources {
    /// Logs and partitions.
    pub shen: Shen,
    /// The directory, and what counters stand at.
    pub pharaoh: Pharaoh,
    /// Consumer groups.
    pub groups: Groups,
    /// The tree, filled in once it exists: queries are a part of it.
    pub tree: Arc<OnceLock<Tree>>,
    /// The node's configuration.
    pub config: Arc<[ConfigRow]>,
}

/// The schema `sys`.
pub struct SystemSchema {
    tables: Vec<Arc<SystemTable>>,
}

/// Every table, in the order in which they are listed.
static TABLES: [&Table; 12] = [
    &nodes::NODES,
    &logs::LOGS,
    &logs::LOG_SETTINGS,
    &partitions::PARTITIONS,
    &groups::GROUPS,
    &groups::GROUP_MEMBERS,
    &group_offsets::GROUP_OFFSETS,
    &actors::ACTORS,
    &counters::COUNTERS,
    &config::CONFIG,
    &help::TABLES,
    &help::COLUMNS,
];

impl SystemSchema {
    /// The schema over its sources.
    pub fn new(sources: SystemSources) -> SystemSchema {
        let table = |table: &&'static Table| Arc::new(SystemTable::new(table, sources.clone()));
        SystemSchema { tables: TABLES.iter().map(table).collect() }
    }

    fn find(&self, name: &str) -> Option<&Arc<SystemTable>> {
        self.tables.iter().find(|table| table.name() == name)
    }
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.iter().map(|table| table.name().to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.find(name).map(|table| Arc::clone(table) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

impl fmt::Debug for SystemSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.table_names()).finish()
    }
}
