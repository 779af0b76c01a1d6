//! The flags that start a node. Each that sets a key is the top layer of the
//! configuration: of the section that names the node, `[obelisk]` for an Obelisk
//! alone and `[pyramid]` otherwise.

use crate::config::Layers;
use clap::{Args, ValueEnum};
use pyralog_directory::Roles;
use std::path::PathBuf;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Coordination.
    Obelisk,
    /// Storage and the doors.
    Pyramid,
}

/// Flags of a node.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Node")]
pub struct NodeFlags {
    /// What the node does; both roles share one process
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    pub role: Vec<Role>,
    /// Configuration file (TOML with [pyramid] and [obelisk])
    #[arg(long, env = "PYRALOG_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Name of this node
    #[arg(long, value_name = "NAME")]
    pub node_id: Option<String>,
    /// Where Kafka clients connect; where other nodes connect, of an Obelisk alone
    #[arg(long, value_name = "HOST:PORT")]
    pub listen_addr: Option<String>,
    /// Where HTTP is served
    #[arg(long, value_name = "HOST:PORT")]
    pub http_addr: Option<String>,
    /// Where PostgreSQL clients connect
    #[arg(long, value_name = "HOST:PORT")]
    pub sql_addr: Option<String>,
    /// Where other nodes connect
    #[arg(long, value_name = "HOST:PORT")]
    pub link_addr: Option<String>,
    /// The address Kafka clients are told
    #[arg(long, value_name = "HOST:PORT")]
    pub advertised_addr: Option<String>,
    /// Where the Obelisks answer, comma-separated
    #[arg(long, value_name = "ADDRESSES")]
    pub pharaoh_endpoints: Option<String>,
    /// File with the cluster's shared secret
    #[arg(long, value_name = "FILE")]
    pub cookie_file: Option<PathBuf>,
    /// Apparent size of the Obelisk's sparse file of counters
    #[arg(long, value_name = "SIZE")]
    pub counter_file_size: Option<String>,
    /// Make every increment of the Obelisk's counters wait for the disk
    #[arg(long)]
    pub fsync_on_increment: bool,
    /// Allow addresses that other machines can reach, without TLS
    #[arg(long)]
    pub insecure: bool,
    /// Allow fault injection (`pyralog debug`)
    #[arg(long)]
    pub debug_faults: bool,
}

impl NodeFlags {
    /// These flags, and those of `more` that these do not give: flags may stand
    /// before or after `dev`.
    pub fn or(self, more: NodeFlags) -> NodeFlags {
        NodeFlags {
            role: if more.role.is_empty() { self.role } else { more.role },
            config: more.config.or(self.config),
            data_dir: more.data_dir.or(self.data_dir),
            node_id: more.node_id.or(self.node_id),
            listen_addr: more.listen_addr.or(self.listen_addr),
            http_addr: more.http_addr.or(self.http_addr),
            sql_addr: more.sql_addr.or(self.sql_addr),
            link_addr: more.link_addr.or(self.link_addr),
            advertised_addr: more.advertised_addr.or(self.advertised_addr),
            pharaoh_endpoints: more.pharaoh_endpoints.or(self.pharaoh_endpoints),
            cookie_file: more.cookie_file.or(self.cookie_file),
            counter_file_size: more.counter_file_size.or(self.counter_file_size),
            fsync_on_increment: more.fsync_on_increment || self.fsync_on_increment,
            insecure: more.insecure || self.insecure,
            debug_faults: more.debug_faults || self.debug_faults,
        }
    }

    /// What the node does: both, unless `--role` says otherwise.
    pub fn roles(&self) -> Roles {
        let has = |role| self.role.is_empty() || self.role.contains(&role);
        Roles { obelisk: has(Role::Obelisk), pyramid: has(Role::Pyramid) }
    }

    /// True when something says which node to run: a role, a configuration or a
    /// data directory, of which the last may come from the environment too.
    pub fn says_which_node(&self) -> bool {
        !self.role.is_empty()
            || self.config.is_some()
            || self.data_dir.is_some()
            || std::env::var_os("PYRALOG_PYRAMID_DATA_DIR").is_some()
    }

    /// The layers of the configuration, with the process's environment.
    pub fn layers(&self, dev: bool) -> Layers {
        let path =
            |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let flags = [
            ("data_dir", path(&self.data_dir)),
            ("node_id", self.node_id.clone()),
            ("listen_addr", self.listen_addr.clone()),
            ("http_addr", self.http_addr.clone()),
            ("sql_addr", self.sql_addr.clone()),
            ("link_addr", self.link_addr.clone()),
            ("advertised_addr", self.advertised_addr.clone()),
            ("pharaoh_endpoints", self.pharaoh_endpoints.clone()),
            ("cookie_file", path(&self.cookie_file)),
            ("counter_file_size", self.counter_file_size.clone()),
            ("fsync_on_increment", self.fsync_on_increment.then(|| "true".to_owned())),
            ("insecure", self.insecure.then(|| "true".to_owned())),
        ];
        Layers {
            dev,
            file: self.config.clone(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            flags: flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            roles: self.roles(),
        }
    }
}
