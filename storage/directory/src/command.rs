//! What may be asked of the directory, and what it answers.
//!
//! Commands are kept for ever and sent between nodes: variants are only added,
//! at the end, and the bytes of each are held by a test. A variant is written in
//! the version that brought it: what an older program knows keeps its bytes, and
//! so its digest, and what it does not know it refuses by the version.

use crate::codec;
use crate::entry::Roles;
use crate::error::DecodeError;
use crate::version1::Command1;
use pyralog_model::{
    ClusterId, CounterMode, CounterName, CounterNumber, Incarnation, Lane, LogName, LogNumber,
    LogSettings, LogicalClock, NodeName, NodeNumber, Schema, StartToken, StoreId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bytes an encoded command has.
pub(crate) const COMMAND_BYTES_MAX: usize = 64 * 1024;

/// A change of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Gives the cluster its identity; the first command of all. Repeating it is
    /// no error.
    FoundCluster {
        /// 128 random bits.
        cluster: ClusterId,
    },
    /// Makes a node a member, or tells new addresses of a member. Only histories
    /// from before there were starts have it.
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
    /// A node has started: makes it a member, or begins a new incarnation of it.
    /// Refused if another start of its data directory was accepted since, because
    /// then this is a copy, or an old state, of it.
    StartNode {
        /// The operator's name for it.
        name: NodeName,
        /// The identity of its data directory.
        store: StoreId,
        /// What it does.
        roles: Roles,
        /// Tokens of earlier starts, at most `TOKENS_MAX`; one must be the last
        /// that was accepted.
        presented: Vec<StartToken>,
        /// The token of this start. If it is the last that was accepted, this is
        /// the same start, asked again.
        next: StartToken,
        /// Door (`kafka`, `http`, …) to `host:port` where others reach it.
        advertised: BTreeMap<String, String>,
    },
    /// Gives the present incarnation of a node a lane, or more of the one it has.
    LeaseLane {
        /// Who asks.
        node: NodeNumber,
        /// Its present start.
        incarnation: Incarnation,
        /// The asker will issue nothing before it.
        floor: LogicalClock,
        /// The grantor's clock.
        now: LogicalClock,
        /// How long the lease is, at most `TERM_MS_MAX`.
        term_ms: u32,
    },
    /// Takes a lane back from its holder, which has issued nothing from `used_to`
    /// on. Refused if the lease was prolonged since the grant that the holder names.
    ReleaseLane {
        /// Whose it is.
        node: NodeNumber,
        /// The start it was leased to.
        incarnation: Incarnation,
        /// The lane.
        lane: Lane,
        /// The end of the last grant that the holder knows of.
        granted_to: LogicalClock,
        /// The end of what was issued.
        used_to: LogicalClock,
    },
    /// Makes a counter, or finds it if it is there in this mode.
    CreateCounter {
        /// Its name.
        name: CounterName,
        /// Its mode.
        mode: CounterMode,
    },
    /// Makes a log whose values are documents of a schema.
    CreateTypedLog {
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
        /// Its columns. The log's schema has version 1, whatever is said here.
        schema: Schema,
    },
    /// Gives a log a schema, or appends columns to the one that it has.
    AlterSchema {
        /// The log.
        number: LogNumber,
        /// All columns, also those that stay. Versions are counted by the directory.
        schema: Schema,
    },
    /// Appends partitions to a log and places them. There are never fewer again.
    AddPartitions {
        /// The log.
        number: LogNumber,
        /// How many it has then, more than now and at most `PARTITIONS_MAX`.
        partitions: u32,
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
    /// The log has its new settings, schema or partitions.
    LogAltered(LogNumber),
    /// The node is a member and this is its present start.
    NodeStarted {
        /// Its number, the old one if it had one.
        number: NodeNumber,
        /// Its present start, counted over all nodes.
        incarnation: Incarnation,
    },
    /// The incarnation may use the lane in this part of the clock.
    LaneLeased {
        /// The lane.
        lane: Lane,
        /// The first time, by this lease or by what it prolongs.
        from: LogicalClock,
        /// The first time that is not in it.
        to: LogicalClock,
    },
    /// The lane is free from what was used on.
    LaneReleased,
    /// The counter exists.
    CounterCreated(CounterNumber),
}

impl Command {
    /// The command's bytes, for the log of commands and the wire.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self.version(), self)
    }

    /// The version that brought the variant.
    fn version(&self) -> u16 {
        match self {
            Command::CreateTypedLog { .. }
            | Command::AlterSchema { .. }
            | Command::AddPartitions { .. } => 3,
            _ => 2,
        }
    }

    fn schema(&self) -> Option<&Schema> {
        match self {
            Command::CreateTypedLog { schema, .. } | Command::AlterSchema { schema, .. } => {
                Some(schema)
            }
            _ => None,
        }
    }

    /// Reads what `encode` made, of any version. Any bytes may be given.
    ///
    /// # Errors
    /// `TooLong` before anything is read; else what is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Command, DecodeError> {
        let version = codec::version(bytes, COMMAND_BYTES_MAX)?;
        if version == 1 {
            return codec::decode::<Command1>(bytes).map(Command::from);
        }
        let command: Command = codec::decode(bytes)?;
        if command.version() != version {
            return Err(DecodeError::NotCanonical);
        }
        command.schema().map_or(Ok(()), Schema::check)?;
        Ok(command)
    }
}
