//! What no single key can know: whether the settings fit each other, the roles,
//! and the network.

use super::{NodeSettings, PyramidSettings};
use crate::config::{ConfigError, Place};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// The smallest sparse file of counters, in bytes: room for a first window.
const COUNTER_FILE_BYTES_MIN: u64 = 16_000_000;
/// The largest, in bytes: past what any file system in use takes.
const COUNTER_FILE_BYTES_MAX: u64 = 8_000_000_000_000_000;

/// Leases are extended at half of their term.
const LEASE_TERM_MIN: Duration = Duration::from_secs(2);
const LEASE_TERM_MAX: Duration = Duration::from_secs(3600);

/// Bytes in a second that compaction needs to get anywhere.
const COMPACTION_RATE_MIN: u64 = 1 << 20;
const KEY_INDEX_MEMORY_MIN: u64 = 1 << 20;
/// Below this a query engine has no room to work in.
const QUERY_MEMORY_BYTES_MIN: u64 = 16 << 20;

/// As long as clients let a rebalance take by default.
const GROUP_REBALANCE_DELAY_MAX: Duration = Duration::from_secs(300);

impl NodeSettings {
    /// Bounds that hold between keys, whatever the node does.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(pyramid) = &self.pyramid {
            pyramid.check()?;
        }
        if let Some(obelisk) = &self.obelisk {
            let bytes = obelisk.counter_file_bytes;
            if !(COUNTER_FILE_BYTES_MIN..=COUNTER_FILE_BYTES_MAX).contains(&bytes) {
                return refuse(
                    format!("counter_file_size is {bytes} bytes"),
                    "choose from 16MB to 8PB; the file is sparse and takes only what is used",
                );
            }
            if !(LEASE_TERM_MIN..=LEASE_TERM_MAX).contains(&obelisk.lease_term) {
                return refuse(
                    format!("lease_term is {:?}", obelisk.lease_term),
                    "choose from 2s to 1h: shorter is renewed all the time, longer holds lanes of dead nodes",
                );
            }
        }
        let listeners = self.listeners();
        for (at, (name, address)) in listeners.iter().enumerate() {
            let same = listeners[..at].iter().find(|(_, other)| other == address);
            if let (Some((other, _)), false) = (same, address.ends_with(":0")) {
                return refuse(
                    format!("{other} and {name} are both \"{address}\""),
                    "give each its own port",
                );
            }
        }
        Ok(())
    }

    /// Whether the node knows what its roles need to know.
    pub fn check_roles(&self) -> Result<(), ConfigError> {
        if self.obelisk.is_none() {
            if self.pharaoh_endpoints.is_empty() {
                return refuse(
                    "a Pyramid alone needs an Obelisk, and pharaoh_endpoints names none".into(),
                    "give --pharaoh-endpoints HOST:7070, or run both in one process with --role obelisk,pyramid",
                );
            }
            return Ok(());
        }
        // One endpoint with our own port is us under the name that others use.
        let others = match &self.pharaoh_endpoints[..] {
            [] => false,
            [own] => port(own) != port(&self.link_addr),
            _ => true,
        };
        if others {
            return refuse(
                format!(
                    "this node is an Obelisk and pharaoh_endpoints names others ({}); several Obelisks together are not in this version (not-supported)",
                    self.pharaoh_endpoints.join(", ")
                ),
                "run one Obelisk, and name it in the pharaoh_endpoints of the Pyramids",
            );
        }
        Ok(())
    }

    /// Whether the node may listen where it is told to.
    pub fn check_reach(&self) -> Result<(), ConfigError> {
        for (name, address) in self.listeners() {
            if !self.insecure && !is_loopback(address) {
                return refuse(
                    format!(
                        "{name} = \"{address}\" can be reached from other machines, and there is no TLS in this version"
                    ),
                    "starting needs --insecure (if the network is trusted), or bind to 127.0.0.1",
                );
            }
        }
        let mut peers = self.pharaoh_endpoints.iter().filter(|_| self.obelisk.is_none());
        let away = match peers.find(|endpoint| !is_this_machine(endpoint)) {
            Some(endpoint) => Some(("pharaoh_endpoints", endpoint)),
            None => Some((self.link_key(), &self.link_addr)).filter(|(_, own)| !is_loopback(own)),
        };
        match away {
            Some((name, address)) if self.cookie_file.is_none() => refuse(
                format!(
                    "{name} = \"{address}\" is for nodes on other machines, and no cookie_file is named: the secret they share cannot be guessed"
                ),
                "start the first node with --cookie-file FILE, which makes the file, and copy it to the others",
            ),
            _ => Ok(()),
        }
    }

    /// Every address this node binds, by its key.
    fn listeners(&self) -> Vec<(&'static str, &String)> {
        let kafka = self.pyramid.as_ref().map(|pyramid| ("listen_addr", &pyramid.listen_addr));
        let both = [("http_addr", &self.http_addr), (self.link_key(), &self.link_addr)];
        kafka.into_iter().chain(both).collect()
    }
}

impl PyramidSettings {
    fn check(&self) -> Result<(), ConfigError> {
        if self.min_in_sync_replicas > self.replication_factor {
            return refuse(
                format!(
                    "min_in_sync_replicas is {} but a log has only {} (replication_factor)",
                    self.min_in_sync_replicas, self.replication_factor
                ),
                "lower min_in_sync_replicas or raise replication_factor",
            );
        }
        if !(65_536..=4_000_000_000).contains(&self.segment_bytes) {
            return refuse(
                format!("segment_size is {} bytes", self.segment_bytes),
                "choose from 65536 bytes to 4GB: positions in a segment are 32 bits wide",
            );
        }
        if !(1_024..=16_000_000).contains(&self.message_bytes_max) {
            return refuse(
                format!("max_message_bytes is {}", self.message_bytes_max),
                "choose from 1024 bytes to 16MB",
            );
        }
        if self.query_memory_bytes < QUERY_MEMORY_BYTES_MIN {
            return refuse(
                format!("query_memory is {} bytes", self.query_memory_bytes),
                "choose 16MiB or more: a sort of a few thousand rows needs as much",
            );
        }
        if self.compaction_bytes_per_second_max < COMPACTION_RATE_MIN {
            return refuse(
                format!("compaction_rate is {} bytes", self.compaction_bytes_per_second_max),
                "choose 1MiB or more: slower than that it never ends",
            );
        }
        if self.key_index_memory_bytes < KEY_INDEX_MEMORY_MIN {
            return refuse(
                format!("key_index_memory is {} bytes", self.key_index_memory_bytes),
                "choose 1MiB or more; a log without an index has pyralog.keys=false",
            );
        }
        if self.query_time_max.is_zero() {
            return refuse(
                "query_time_max is 0".into(),
                "choose a time like \"5m\" that a query may run",
            );
        }
        if self.scrub_bytes_per_second == 0 {
            return refuse(
                "scrub_rate is 0 bytes".into(),
                "for no scrub, set scrub_interval to 0s",
            );
        }
        if self.group_rebalance_delay > GROUP_REBALANCE_DELAY_MAX {
            return refuse(
                format!("group_rebalance_delay is {:?}", self.group_rebalance_delay),
                "choose at most 5m: consumers wait that long before they read",
            );
        }
        Ok(())
    }
}

fn refuse(what: String, help: &str) -> Result<(), ConfigError> {
    Err(ConfigError::new(what, Place::Whole).help(help))
}

fn port(address: &str) -> Option<&str> {
    address.rsplit_once(':').map(|(_, port)| port)
}

/// True when every address the text stands for is loopback. A name that does
/// not resolve is let through: binding will say what is wrong with it.
fn is_loopback(address: &str) -> bool {
    if let Ok(address) = address.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    match address.rsplit_once(':') {
        Some(("localhost", _)) => true,
        _ => match address.to_socket_addrs() {
            Ok(mut found) => found.all(|address| address.ip().is_loopback()),
            Err(_) => true,
        },
    }
}

/// True when the text itself says that it is this machine. Names are not looked
/// up: those of other machines may not resolve yet.
fn is_this_machine(endpoint: &str) -> bool {
    let host = endpoint.rsplit_once(':').map_or(endpoint, |(host, _)| host);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
