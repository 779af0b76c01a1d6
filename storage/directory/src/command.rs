//! What may be asked of the directory, and what it answers.
//!
//! Commands are kept for ever and sent between nodes: variants are only added,
//! at the end, and the bytes of each are held by a test.

use crate::codec;
use crate::error::DecodeError;
use pyralog_model::{ClusterId, LogName, LogNumber, LogSettings, NodeName, NodeNumber, StoreId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bytes an encoded command has.
const COMMAND_BYTES_MAX: usize = 64 * 1024;

/// A change of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Gives the cluster its identity; the first command of all. Repeating it is
    /// no error.
    FoundCluster {
        /// 128 random bits.
        cluster: ClusterId,
    },
    /// Makes a node a member, or tells new addresses of a member.
    RegisterNode {
        /// The operator's name for it.
        name: NodeName,
        /// The identity of its data directory.
        store: StoreId,
        /// Door (`kafka`, `http`, …) to `host:port` where others reach it.
        advertised: BTreeMap<String, String>,
    },
    /// Makes a log and places its partitions.
    CreateLog {
        /// Its name, free at this moment.
        name: LogName,
        /// How many partitions, from 1 to `PARTITIONS_MAX`.
        partitions: u32,
        /// How many nodes hold each of them.
        replication_factor: u16,
        /// All settings, defaults filled in.
        settings: LogSettings,
        /// True for the cluster's own logs, whose names begin with `__`.
        internal: bool,
    },
    /// Takes a log and its name away. Its number is never given again.
    DeleteLog {
        /// The log.
        number: LogNumber,
    },
    /// Replaces the settings of a log.
    AlterLog {
        /// The log.
        number: LogNumber,
        /// All settings, also those that stay.
        settings: LogSettings,
    },
}

/// What a command that was carried out led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The cluster has this identity.
    ClusterFounded(ClusterId),
    /// The node is a member under this number, its old one if it had one.
    NodeRegistered(NodeNumber),
    /// The log exists.
    LogCreated(LogNumber),
    /// The log is gone.
    LogDeleted(LogNumber),
    /// The log has its new settings.
    LogAltered(LogNumber),
}

impl Command {
    /// The command's bytes, for the log of commands and the wire.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what `encode` made. Any bytes may be given.
    ///
    /// # Errors
    /// `TooLong` before anything is read; else what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Command, DecodeError> {
        codec::decode(bytes, COMMAND_BYTES_MAX)
    }
}
