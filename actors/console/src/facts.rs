//! What does not change while a node runs.

use pyralog_env::Monotonic;
use pyralog_model::{Boot, StoreId};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Facts for `/v1/status`; identity comes from the façade.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// The program's version.
    pub version: String,
    /// What the node does, such as `obelisk,pyramid`.
    pub role: String,
    /// The store.
    pub store: StoreId,
    /// Which start of the data directory this is.
    pub boot: Boot,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where Kafka clients connect.
    pub kafka_address: SocketAddr,
    /// Where HTTP is served.
    pub http_address: SocketAddr,
    /// When the node started.
    pub started: Monotonic,
}
