//! What an operator can say about the Kafka door.

use std::time::Duration;

/// Settings of the Kafka door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// Create a log when a client asks for the metadata of one that is not there.
    pub auto_create_logs: bool,
    /// Partitions of a log whose creator does not say how many.
    pub default_partitions: u32,
    /// The largest request in bytes.
    pub request_bytes_max: usize,
    /// Open connections at most.
    pub connections_max: usize,
    /// Open connections from one address at most.
    pub connections_per_address_max: usize,
    /// Bytes of requests that one connection may have in flight. A single
    /// larger request passes alone.
    pub connection_bytes_max: usize,
    /// Bytes of requests in flight over all connections, and as much again for
    /// responses of fetches. Over it connections wait.
    pub global_bytes_max: usize,
    /// A connection without a request for this long is closed.
    pub idle_timeout: Duration,
    /// A request that has begun must be there within this time, and a client
    /// must take some of its response within it.
    pub transfer_timeout: Duration,
    /// The host and port told to clients; without one, the address that the
    /// client itself is connected to.
    pub advertised: Option<(String, u16)>,
    /// The most partitions of one log.
    pub partitions_per_log_max: u32,
}

impl Default for KafkaSettings {
    fn default() -> KafkaSettings {
        KafkaSettings {
            auto_create_logs: true,
            default_partitions: 1,
            // A batch of the greatest max.message.bytes, and room around it.
            request_bytes_max: (16 << 20) + (64 << 10),
            connections_max: 4096,
            connections_per_address_max: 256,
            connection_bytes_max: 32 << 20,
            global_bytes_max: 256 << 20,
            idle_timeout: Duration::from_secs(600),
            transfer_timeout: Duration::from_secs(30),
            advertised: None,
            partitions_per_log_max: 1024,
        }
    }
}
