//! The node as the rest of this program sees it: started from settings and
//! sockets, watched, and shut down in order. This is the one file that knows
//! how `supervisors/trees` wants to be called.

use crate::config::{NodeSettings, PyramidSettings};
use crate::data_directory::DataDirectory;
use crate::failure::{Failure, Status};
use crate::listeners::Listeners;
use pyralog_behaviour::Outcome;
use pyralog_cluster::{Cookie, LinkSettings, Links, SelfIdentity};
use pyralog_console::{NodeFacts, Readiness};
use pyralog_counter::ArenaOptions;
use pyralog_directory::Roles;
use pyralog_env::{Clock, Disk, Entropy};
use pyralog_groups::GroupSettings;
use pyralog_kafka::KafkaSettings;
use pyralog_log::LogOptions;
use pyralog_model::{Boot, LogSettings, NodeName, StartToken};
use pyralog_partition::ShenSettings;
use pyralog_pharaoh::{Membership, NodeStart};
use pyralog_query::{ConfigRow, QuerySettings};
use pyralog_store::{Health, KeyOptions, UpkeepOptions};
use pyralog_trees::{NodeArguments, NodeTree, ObeliskPart, PyramidArguments, start_node};
use std::collections::BTreeMap;
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
    /// The same as rows, for `sys.config`.
    pub config: Arc<[ConfigRow]>,
    /// The data directory, ours for as long as the node runs.
    pub data_directory: &'a DataDirectory,
    /// The bound sockets.
    pub listeners: &'a Listeners,
    /// The cluster's secret.
    pub cookie: Cookie,
    /// Tokens of earlier starts.
    pub presented: Vec<StartToken>,
    /// The token of this one.
    pub token: StartToken,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
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
    start: NodeStart,
    pharaoh_endpoints: Vec<String>,
}

impl Node {
    /// Starts the tree; returns when every door serves.
    pub async fn start(plan: NodePlan<'_>) -> Result<Node, Failure> {
        let arguments = arguments(&plan);
        let start = arguments.start.clone();
        let tree = start_node(arguments).await.map_err(|error| {
            Failure::failed(format!("the node does not start: {error}")).help(format!(
                "nothing was changed or lost; the data directory is {}",
                plan.data_directory.path().display()
            ))
        })?;
        Ok(Node { tree, start, pharaoh_endpoints: plan.settings.pharaoh_endpoints.clone() })
    }

    /// Registers this start with the Obelisks; waits for as long as none answers.
    ///
    /// # Errors
    /// When the cluster does not take it: a copy of another data directory, or a
    /// name that is taken.
    pub async fn join(&self) -> Result<Membership, Failure> {
        let joined = self.tree.pharaoh.join(self.start.clone()).await;
        joined.map_err(|error| Failure::failed(format!("the cluster refuses this node: {error}")))
    }

    /// Waits until the node can serve all that it has.
    pub async fn served(&self) {
        match &self.tree.shen {
            Some(shen) => shen.joined().await,
            None => {
                let mut membership = self.tree.pharaoh.watch_membership();
                // The sender lives as long as this node.
                let _ = membership.wait_for(Option::is_some).await;
            }
        }
    }

    /// What keeps this node from being a member, for people.
    pub fn waits_for(&self) -> String {
        let place = match self.pharaoh_endpoints.as_slice() {
            [] => "of this node".to_owned(),
            endpoints => format!("at {}", endpoints.join(", ")),
        };
        format!(
            "no Obelisk {place} answers yet; what this node has is served, ids, new sessions and \
             changes of logs wait"
        )
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

    /// An Obelisk alone has no storage threads that could have ended otherwise.
    fn ended_clean(&self) -> bool {
        self.tree.gauges.as_ref().is_none_or(|gauges| gauges.has_ended_clean())
    }

    /// Stops doors, partitions and store, in this order, then coordination.
    ///
    /// # Errors
    /// When that took longer than `patience`, or something did not stop cleanly.
    pub async fn shutdown(self, patience: Duration) -> Result<(), Failure> {
        self.tree.tree.shutdown(patience).await.map_err(Failure::failed)?;
        match self.tree.health.get() {
            Health::Good if self.ended_clean() => Ok(()),
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

fn arguments(plan: &NodePlan<'_>) -> NodeArguments {
    let (settings, data) = (plan.settings, plan.data_directory);
    let node = data.node();
    let roles = settings.roles();
    let links = Links::new(LinkSettings {
        identity: SelfIdentity {
            cluster: node.cluster,
            node: node.number,
            store: data.store(),
            boot: boot_on_links(plan),
            roles,
        },
        cookie: plan.cookie.clone(),
        clock: Arc::clone(&plan.clock),
        entropy: Arc::clone(&plan.entropy),
    });
    NodeArguments {
        disk: Arc::clone(&plan.disk),
        clock: Arc::clone(&plan.clock),
        entropy: Arc::clone(&plan.entropy),
        data_dir: data.path().to_owned(),
        store: data.store(),
        cluster: node.cluster,
        name: NodeName(node.name.clone()),
        start: NodeStart {
            name: NodeName(node.name.clone()),
            store: data.store(),
            roles,
            presented: plan.presented.clone(),
            next: plan.token,
            advertised: advertised(plan),
        },
        links,
        link_listener: Arc::clone(&plan.listeners.link),
        // An Obelisk's own address may stand in its list: it need not dial itself.
        pharaoh_endpoints: match roles.obelisk {
            true => Vec::new(),
            false => settings.pharaoh_endpoints.clone(),
        },
        obelisk: settings.obelisk.as_ref().map(|obelisk| ObeliskPart {
            arena: ArenaOptions {
                file_bytes: obelisk.counter_file_bytes,
                fsync_on_increment: obelisk.fsync_on_increment,
                ..ArenaOptions::default()
            },
            lease_term: obelisk.lease_term,
        }),
        pyramid: settings.pyramid.as_ref().map(|pyramid| pyramid_arguments(plan, pyramid)),
        http_listener: Arc::clone(&plan.listeners.http),
        facts: NodeFacts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: node.name.clone(),
            role: role_text(roles),
            store: data.store(),
            boot: data.boot(),
            data_dir: data.path().to_owned(),
            kafka_address: plan.listeners.kafka_address(),
            link_address: Some(plan.listeners.link_address()),
            http_address: plan.listeners.http_address(),
            started: plan.clock.monotonic(),
        },
        readiness: plan.readiness.clone(),
        debug_faults: plan.debug_faults,
    }
}

/// This start as peers see it. A copy of the data directory counts its starts from
/// the same number on: with chance in it the two have a link each, and the one that
/// came second learns from the Obelisk that it is a copy.
fn boot_on_links(plan: &NodePlan<'_>) -> Boot {
    let chance = plan.entropy.next_u64() >> 32;
    Boot(plan.data_directory.boot().0 << 32 | chance)
}

fn pyramid_arguments(plan: &NodePlan<'_>, pyramid: &PyramidSettings) -> PyramidArguments {
    let log_settings = LogSettings {
        segment_bytes: pyramid.segment_bytes,
        max_message_bytes: u32::try_from(pyramid.message_bytes_max).unwrap_or(u32::MAX),
        ..LogSettings::default()
    };
    PyramidArguments {
        log_options: LogOptions {
            segment_bytes: pyramid.segment_bytes,
            scrub_interval: pyramid.scrub_interval,
            scrub_bytes_per_second: pyramid.scrub_bytes_per_second,
            ..LogOptions::default()
        },
        upkeep_options: UpkeepOptions {
            bytes_per_second_max: pyramid.compaction_bytes_per_second_max,
            key_bytes_max: usize::try_from(pyramid.compaction_memory_bytes).unwrap_or(usize::MAX),
            ..UpkeepOptions::default()
        },
        // The seed is of indexes that are begun; each keeps its own.
        key_options: KeyOptions {
            hash_seed: plan.entropy.next_u64(),
            memory_bytes: pyramid.key_index_memory_bytes,
        },
        shen_settings: ShenSettings {
            default_partitions: pyramid.partitions_default,
            partitions_per_log_max: PARTITIONS_PER_LOG_MAX,
            partitions_max: PARTITIONS_MAX,
            log_settings,
        },
        producer_id_expiration: pyramid.producer_id_expiration,
        group_settings: GroupSettings {
            initial_rebalance_delay: pyramid.group_rebalance_delay,
            offsets_retention: pyramid.group_offsets_retention,
            ..GroupSettings::default()
        },
        query_settings: query_settings(pyramid),
        config: Arc::clone(&plan.config),
        kafka_listener: Arc::clone(plan.listeners.kafka.as_ref().expect("a Pyramid's is bound")),
        kafka_settings: KafkaSettings {
            auto_create_logs: pyramid.auto_create_logs,
            default_partitions: pyramid.partitions_default,
            advertised: pyramid.advertised.clone(),
            partitions_per_log_max: PARTITIONS_PER_LOG_MAX,
            ..KafkaSettings::default()
        },
    }
}

fn query_settings(pyramid: &PyramidSettings) -> QuerySettings {
    let memory_bytes_max = usize::try_from(pyramid.query_memory_bytes).unwrap_or(usize::MAX);
    let running_max = usize::try_from(pyramid.queries_max).unwrap_or(usize::MAX);
    QuerySettings {
        memory_bytes_max,
        memory_bytes_per_query_max: memory_bytes_max / 2,
        time_max: pyramid.query_time_max,
        running_max,
        waiting_max: 8 * running_max,
        ..QuerySettings::default()
    }
}

/// Where others reach this node, door by door.
fn advertised(plan: &NodePlan<'_>) -> BTreeMap<String, String> {
    let listeners = plan.listeners;
    let kafka = match plan.settings.pyramid.as_ref().and_then(|p| p.advertised.as_ref()) {
        Some((host, port)) => Some(format!("{host}:{port}")),
        None => listeners.kafka_address().map(|address| address.to_string()),
    };
    let mut doors = BTreeMap::from([
        ("http".to_owned(), listeners.http_address().to_string()),
        ("link".to_owned(), listeners.link_address().to_string()),
    ]);
    doors.extend(kafka.map(|address| ("kafka".to_owned(), address)));
    doors
}

/// `obelisk,pyramid`, or one of the two.
pub fn role_text(roles: Roles) -> String {
    let words = [(roles.obelisk, "obelisk"), (roles.pyramid, "pyramid")];
    words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect::<Vec<_>>().join(",")
}
