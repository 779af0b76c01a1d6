//! The Kafka door: any Kafka client, on one port.
//!
//! Bytes become requests (`frame`, `request`, `guard`), requests become calls of
//! the partitions' façade (`handlers`), and answers go out in order
//! (`connection`, `reply`). Everything is bounded: requests in flight, their
//! bytes, connections, and how long any of them may dawdle.

mod children;
mod connection;
mod decoding;
mod door;
mod frame;
mod guard;
mod handlers;
mod kafka_errors;
mod reply;
mod request;
mod service;
mod sessions;
mod settings;
mod versions;
mod wire;

pub use children::{KafkaArguments, kafka_children};
pub use decoding::decode_request;
pub use sessions::Sessions;
pub use settings::KafkaSettings;
pub use versions::{SERVED, Served, served_api};

#[cfg(test)]
mod tests;
