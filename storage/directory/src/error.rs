//! Why a command is refused, and why bytes are.

use pyralog_model::{
    ApiError, ClusterId, CounterMode, CounterName, ErrorCode, Lane, LogName, LogNumber, NodeName,
    SchemaError, SettingError,
};
use thiserror::Error;

/// Why a command was not carried out. But for `Index`, the refusal is part of
/// the history: the command keeps its index and every replica refuses it alike.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// Not the command that is due; nothing was changed, the index included.
    #[error("command {found} was given where {expect} is due")]
    Index {
        /// The index that is due.
        expect: u64,
        /// The index that was given.
        found: u64,
    },
    /// The cluster has another identity.
    #[error(
        "the cluster is already founded as {0}; a node of another cluster needs an empty data directory to join"
    )]
    AlreadyFounded(ClusterId),
    /// There is no cluster yet.
    #[error("the cluster is not founded yet; wait for its first node")]
    NotFounded,
    /// Another data directory is registered under the name.
    #[error(
        "the node name '{0}' belongs to another data directory; give this node another name with --node-id"
    )]
    NodeNameTaken(NodeName),
    /// The data directory is registered under another name.
    #[error("this data directory is registered as node '{0}'; start it under that name")]
    StoreTaken(NodeName),
    /// The name or an address is empty or too long, or there are too many.
    #[error(
        "a node needs a name of 1 to {bytes_max} bytes and at most {addresses_max} addresses of as many"
    )]
    NodeDescription {
        /// Most bytes of a name or an address.
        bytes_max: usize,
        /// Most addresses.
        addresses_max: usize,
    },
    /// The name is in use.
    #[error("log '{0}' exists already; choose another name or delete it first")]
    LogExists(LogName),
    /// No log has the number.
    #[error("log number {} does not exist; it may have been deleted", .0.0)]
    LogNotFound(LogNumber),
    /// `__` and the internal flag go together.
    #[error("'{0}': names that begin with '__' are for internal logs, and only for them")]
    InternalName(LogName),
    /// No partition, or more than there may be.
    #[error("a log has 1 to {most} partitions, not {asked}")]
    Partitions {
        /// What was asked for.
        asked: u32,
        /// The most there may be.
        most: u32,
    },
    /// Partitions are only added.
    #[error("the log has {have} partitions already, and {asked} are not more")]
    PartitionsNotMore {
        /// What was asked for.
        asked: u32,
        /// What there are.
        have: u32,
    },
    /// Settings that no log has, or that this one cannot get.
    #[error(transparent)]
    Settings(#[from] SettingError),
    /// The schema cannot be, or is not the present one with columns appended.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Its columns do not fit a command.
    #[error(
        "a schema of this size takes {have} bytes in the directory, {most} are the most; use fewer or shorter names"
    )]
    SchemaBytes {
        /// Bytes of the command.
        have: usize,
        /// Bytes a command may have.
        most: usize,
    },
    /// No replica, or more than there are nodes.
    #[error("{asked} replicas were asked for and there are {nodes} nodes; ask for 1 to {nodes}")]
    ReplicationFactor {
        /// What was asked for.
        asked: u16,
        /// Members of the cluster that keep data.
        nodes: usize,
    },
    /// Another start of the node's data directory was accepted since.
    #[error(
        "node '{0}' was started from another copy of this data directory since this one was last in use; \
         only the newest copy may start: use that one, or an empty data directory and another --node-id"
    )]
    NodeCopied(NodeName),
    /// The node would do nothing.
    #[error("a node is an Obelisk, a Pyramid or both; choose with --role")]
    NoRole,
    /// More tokens than a node keeps.
    #[error("a start presents at most {most} tokens, not {have}")]
    Tokens {
        /// Tokens there are.
        have: usize,
        /// The most there may be.
        most: usize,
    },
    /// Another start of the node was accepted since, or the node is unknown.
    #[error("this is not the present start of a member; register again")]
    NotThePresentStart,
    /// A lease of no time, or of more than there may be.
    #[error("a lane is leased for 1 to {most} ms, not {asked}")]
    Term {
        /// What was asked for.
        asked: u32,
        /// The most there may be.
        most: u32,
    },
    /// Every lane is leased.
    #[error(
        "all {lanes} lanes of Scarab ids are leased; the next one is free in {free_in_ms} ms: try again then"
    )]
    LanesExhausted {
        /// How many there are.
        lanes: u16,
        /// Until the first lease ends.
        free_in_ms: u64,
    },
    /// Someone else has it, or nobody.
    #[error("lane {} is not leased to this start of the node", .0.number())]
    LaneNotHeld(Lane),
    /// The lease was prolonged after the grant that is given back, for somebody who
    /// may still use it.
    #[error("lane {} was granted again since; that grant is not given back with an older one", .0.number())]
    LaneGrantOld(Lane),
    /// What was used lies outside the lease.
    #[error("lane {} was not leased for the time that it is said to be used to", .0.number())]
    LaneUse(Lane),
    /// The counter is there, counted in the other way.
    #[error("counter '{name}' exists already in mode {mode}; use that, or choose another name")]
    CounterExists {
        /// Its name.
        name: CounterName,
        /// How it is counted.
        mode: CounterMode,
    },
    /// The name is that of one of the cluster's own counters.
    #[error("'{0}' is one of the cluster's own counters; choose another name")]
    CounterReserved(CounterName),
    /// No number is left for another counter.
    #[error("there are {most} counters, which is the most a cluster has")]
    CountersExhausted {
        /// The most there may be.
        most: u32,
    },
}

/// Why bytes are not a command or a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Longer than such bytes may be; nothing was read.
    #[error("{have} bytes are too long, {most} are the most")]
    TooLong {
        /// Bytes there are.
        have: usize,
        /// Bytes there may be.
        most: usize,
    },
    /// A newer program wrote them.
    #[error("version {found} is unknown, this program reads {known}; use the newer program")]
    Version {
        /// The version in the bytes.
        found: u16,
        /// The version we know.
        known: u16,
    },
    /// Not what postcard would write.
    #[error("the bytes are damaged: {0}")]
    Malformed(#[from] postcard::Error),
    /// Readable, but not the one encoding of what they mean.
    #[error("the bytes are damaged: they say the same in another way")]
    NotCanonical,
    /// A schema that cannot be.
    #[error("the bytes are damaged: {0}")]
    Schema(#[from] SchemaError),
    /// Parts of a snapshot contradict each other.
    #[error("the snapshot contradicts itself: {0}")]
    Contradiction(&'static str),
}

impl From<DirectoryError> for ApiError {
    fn from(error: DirectoryError) -> ApiError {
        let code = match &error {
            DirectoryError::Index { .. } => ErrorCode::Internal,
            DirectoryError::LogExists(_) => ErrorCode::LogExists,
            DirectoryError::LogNotFound(_) => ErrorCode::LogNotFound,
            DirectoryError::InternalName(_) => ErrorCode::LogNameInvalid,
            DirectoryError::Partitions { .. } | DirectoryError::PartitionsNotMore { .. } => {
                ErrorCode::PartitionsInvalid
            }
            DirectoryError::Settings(_) => ErrorCode::SettingInvalid,
            DirectoryError::Schema(_) | DirectoryError::SchemaBytes { .. } => {
                ErrorCode::SchemaInvalid
            }
            DirectoryError::ReplicationFactor { .. } => ErrorCode::ReplicationInvalid,
            DirectoryError::NotFounded => ErrorCode::Unavailable,
            DirectoryError::NodeNameTaken(_) | DirectoryError::StoreTaken(_) => {
                ErrorCode::NodeNameTaken
            }
            DirectoryError::NodeCopied(_) => ErrorCode::NodeCopied,
            DirectoryError::NotThePresentStart
            | DirectoryError::LaneNotHeld(_)
            | DirectoryError::LaneGrantOld(_) => ErrorCode::Fenced,
            DirectoryError::LanesExhausted { .. } => ErrorCode::LanesExhausted,
            DirectoryError::CounterExists { .. } => ErrorCode::CounterExists,
            DirectoryError::CounterReserved(_) => ErrorCode::CounterNameInvalid,
            DirectoryError::CountersExhausted { .. } => ErrorCode::CountersExhausted,
            DirectoryError::AlreadyFounded(_)
            | DirectoryError::NodeDescription { .. }
            | DirectoryError::NoRole
            | DirectoryError::Tokens { .. }
            | DirectoryError::Term { .. }
            | DirectoryError::LaneUse(_) => ErrorCode::RequestInvalid,
        };
        ApiError::new(code, error.to_string())
    }
}
