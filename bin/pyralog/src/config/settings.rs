//! The settings a node runs with, typed: the one place where keys become
//! meaning.
//!
//! Both sections name a node, its directory and its addresses. A node takes
//! these from the section of what it does; one that does both from `[pyramid]`,
//! since it has one name, one directory, one link listener and one HTTP port.

mod check;
mod obelisk;
mod pyramid;

pub use obelisk::ObeliskSettings;
pub use pyramid::PyramidSettings;

use super::{Configuration, Section, Value};
use pyralog_directory::Roles;
use pyralog_model::ClusterId;
use std::path::PathBuf;
use std::time::Duration;

/// What this version of the node acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    /// The node's name, if configured.
    pub name: Option<String>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The cluster a new data directory belongs to.
    pub cluster: Option<ClusterId>,
    /// Where other nodes connect: `pyramid.link_addr`, or `obelisk.listen_addr`
    /// of an Obelisk alone.
    pub link_addr: String,
    /// Where HTTP is served.
    pub http_addr: String,
    /// Where the Obelisks answer, `host:port`, in order of preference; empty when
    /// none was named. Of a node that is an Obelisk: nothing, or its own address.
    pub pharaoh_endpoints: Vec<String>,
    /// The file with the cluster's secret, if one was named.
    pub cookie_file: Option<PathBuf>,
    /// Binding past loopback was allowed.
    pub insecure: bool,
    /// What only a Pyramid needs; `None` if the node is none.
    pub pyramid: Option<PyramidSettings>,
    /// What only an Obelisk needs; `None` if the node is none.
    pub obelisk: Option<ObeliskSettings>,
}

impl NodeSettings {
    /// The settings of a node that does `roles`.
    pub fn of(configuration: &Configuration, roles: Roles) -> NodeSettings {
        let own = Keys { configuration, section: Section::of(roles) };
        let link = Section::of(roles).link_key();
        NodeSettings {
            name: own.text("node_id"),
            data_dir: own.path("data_dir").expect("data_dir has a default"),
            cluster: own.text("cluster_id").and_then(|id| id.parse().ok()),
            link_addr: own.text(link).unwrap_or_default(),
            http_addr: own.text("http_addr").unwrap_or_default(),
            pharaoh_endpoints: own.list("pharaoh_endpoints"),
            cookie_file: own.path("cookie_file"),
            insecure: own.switch("insecure"),
            pyramid: roles.pyramid.then(|| PyramidSettings::of(&own.of(Section::Pyramid))),
            obelisk: roles.obelisk.then(|| ObeliskSettings::of(&own.of(Section::Obelisk))),
        }
    }

    /// What the node does.
    pub fn roles(&self) -> Roles {
        Roles { obelisk: self.obelisk.is_some(), pyramid: self.pyramid.is_some() }
    }

    /// The Obelisks of other processes. An Obelisk has none in this version: what
    /// it may name is itself.
    pub fn obelisks_elsewhere(&self) -> &[String] {
        if self.obelisk.is_some() { &[] } else { &self.pharaoh_endpoints }
    }

    /// The key `link_addr` comes from.
    pub fn link_key(&self) -> &'static str {
        Section::of(self.roles()).link_key()
    }
}

impl Section {
    /// The section that names a node of these roles.
    pub fn of(roles: Roles) -> Section {
        if roles.pyramid { Section::Pyramid } else { Section::Obelisk }
    }

    /// Where other nodes connect, as each section calls it.
    pub fn link_key(self) -> &'static str {
        match self {
            Section::Pyramid => "link_addr",
            Section::Obelisk => "listen_addr",
        }
    }
}

/// The values of one section. The table says of what kind each key is, so a
/// value of another kind is a mistake in this program.
struct Keys<'a> {
    configuration: &'a Configuration,
    section: Section,
}

impl Keys<'_> {
    fn of(&self, section: Section) -> Keys<'_> {
        Keys { configuration: self.configuration, section }
    }

    fn value(&self, name: &str) -> &Value {
        &self.configuration.get(self.section, name).value
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        match self.value(name) {
            Value::Path(path) => Some(path.clone()),
            _ => None,
        }
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Value::List(items) => items.clone(),
            _ => Vec::new(),
        }
    }

    fn switch(&self, name: &str) -> bool {
        matches!(self.value(name), Value::Switch(true))
    }

    fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Count(number) | Value::Bytes(number) => *number,
            other => unreachable!("{name} is a number with a default, not {other:?}"),
        }
    }

    fn duration(&self, name: &str) -> Duration {
        match self.value(name) {
            Value::Duration(time) => *time,
            other => unreachable!("{name} is a time with a default, not {other:?}"),
        }
    }
}

#[cfg(test)]
#[path = "settings/tests.rs"]
mod tests;
