//! A node with the flights in it, and the files they came from.

use crate::tables::{self, Files};
use anyhow::{Result, ensure};
use pyralog_tests::actors::Actor;
use pyralog_tests::binary;
use pyralog_tests::node::{Node, Plan};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

/// All that a check needs.
pub struct World {
    /// The node.
    pub node: Node,
    /// The CSV files and their columns.
    pub files: Files,
}

impl World {
    /// Starts a node and loads the five tables, each into a log of one partition.
    pub fn start(folder: &Path) -> Result<World> {
        let plan = Plan::new(&folder.join("data"), &folder.join("output"));
        let files = Files::unpack(&folder.join("files"))?;
        let world = World { node: plan.start()?, files };
        for table in tables::TABLES {
            let columns = world.files.columns(table.name)?;
            world.create(table.name, &columns, 1)?;
            world.load(table.name, table.name, None)?;
        }
        Ok(world)
    }

    /// Where HTTP is served.
    pub fn http(&self) -> SocketAddr {
        self.node.plan.http()
    }

    /// Makes a log with these columns.
    pub fn create(&self, log: &str, columns: &str, partitions: u32) -> Result<()> {
        let partitions = partitions.to_string();
        // A list may begin with a comment, which looks like a flag.
        let schema = format!("--schema={columns}");
        self.run(&["log", "create", log, &schema, "--partitions", &partitions])
    }

    /// Loads a table's CSV into a log.
    pub fn load(&self, table: &str, log: &str, key: Option<&str>) -> Result<()> {
        let csv = self.files.csv(table);
        let csv = csv.to_string_lossy();
        let mut arguments = vec!["produce", log, "--csv", &csv, "--null", "NA"];
        arguments.extend(key.iter().flat_map(|key| ["--key", key]));
        self.run(&arguments)
    }

    /// A command of the command line that must succeed.
    pub fn run(&self, arguments: &[&str]) -> Result<()> {
        let server = self.node.plan.server();
        let all = arguments.iter().map(|argument| (*argument).to_owned()).chain(server);
        let finished = binary::run(all);
        ensure!(finished.code == 0, "pyralog {}: {}", arguments.join(" "), finished.stderr);
        Ok(())
    }

    /// The generations of the actors that stay: whoever is restarted gets another.
    pub fn generations(&self) -> Result<BTreeMap<String, u64>> {
        let tree = Actor::tree_by_http(&self.node.plan)?;
        let staying = tree.all().into_iter().filter(|actor| !actor.is_temporary());
        Ok(staying.map(|actor| (actor.path.clone(), actor.generation)).collect())
    }
}
