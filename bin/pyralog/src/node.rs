//! The node as the rest of this program sees it: started from settings and
//! sockets, watched, and shut down in order. This is the one file that knows
//! how `supervisors/trees` wants to be called.

use crate::config::NodeSettings;
use crate::data_directory::DataDirectory;
use crate::failure::{Failure, Status};
use crate::listeners::Listeners;
use pyralog_behaviour::Outcome;
use pyralog_console::{NodeFacts, Readiness};
use pyralog_env::{Clock, Disk};
use pyralog_kafka::KafkaSettings;
use pyralog_log::LogOptions;
use pyralog_model::{LogSettings, NodeName, NodeNumber};
use pyralog_partition::{NodeIdentity, ShenSettings};
use pyralog_store::Health;
use pyralog_trees::{NodeTree, PyramidArguments, start_pyramid};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// As many partitions as one log may have, so that a slip of the hand does not
/// make a million directories.
const PARTITIONS_PER_LOG_MAX: u32 = 10_000;
/// Partitions of the whole node: each costs an actor and open files.
const PARTITIONS_MAX: u32 = 20_000;

/// What a node is started from.
pub struct NodePlan<'a> {
    /// The configuration.
    pub settings: &'a NodeSettings,
    /// The data directory, ours for as long as the node runs.
    pub data_directory: &'a DataDirectory,
    /// The bound sockets.
    pub listeners: &'a Listeners,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How ready the node is; set by the one who starts it.
    pub readiness: watch::Receiver<Readiness>,
    /// Allow fault injection.
    pub debug_faults: bool,
}

/// Why a node ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A sync or a write failed: FAILSTOP.
    StorageFailed,
    /// The root supervisor gave up.
    TooManyRestarts,
    /// The root supervisor was killed.
    RootKilled,
}

/// A running node.
pub struct Node {
    tree: NodeTree,
}

impl Node {
    /// Starts the tree; returns when every door serves.
    pub async fn start(plan: NodePlan<'_>) -> Result<Node, Failure> {
        let started = start_pyramid(arguments(&plan)).await;
        let tree = started.map_err(|error| {
            Failure::failed(format!("the node does not start: {error}")).help(format!(
                "nothing was changed or lost; the data directory is {}",
                plan.data_directory.path().display()
            ))
        })?;
        Ok(Node { tree })
    }

    /// The number the directory gave this node.
    pub fn number(&self) -> NodeNumber {
        self.tree.shen.node()
    }

    /// Waits until the node ends by itself. Can be asked again.
    pub async fn ended(&self) -> Ended {
        let mut health = self.tree.health.watch();
        tokio::select! {
            // The sender lives as long as this node.
            _ = health.wait_for(|health| *health != Health::Good) => Ended::StorageFailed,
            outcome = self.tree.tree.outcome() => match (self.tree.health.get(), outcome) {
                (Health::Failed { .. }, _) => Ended::StorageFailed,
                (Health::Good, Outcome::GaveUp(_)) => Ended::TooManyRestarts,
                (Health::Good, Outcome::Killed | Outcome::Stopped) => Ended::RootKilled,
            },
        }
    }

    /// Stops doors, partitions and store, in this order.
    ///
    /// # Errors
    /// When that took longer than `patience`, or something did not stop cleanly.
    pub async fn shutdown(self, patience: Duration) -> Result<(), Failure> {
        self.tree.tree.shutdown(patience).await.map_err(Failure::failed)?;
        match self.tree.health.get() {
            Health::Good if self.tree.gauges.has_ended_clean() => Ok(()),
            Health::Good => Err(Failure::failed(
                "stopped, but the disk had no room for the last checkpoint; \
                 nothing is lost, the next start recovers",
            )),
            // Not clean: the next start has to recover.
            Health::Failed { cause } => Err(Failure::new(
                Status::StorageFailed,
                format!("the store failed while stopping: {cause}"),
            )),
        }
    }
}

fn arguments(plan: &NodePlan<'_>) -> PyramidArguments {
    let (settings, data) = (plan.settings, plan.data_directory);
    let node = data.node();
    let pyramid = settings.pyramid.as_ref().expect("run.rs lets no node through that is none");
    let log_settings = LogSettings {
        segment_bytes: pyramid.segment_bytes,
        max_message_bytes: u32::try_from(pyramid.message_bytes_max).unwrap_or(u32::MAX),
        ..LogSettings::default()
    };
    PyramidArguments {
        disk: Arc::clone(&plan.disk),
        clock: Arc::clone(&plan.clock),
        data_dir: data.path().to_owned(),
        store: data.store(),
        identity: NodeIdentity {
            cluster: node.cluster.expect("this node founds one"),
            name: NodeName(node.name.clone()),
        },
        log_options: LogOptions { segment_bytes: pyramid.segment_bytes, ..LogOptions::default() },
        shen_settings: ShenSettings {
            default_partitions: pyramid.partitions_default,
            partitions_per_log_max: PARTITIONS_PER_LOG_MAX,
            partitions_max: PARTITIONS_MAX,
            log_settings,
        },
        kafka_listener: Arc::clone(plan.listeners.kafka.as_ref().expect("a Pyramid")),
        kafka_settings: KafkaSettings {
            auto_create_logs: pyramid.auto_create_logs,
            default_partitions: pyramid.partitions_default,
            advertised: pyramid.advertised.clone(),
            partitions_per_log_max: PARTITIONS_PER_LOG_MAX,
            ..KafkaSettings::default()
        },
        http_listener: Arc::clone(&plan.listeners.http),
        facts: NodeFacts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            role: "obelisk,pyramid".to_owned(),
            store: data.store(),
            boot: data.boot(),
            data_dir: data.path().to_owned(),
            kafka_address: plan.listeners.kafka_address().expect("a Pyramid"),
            http_address: plan.listeners.http_address(),
            started: plan.clock.monotonic(),
        },
        readiness: plan.readiness.clone(),
        debug_faults: plan.debug_faults,
    }
}
