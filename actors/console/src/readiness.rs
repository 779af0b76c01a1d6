//! How ready the node is, as `/readyz` tells.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The stages of a node's life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// Recovering; nothing is served yet.
    #[default]
    Starting,
    /// Serving.
    Ready,
    /// The store has failed; nothing more is acknowledged, the process will end.
    Failed,
    /// Shutting down in order.
    Stopping,
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Readiness::Starting => "starting",
            Readiness::Ready => "ready",
            Readiness::Failed => "failed",
            Readiness::Stopping => "stopping",
        })
    }
}
