//! Commands meet the state. Everything that could refuse is asked before
//! anything changes, so a refused command changes nothing but the index.

use crate::command::{Command, Outcome};
use crate::directory::{Directory, PlacedLog};
use crate::entry::{LogEntry, NodeEntry, PARTITIONS_MAX, Placement};
use crate::error::DirectoryError;
use pyralog_model::{ClusterId, LogName, LogNumber, NodeName, NodeNumber, StoreId};
use std::collections::BTreeMap;

/// The most bytes of a node's name or of one address.
const TEXT_BYTES_MAX: usize = 255;
/// The most addresses of one node.
const ADDRESSES_MAX: usize = 16;

impl Directory {
    /// Carries out the command with `index`, which must be the one after the
    /// last. The same commands lead to the same directory, refusals included.
    ///
    /// # Errors
    /// `Index` if another command is due, and then nothing has happened. With
    /// every other error the index is used up and nothing else has changed.
    pub fn apply(&mut self, index: u64, command: &Command) -> Result<Outcome, DirectoryError> {
        let expect = self.last_index + 1;
        if index != expect {
            return Err(DirectoryError::Index { expect, found: index });
        }
        self.last_index = index;
        self.check(command)?;
        Ok(self.carry_out(command))
    }

    /// Asks whether `apply` would carry `command` out now, so that a sole holder
    /// need not write down what is refused anyway.
    ///
    /// # Errors
    /// Those of `apply`, but for `Index`.
    pub fn check(&self, command: &Command) -> Result<(), DirectoryError> {
        match command {
            Command::FoundCluster { cluster } => self.check_found(*cluster),
            Command::RegisterNode { name, store, advertised } => {
                self.check_register(name, *store, advertised)
            }
            Command::CreateLog { name, partitions, replication_factor, internal, .. } => {
                self.check_create(name, *partitions, *replication_factor, *internal)
            }
            Command::DeleteLog { number } | Command::AlterLog { number, .. } => {
                self.check_log(*number)
            }
        }
    }

    fn check_found(&self, cluster: ClusterId) -> Result<(), DirectoryError> {
        match self.cluster {
            Some(founded) if founded != cluster => Err(DirectoryError::AlreadyFounded(founded)),
            _ => Ok(()),
        }
    }

    fn check_register(
        &self,
        name: &NodeName,
        store: StoreId,
        advertised: &BTreeMap<String, String>,
    ) -> Result<(), DirectoryError> {
        self.check_is_founded()?;
        let fits = |text: &str| (1..=TEXT_BYTES_MAX).contains(&text.len());
        let addresses_fit = advertised.iter().all(|(door, address)| fits(door) && fits(address));
        if !fits(&name.0) || advertised.len() > ADDRESSES_MAX || !addresses_fit {
            let (bytes_max, addresses_max) = (TEXT_BYTES_MAX, ADDRESSES_MAX);
            return Err(DirectoryError::NodeDescription { bytes_max, addresses_max });
        }
        match self.nodes().find(|node| node.name == *name || node.store == store) {
            Some(node) if node.store != store => Err(DirectoryError::NodeNameTaken(name.clone())),
            Some(node) if node.name != *name => Err(DirectoryError::StoreTaken(node.name.clone())),
            _ => Ok(()),
        }
    }

    fn check_create(
        &self,
        name: &LogName,
        partitions: u32,
        replication_factor: u16,
        internal: bool,
    ) -> Result<(), DirectoryError> {
        self.check_is_founded()?;
        if name.is_internal() != internal {
            return Err(DirectoryError::InternalName(name.clone()));
        }
        if self.names.contains_key(name) {
            return Err(DirectoryError::LogExists(name.clone()));
        }
        if !(1..=PARTITIONS_MAX).contains(&partitions) {
            return Err(DirectoryError::Partitions { asked: partitions, most: PARTITIONS_MAX });
        }
        let nodes = self.nodes.len();
        if !(1..=nodes).contains(&usize::from(replication_factor)) {
            return Err(DirectoryError::ReplicationFactor { asked: replication_factor, nodes });
        }
        Ok(())
    }

    fn check_log(&self, number: LogNumber) -> Result<(), DirectoryError> {
        match self.logs.contains_key(&number) {
            true => Ok(()),
            false => Err(DirectoryError::LogNotFound(number)),
        }
    }

    fn check_is_founded(&self) -> Result<(), DirectoryError> {
        self.cluster.map(|_| ()).ok_or(DirectoryError::NotFounded)
    }

    /// What `check` has let pass cannot fail.
    fn carry_out(&mut self, command: &Command) -> Outcome {
        match command {
            Command::FoundCluster { cluster } => {
                self.cluster = Some(*cluster);
                Outcome::ClusterFounded(*cluster)
            }
            Command::RegisterNode { name, store, advertised } => {
                Outcome::NodeRegistered(self.register(name, *store, advertised))
            }
            Command::CreateLog { name, partitions, replication_factor, settings, internal } => {
                self.last_log += 1;
                let entry = LogEntry {
                    number: LogNumber(self.last_log),
                    name: name.clone(),
                    partitions: *partitions,
                    replication_factor: *replication_factor,
                    settings: settings.clone(),
                    internal: *internal,
                };
                Outcome::LogCreated(self.create(entry))
            }
            Command::DeleteLog { number } => {
                if let Some(log) = self.logs.remove(number) {
                    self.names.remove(&log.entry.name);
                }
                Outcome::LogDeleted(*number)
            }
            Command::AlterLog { number, settings } => {
                if let Some(log) = self.logs.get_mut(number) {
                    log.entry.settings = settings.clone();
                }
                Outcome::LogAltered(*number)
            }
        }
    }

    fn register(
        &mut self,
        name: &NodeName,
        store: StoreId,
        advertised: &BTreeMap<String, String>,
    ) -> NodeNumber {
        let known = self.nodes.values_mut().find(|node| node.store == store);
        if let Some(node) = known {
            node.advertised = advertised.clone();
            return node.number;
        }
        self.last_node += 1;
        let number = NodeNumber(self.last_node);
        let (name, advertised) = (name.clone(), advertised.clone());
        self.nodes.insert(number, NodeEntry { number, name, store, advertised });
        number
    }

    fn create(&mut self, entry: LogEntry) -> LogNumber {
        let number = entry.number;
        let placements = (0..entry.partitions).map(|partition| self.place(&entry, partition));
        let placements = placements.collect();
        self.names.insert(entry.name.clone(), number);
        self.logs.insert(number, PlacedLog { entry, placements });
        number
    }

    /// Round robin over the members, begun elsewhere by each log, so that many
    /// small logs do not all land on the first node.
    fn place(&self, entry: &LogEntry, partition: u32) -> Placement {
        let members = self.nodes.len() as u64;
        let first = (entry.number.0 + u64::from(partition)) % members;
        let nodes = self.nodes.keys().copied().cycle().skip(first as usize);
        let replicas = nodes.take(usize::from(entry.replication_factor)).collect();
        Placement { generation: 1, replicas }
    }
}
