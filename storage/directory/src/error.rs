//! Why a command is refused, and why bytes are.

use pyralog_model::{ApiError, ClusterId, ErrorCode, LogName, LogNumber, NodeName};
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
    /// No replica, or more than there are nodes.
    #[error("{asked} replicas were asked for and there are {nodes} nodes; ask for 1 to {nodes}")]
    ReplicationFactor {
        /// What was asked for.
        asked: u16,
        /// Members of the cluster.
        nodes: usize,
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
            DirectoryError::Partitions { .. } => ErrorCode::PartitionsInvalid,
            DirectoryError::ReplicationFactor { .. } => ErrorCode::ReplicationInvalid,
            DirectoryError::NotFounded => ErrorCode::Unavailable,
            DirectoryError::AlreadyFounded(_)
            | DirectoryError::NodeNameTaken(_)
            | DirectoryError::StoreTaken(_)
            | DirectoryError::NodeDescription { .. } => ErrorCode::RequestInvalid,
        };
        ApiError::new(code, error.to_string())
    }
}
