//! The tables over a directory that an Obelisk keeps, without a store: what they
//! show, what they ask for it, and what they show when nobody answers.

use super::*;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::catalog::MemoryCatalogProvider;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use pyralog_directory::{Command, Roles};
use pyralog_env::{Clock, RealClock, RealEntropy};
use pyralog_groups::GroupSettings;
use pyralog_model::{ClusterId, CounterMode, LogName, LogSettings, NodeName, StartToken, StoreId};
use pyralog_partition::{NodeIdentity, Routes, ShenSettings};
use pyralog_pharaoh::simulated::{Manners, SimObelisk};
use pyralog_pharaoh::{DirectoryHub, NodeStart, PharaohOptions, Request};
use std::collections::{BTreeMap, BTreeSet};

const STORE: StoreId = StoreId(1);

struct World {
    obelisk: SimObelisk,
    pharaoh: Pharaoh,
    session: SessionContext,
}

impl World {
    /// A node with a log of two partitions that nobody serves.
    async fn new() -> World {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let obelisk = SimObelisk::founded(ClusterId(9), Arc::clone(&clock));
        let entropy = Arc::new(RealEntropy);
        let pharaoh = Pharaoh::new(PharaohOptions {
            endpoints: vec![obelisk.endpoint()],
            hub: DirectoryHub::default(),
            clock: Arc::clone(&clock),
            entropy: entropy.clone(),
        });
        let identity = NodeIdentity { name: NodeName("n".into()), store: STORE };
        let settings = ShenSettings {
            default_partitions: 1,
            partitions_per_log_max: 16,
            partitions_max: 16,
            log_settings: LogSettings::default(),
        };
        let shen = Shen::new(identity, settings, pharaoh.clone(), Routes::default());
        let groups = Groups::new(shen.clone(), clock, entropy, GroupSettings::default());
        let row = ConfigRow {
            key: "pyramid.listen_addr".into(),
            value: Some("127.0.0.1:9092".into()),
            source: "default".into(),
        };
        let sources = SystemSources {
            shen,
            pharaoh: pharaoh.clone(),
            groups,
            tree: Arc::default(),
            config: [row].into(),
        };
        let config = SessionConfig::new().with_information_schema(true);
        let session = SessionContext::new_with_config(config);
        let catalog = MemoryCatalogProvider::new();
        let schema: Arc<dyn SchemaProvider> = Arc::new(SystemSchema::new(sources));
        datafusion::catalog::CatalogProvider::register_schema(&catalog, "sys", schema).unwrap();
        session.register_catalog("datafusion", Arc::new(catalog));
        let world = World { obelisk, pharaoh, session };
        world.populate().await;
        world
    }

    async fn populate(&self) {
        let start = NodeStart {
            name: NodeName("n".into()),
            store: STORE,
            roles: Roles::BOTH,
            presented: Vec::new(),
            next: StartToken(1),
            advertised: BTreeMap::from([("kafka".to_owned(), "127.0.0.1:9092".to_owned())]),
        };
        self.pharaoh.join(start).await.unwrap();
        let create = Command::CreateLog {
            name: LogName::for_user("flights").unwrap(),
            partitions: 2,
            replication_factor: 1,
            settings: LogSettings::default(),
            internal: false,
        };
        self.pharaoh.ask(Request::Propose(create)).await.unwrap();
        self.follow();
    }

    /// What the directory's copy does by itself.
    fn follow(&self) {
        self.pharaoh.hub().publish(Arc::new(self.obelisk.directory()));
    }

    async fn count_with(&self, name: &str) {
        let propose =
            Command::CreateCounter { name: name.parse().unwrap(), mode: CounterMode::Exact };
        self.pharaoh.ask(Request::Propose(propose)).await.unwrap();
        self.follow();
    }

    async fn ask(&self, query: &str) -> Result<Vec<Vec<String>>> {
        let mut rows = Vec::new();
        for batch in self.session.sql(query).await?.collect().await? {
            for row in 0..batch.num_rows() {
                let cell = |column| array_value_to_string(column, row).unwrap();
                rows.push(batch.columns().iter().map(|column| cell(column)).collect());
            }
        }
        Ok(rows)
    }

    async fn rows(&self, query: &str) -> Vec<Vec<String>> {
        self.ask(query).await.unwrap_or_else(|error| panic!("{query}: {error}"))
    }
}

#[tokio::test]
async fn the_directory_shows_its_nodes_logs_and_partitions() {
    let world = World::new().await;
    let nodes = world.rows("SELECT name, roles, here, kafka, http FROM sys.nodes").await;
    assert_eq!(nodes, [["n", "obelisk,pyramid", "true", "127.0.0.1:9092", ""]]);
    let logs = "SELECT name, partitions, copies, internal, records IS NULL FROM sys.logs";
    assert_eq!(world.rows(logs).await, [["flights", "2", "1", "false", "true"]]);
    let partitions = "SELECT log, partition, high, nodes FROM sys.partitions \
                      WHERE error IS NOT NULL AND generation = 1 ORDER BY partition";
    let row = |partition| ["flights", partition, "", "1"];
    assert_eq!(world.rows(partitions).await, [row("0"), row("1")]);
    let settings = "SELECT value FROM sys.log_settings WHERE key = 'cleanup.policy'";
    assert_eq!(world.rows(settings).await, [["delete"]]);
    let config = world.rows("SELECT * FROM sys.config").await;
    assert_eq!(config, [["pyramid.listen_addr", "127.0.0.1:9092", "default"]]);
}

#[tokio::test]
async fn a_counter_is_asked_for_its_value_only_if_that_is_shown() {
    let world = World::new().await;
    world.count_with("tickets").await;
    world.pharaoh.next(&"tickets".parse().unwrap(), 5).await.unwrap();
    let before = world.obelisk.asked();
    assert_eq!(world.rows("SELECT name, mode FROM sys.counters").await, [["tickets", "exact"]]);
    assert_eq!(world.obelisk.asked(), before);
    assert_eq!(world.rows("SELECT name, value FROM sys.counters").await, [["tickets", "5"]]);
    assert_eq!(world.obelisk.asked(), before + 1);
    // Without an Obelisk what the directory has is shown.
    world.obelisk.set_manners(Manners::Away);
    let unknown = "SELECT name, value IS NULL FROM sys.counters";
    assert_eq!(world.rows(unknown).await, [["tickets", "true"]]);
}

#[tokio::test]
async fn a_table_of_many_batches_is_read_as_far_as_the_query_goes() {
    let world = World::new().await;
    for number in 0..1_500 {
        let propose = Command::CreateCounter {
            name: format!("c{number}").parse().unwrap(),
            mode: CounterMode::Exact,
        };
        world.pharaoh.ask(Request::Propose(propose)).await.unwrap();
    }
    world.follow();
    let counted = world.rows("SELECT count(*), count(DISTINCT name) FROM sys.counters").await;
    assert_eq!(counted, [["1500", "1500"]]);
    let before = world.obelisk.asked();
    assert_eq!(world.rows("SELECT name, value FROM sys.counters LIMIT 3").await.len(), 3);
    assert!(world.obelisk.asked() - before < 1_200, "more than a batch was asked for");
}

#[tokio::test]
async fn what_cannot_be_read_fails_with_its_own_code() {
    let world = World::new().await;
    let error = world.ask("SELECT * FROM sys.actors").await.unwrap_err();
    let DataFusionError::External(error) = error.find_root() else { panic!("{error}") };
    let error = error.downcast_ref::<pyralog_model::ApiError>().unwrap();
    assert_eq!(error.code, pyralog_model::ErrorCode::Unavailable);
}

#[tokio::test]
async fn every_column_has_a_name_that_needs_no_quotes_and_a_meaning() {
    let world = World::new().await;
    let mut names = BTreeSet::new();
    for table in TABLES {
        assert!(names.insert(table.name) && !table.meaning.is_empty(), "{}", table.name);
        let described = world.rows(&format!("DESCRIBE sys.{}", table.name)).await;
        assert_eq!(described.len(), table.columns.len(), "{}", table.name);
        let mut columns = BTreeSet::new();
        for ((name, kind, meaning), described) in table.columns.iter().zip(described) {
            assert!(columns.insert(name) && !meaning.is_empty(), "{}.{name}", table.name);
            assert_eq!(described[..2], [name.to_string(), kind.data_type().to_string()]);
            let query = format!("SELECT {name} FROM sys.{0} GROUP BY {name}", table.name);
            let planned = world.session.sql(&query).await;
            assert!(planned.is_ok(), "{query}: {planned:?}");
        }
    }
    let columns = world.rows("SELECT count(*) FROM sys.columns").await;
    let all: usize = TABLES.iter().map(|table| table.columns.len()).sum();
    assert_eq!(columns, [[all.to_string()]]);
    assert_eq!(world.rows("SELECT name FROM sys.tables").await.len(), TABLES.len());
}
