//! The settings a node runs with, typed: the one place where keys become
//! meaning.

use super::{ConfigError, Configuration, Place, Section, Value};
use pyralog_model::ClusterId;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

/// What this version of the node acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// The node's name, if configured.
    pub node_name: Option<String>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where Kafka clients connect.
    pub listen_addr: String,
    /// Where HTTP is served.
    pub http_addr: String,
    /// What Kafka clients are told; `None` for the address they dialled.
    pub advertised: Option<(String, u16)>,
    /// Binding past loopback was allowed.
    pub insecure: bool,
    /// The cluster a new data directory belongs to.
    pub cluster: Option<ClusterId>,
    /// Segment size of a new log in bytes.
    pub segment_bytes: u64,
    /// Largest record batch of a new log in bytes.
    pub message_bytes_max: u64,
    /// Copies of a new log.
    pub replication_factor: u64,
    /// Copies that must have a record.
    pub min_in_sync_replicas: u64,
    /// Kafka clients make logs by naming them.
    pub auto_create_logs: bool,
    /// Partitions of a new log.
    pub partitions_default: u32,
}

impl From<&Configuration> for NodeSettings {
    fn from(configuration: &Configuration) -> NodeSettings {
        let value = |name: &str| &configuration.get(Section::Pyramid, name).value;
        let text = |name: &str| match value(name) {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let number = |name: &str| match value(name) {
            Value::Count(number) | Value::Bytes(number) => *number,
            other => unreachable!("{name} is a number with a default, not {other:?}"),
        };
        let switch = |name: &str| matches!(value(name), Value::Switch(true));
        let Value::Path(data_dir) = value("data_dir").clone() else {
            unreachable!("data_dir is a path with a default");
        };
        NodeSettings {
            node_name: text("node_id"),
            data_dir,
            listen_addr: text("listen_addr").unwrap_or_default(),
            http_addr: text("http_addr").unwrap_or_default(),
            advertised: text("advertised_addr").and_then(|address| {
                let (host, port) = address.rsplit_once(':')?;
                Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
            }),
            insecure: switch("insecure"),
            cluster: text("cluster_id").and_then(|id| id.parse().ok()),
            segment_bytes: number("segment_size"),
            message_bytes_max: number("max_message_bytes"),
            replication_factor: number("replication_factor"),
            min_in_sync_replicas: number("min_in_sync_replicas"),
            auto_create_logs: switch("auto_create_logs"),
            partitions_default: u32::try_from(number("default_partitions"))
                .expect("the table caps it"),
        }
    }
}

impl NodeSettings {
    /// What no single key can know: bounds that hold between them.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse =
            |what: String, help: &str| Err(ConfigError::new(what, Place::Whole).help(help));
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
        if self.listen_addr == self.http_addr && !self.http_addr.ends_with(":0") {
            return refuse(
                format!("listen_addr and http_addr are both \"{}\"", self.http_addr),
                "give each its own port",
            );
        }
        Ok(())
    }

    /// Whether the node may listen where it is told to.
    pub fn check_reach(&self) -> Result<(), ConfigError> {
        let listeners = [("listen_addr", &self.listen_addr), ("http_addr", &self.http_addr)];
        for (name, address) in listeners {
            if !self.insecure && !is_loopback(address) {
                let what = format!(
                    "{name} = \"{address}\" can be reached from other machines, and there is no TLS in this version"
                );
                return Err(ConfigError::new(what, Place::Whole).help(
                    "starting needs --insecure (if the network is trusted), or bind to 127.0.0.1",
                ));
            }
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use crate::config::{Layers, NodeSettings};

    #[track_caller]
    fn check(flags: &[(&'static str, &str)], expect: Option<&str>) {
        let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let configuration = Layers { flags, ..Layers::default() }.read().unwrap();
        let settings = NodeSettings::from(&configuration);
        let outcome = settings.check().and_then(|()| settings.check_reach());
        let outcome = outcome.map_err(|error| error.to_string());
        match (outcome, expect) {
            (Ok(()), None) => {}
            (Err(error), Some(part)) if error.contains(part) => {}
            (outcome, expect) => panic!("{outcome:?} but expected {expect:?}"),
        }
    }

    #[test]
    fn addresses_that_others_can_reach_need_leave() {
        check(&[], None);
        check(&[("listen_addr", "localhost:0")], None);
        check(&[("listen_addr", "[::1]:0")], None);
        check(&[("listen_addr", "0.0.0.0:9092")], Some("--insecure"));
        check(&[("http_addr", "[::]:8080")], Some("http_addr"));
        check(&[("listen_addr", "0.0.0.0:9092"), ("insecure", "true")], None);
    }

    #[test]
    fn bounds_between_keys_hold() {
        let both = |address| [("listen_addr", address), ("http_addr", address)];
        check(&both("127.0.0.1:1"), Some("each its own port"));
        check(&both("127.0.0.1:0"), None);
        check(&[("min_in_sync_replicas", "2")], Some("replication_factor"));
        check(&[("min_in_sync_replicas", "2"), ("replication_factor", "3")], None);
        check(&[("segment_size", "1kB")], Some("65536"));
        check(&[("segment_size", "8GB")], Some("4GB"));
        check(&[("max_message_bytes", "1GB")], Some("16MB"));
    }
}
