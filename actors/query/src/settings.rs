//! What queries may take from the rest of the node.

use std::time::Duration;

/// Bounds of the query engine. Each holds for this node.
#[derive(Debug, Clone)]
pub struct QuerySettings {
    /// Bytes that all running queries may hold together.
    pub memory_bytes_max: usize,
    /// Bytes that one query may hold.
    pub memory_bytes_per_query_max: usize,
    /// How long one query may run.
    pub time_max: Duration,
    /// Queries that run at once.
    pub running_max: usize,
    /// Queries that wait for their turn; one more is told `Overloaded`.
    pub waiting_max: usize,
    /// Threads that queries run on; as many as there are cores if absent.
    pub threads: Option<usize>,
}

impl Default for QuerySettings {
    fn default() -> QuerySettings {
        QuerySettings {
            memory_bytes_max: 512 << 20,
            memory_bytes_per_query_max: 256 << 20,
            time_max: Duration::from_secs(5 * 60),
            running_max: 8,
            waiting_max: 64,
            threads: None,
        }
    }
}

impl QuerySettings {
    /// Threads that queries run on, at least one.
    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// What a caller may ask for beside the query.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// A time limit below the node's own.
    pub time_max: Option<Duration>,
}
