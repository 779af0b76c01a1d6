//! What does not change while a node runs.

use pyralog_env::Monotonic;
use pyralog_model::{Boot, StoreId};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Facts for `/v1/status`; what the directory knows comes from the Pharaoh.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// The program's version.
    pub version: String,
    /// The node's name.
    pub name: String,
    /// What the node does, such as `obelisk,pyramid`.
    pub role: String,
    /// The store.
    pub store: StoreId,
    /// Which start of the data directory this is.
    pub boot: Boot,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where Kafka clients connect; `None` for a node without that door.
    pub kafka_address: Option<SocketAddr>,
    /// Where other nodes connect; `None` if they cannot.
    pub link_address: Option<SocketAddr>,
    /// Where HTTP is served.
    pub http_address: SocketAddr,
    /// When the node started.
    pub started: Monotonic,
}
