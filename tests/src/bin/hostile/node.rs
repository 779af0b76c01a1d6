//! The node under attack: everything but its own process.

use crate::{CLUSTER, COOKIE};
use anyhow::{Context, Result};
use pyralog_cluster::{Cookie, LinkSettings, Links, SelfIdentity};
use pyralog_console::{NodeFacts, Readiness};
use pyralog_counter::ArenaOptions;
use pyralog_directory::Roles;
use pyralog_env::{Clock, RealClock, RealDisk, RealEntropy};
use pyralog_groups::{COORDINATORS, GROUPS_LOG, GroupSettings};
use pyralog_kafka::KafkaSettings;
use pyralog_log::LogOptions;
use pyralog_model::{ApiError, Boot, ClusterId, LogSettings, NodeName, StartToken, StoreId};
use pyralog_partition::{Shen, ShenSettings};
use pyralog_pharaoh::NodeStart;
use pyralog_query::QuerySettings;
use pyralog_trees::{NodeArguments, NodeTree, ObeliskPart, PyramidArguments, start_node};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Starts it; it has joined its own cluster when this returns.
pub async fn start(folder: &Path, sockets: &Sockets) -> Result<NodeTree> {
    let clock = Arc::new(RealClock::new());
    let (_, readiness) = tokio::sync::watch::channel(Readiness::Ready);
    let entropy = Arc::new(RealEntropy);
    let (store, boot, name) = (StoreId(1), Boot(1), NodeName("hostile".into()));
    let identity = SelfIdentity {
        cluster: Some(ClusterId(CLUSTER)),
        node: None,
        store,
        boot,
        roles: Roles::BOTH,
    };
    let arguments = NodeArguments {
        facts: NodeFacts {
            version: "hostile".into(),
            name: name.0.clone(),
            role: "obelisk,pyramid".into(),
            store,
            boot,
            data_dir: folder.to_owned(),
            kafka_address: Some(sockets.kafka.local_addr()?),
            link_address: Some(sockets.link.local_addr()?),
            http_address: sockets.http.local_addr()?,
            started: clock.monotonic(),
        },
        links: Links::new(LinkSettings {
            identity,
            cookie: Cookie::from_bytes(COOKIE),
            clock: clock.clone(),
            entropy: entropy.clone(),
        }),
        link_listener: sockets.link.clone(),
        pharaoh_endpoints: Vec::new(),
        disk: Arc::new(RealDisk),
        clock,
        entropy,
        data_dir: folder.to_owned(),
        store,
        cluster: Some(ClusterId(CLUSTER)),
        start: NodeStart {
            name: name.clone(),
            store,
            roles: Roles::BOTH,
            presented: Vec::new(),
            next: StartToken(1),
            advertised: BTreeMap::new(),
        },
        name,
        obelisk: Some(ObeliskPart {
            arena: ArenaOptions::default(),
            lease_term: Duration::from_secs(600),
        }),
        pyramid: Some(PyramidArguments {
            log_options: LogOptions::default(),
            upkeep_options: Default::default(),
            key_options: Default::default(),
            shen_settings: ShenSettings {
                default_partitions: 1,
                partitions_per_log_max: 8,
                partitions_max: 64,
                log_settings: LogSettings::default(),
            },
            producer_id_expiration: Duration::from_secs(3600),
            // Members say how long their group waits for them: as long as mutations may.
            group_settings: GroupSettings {
                initial_rebalance_delay: Duration::ZERO,
                session_timeout_min: Duration::from_millis(1),
                session_timeout_max: Duration::from_millis(100),
                new_member_patience: Duration::from_millis(100),
                ..GroupSettings::default()
            },
            query_settings: QuerySettings::default(),
            config: Arc::default(),
            kafka_listener: sockets.kafka.clone(),
            // Logs that mutations make by accident would cost what logs cost.
            kafka_settings: KafkaSettings { auto_create_logs: false, ..KafkaSettings::default() },
        }),
        http_listener: sockets.http.clone(),
        readiness,
        debug_faults: false,
    };
    let start = arguments.start.clone();
    let node = start_node(arguments)
        .await
        .map_err(|error| anyhow::anyhow!("the node cannot start: {error}"))?;
    node.pharaoh.join(start).await?;
    let shen = node.shen.as_ref().context("a Pyramid")?;
    shen.joined().await;
    // Whoever asks for a coordinator first makes this log; nobody is to be weighed with it.
    // Where many build at once its partitions may take longer than it waits.
    let mut made = create_groups(shen).await;
    for _ in 0..10 {
        if made.is_ok() {
            break;
        }
        made = create_groups(shen).await;
    }
    made?;
    Ok(node)
}

async fn create_groups(shen: &Shen) -> Result<(), ApiError> {
    let groups = GROUPS_LOG.parse().expect("a good name");
    let shen = shen.for_cluster();
    shen.create_internal_log(groups, COORDINATORS, LogSettings::default()).await.map(|_| ())
}

/// Where the node can be attacked.
pub struct Sockets {
    pub kafka: Arc<TcpListener>,
    pub http: Arc<TcpListener>,
    pub link: Arc<TcpListener>,
}

impl Sockets {
    /// On loopback, at any ports.
    pub fn bind() -> Result<Sockets> {
        let bind = || -> Result<Arc<TcpListener>> {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            Ok(Arc::new(listener))
        };
        Ok(Sockets { kafka: bind()?, http: bind()?, link: bind()? })
    }
}
