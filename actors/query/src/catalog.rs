//! What names mean in a query: `log.<name>` is a log, and `log` may be left out;
//! `sys.<name>` is a part of the system.

use crate::counters::Counting;
use crate::snapshot::Snapshot;
use crate::table::LogTable;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::error::Result;
use std::sync::Arc;

/// The catalog, which nobody needs to write.
pub(crate) const CATALOG: &str = "pyralog";
/// The schema of the logs, which is meant where none is written.
pub(crate) const LOGS: &str = "log";
/// The schema of the system.
pub(crate) const SYSTEM: &str = "sys";

/// All that one query can name.
#[derive(Debug)]
pub(crate) struct Catalog {
    logs: Arc<dyn SchemaProvider>,
    system: Arc<dyn SchemaProvider>,
}

impl Catalog {
    /// The logs of `snapshot`, and `system`.
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        system: Arc<dyn SchemaProvider>,
        counting: Arc<Counting>,
    ) -> Catalog {
        Catalog { logs: Arc::new(LogSchema { snapshot, counting }), system }
    }
}

impl CatalogProvider for Catalog {
    fn schema_names(&self) -> Vec<String> {
        vec![LOGS.to_owned(), SYSTEM.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        match name {
            LOGS => Some(Arc::clone(&self.logs)),
            SYSTEM => Some(Arc::clone(&self.system)),
            _ => None,
        }
    }
}

/// A list of this one catalog.
#[derive(Debug)]
pub(crate) struct Catalogs(pub(crate) Arc<Catalog>);

impl CatalogProviderList for Catalogs {
    fn register_catalog(
        &self,
        _name: String,
        _catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::clone(&self.0) as Arc<dyn CatalogProvider>)
    }
}

/// The logs, as tables.
#[derive(Debug)]
struct LogSchema {
    snapshot: Arc<Snapshot>,
    counting: Arc<Counting>,
}

#[async_trait]
impl SchemaProvider for LogSchema {
    fn table_names(&self) -> Vec<String> {
        self.snapshot.names()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(log) = self.snapshot.log(name) else { return Ok(None) };
        let (snapshot, counting) = (Arc::clone(&self.snapshot), Arc::clone(&self.counting));
        Ok(Some(Arc::new(LogTable::new(Arc::clone(log), snapshot, counting))))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.snapshot.log(name).is_some()
    }
}
