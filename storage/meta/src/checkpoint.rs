//! Where recovery may begin.

use crate::record;
use pyralog_model::PartitionId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One partition as of a moment when everything below was durable in its
/// segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionCheckpoint {
    /// The base offset of the segment that was written to.
    pub segment_base: u64,
    /// The first byte of that segment that is not covered.
    pub segment_position: u64,
    /// The first offset that is not covered.
    pub next_offset: u64,
    /// The greatest log sequence number that is covered.
    pub lsn: u64,
    /// The first offset that may still be read.
    pub log_start: u64,
    /// The epoch of the partition's leadership.
    pub epoch: u32,
}

/// The write-ahead log of the whole data directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalCheckpoint {
    /// The first round whose frames recovery must still read.
    pub first_needed_round: u64,
    /// A log sequence number above every one that was given out.
    pub next_lsn: u64,
}

/// A segment that was rewritten, under its first offset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewrittenSegment {
    /// The offset after its last one.
    pub end: u64,
    /// How often what begins there was rewritten.
    pub generation: u64,
    /// The file's length in bytes.
    pub bytes: u64,
}

/// What compaction has done to a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Up to which offset it is compacted.
    pub cleaned: u64,
    /// The segments that were rewritten, by their first offsets.
    pub segments: BTreeMap<u64, RewrittenSegment>,
}

/// All checkpoints of a data directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// Of each partition that has one.
    pub partitions: BTreeMap<PartitionId, PartitionCheckpoint>,
    /// Of each partition that was ever compacted.
    pub manifests: BTreeMap<PartitionId, Manifest>,
    /// Of the write-ahead log; `None` before the first one.
    pub wal: Option<WalCheckpoint>,
}

impl PartitionCheckpoint {
    /// Reads a row of the table. Any bytes may be given.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<PartitionCheckpoint, String> {
        record::decode(bytes)
    }
}

impl RewrittenSegment {
    /// Reads a row of the table. Any bytes may be given.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<RewrittenSegment, String> {
        record::decode(bytes)
    }
}

impl WalCheckpoint {
    /// Reads the row of the table. Any bytes may be given.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<WalCheckpoint, String> {
        record::decode(bytes)
    }
}
