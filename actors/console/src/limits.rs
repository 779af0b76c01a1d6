//! What one client can take from the others.

use std::time::Duration;

/// Bounds of the HTTP door. Memory is at most about
/// `connections_max × (head_bytes_max + 2 × line_bytes_max)`.
#[derive(Debug, Clone)]
pub struct ConsoleLimits {
    /// Connections at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// A request's head in bytes.
    pub head_bytes_max: usize,
    /// A JSON document sent as one body, in bytes.
    pub body_bytes_max: usize,
    /// A line of a stream of records, in bytes.
    pub line_bytes_max: usize,
    /// How long a request's head may take, and how long a connection may idle.
    pub head_timeout: Duration,
    /// How long a client may accept nothing of a reply.
    pub write_timeout: Duration,
    /// How long a stream of records may pause.
    pub body_timeout: Duration,
    /// How long open requests have when the door is stopped.
    pub drain_timeout: Duration,
}

impl Default for ConsoleLimits {
    fn default() -> ConsoleLimits {
        ConsoleLimits {
            connections_max: 256,
            head_bytes_max: 32 * 1024,
            body_bytes_max: 256 * 1024,
            // Base64 makes four characters of three bytes, and a batch has at
            // most 16 MB.
            line_bytes_max: 24 * 1024 * 1024,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(600),
            drain_timeout: Duration::from_secs(2),
        }
    }
}
