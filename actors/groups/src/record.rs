//! The records of the internal log `__groups`.
//!
//! ```text
//!  key    version u16 ─ Group{group} │ Offset{group, topic, partition} │ Checkpoint{edge}
//!  value  version u16 ─ the generation, the offset, or the number of records
//!         none: the group, or the offset, is gone
//!
//!  an offset   version 1: offset, epoch, metadata, time     version 2: and its log's number
//! ```
//!
//! Both are postcard. A key says what a record is about, so that the last record of
//! each key tells everything. The order of the fields is the format: a change of it
//! makes another version.

mod binary;
mod codec;
#[cfg(test)]
mod tests;

use crate::protocol::{CommittedOffset, TopicPartition};
pub use binary::Binary;
pub use codec::{EncodedRecord, RecordError};
use pyralog_model::LogNumber;
use serde::{Deserialize, Serialize};

/// One change of what a coordinator keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A group is in another generation, or gone.
    Group {
        /// Its name.
        group: String,
        /// The generation; `None` when the group is gone.
        kept: Option<KeptGroup>,
    },
    /// An offset is committed, or forgotten.
    Offset {
        /// The group's name.
        group: String,
        /// Of which partition.
        partition: TopicPartition,
        /// The offset; `None` when it is forgotten.
        kept: Option<KeptOffset>,
    },
    /// From here on everything is told again.
    CheckpointBegins,
    /// Everything was told again.
    CheckpointEnds {
        /// In how many records.
        records: u64,
    },
}

/// A generation of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptGroup {
    /// Its number.
    pub generation: i32,
    /// The kind of group; empty if it never had members.
    pub protocol_type: String,
    /// The assignor; empty without members.
    pub protocol: String,
    /// The member that assigns.
    pub leader: Option<String>,
    /// When this began, in milliseconds since 1970.
    pub since_ms: i64,
    /// The leader has assigned. Before that members are only counted in.
    pub assigned: bool,
    /// The members, sorted by id.
    pub members: Vec<KeptMember>,
}

/// A member of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMember {
    /// Its id.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// Without a heartbeat for so many milliseconds it is out.
    pub session_timeout_ms: u32,
    /// Milliseconds that it has to join again.
    pub rebalance_timeout_ms: u32,
    /// Its assignors with what it says for each, the preferred first.
    pub protocols: Vec<(String, Binary)>,
    /// What it reads, in the assignor's own form.
    pub assignment: Binary,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOffset {
    /// Where to go on reading.
    pub offset: i64,
    /// The epoch of the last record that was read; −1 if not known.
    pub leader_epoch: i32,
    /// Anything that the client wants to find again.
    pub metadata: String,
    /// When it was committed, in milliseconds since 1970.
    pub at_ms: i64,
    /// The number of its log; records of version 1 do not say it.
    pub log: Option<LogNumber>,
}

impl KeptOffset {
    pub(crate) fn new(committed: CommittedOffset, at_ms: i64, log: LogNumber) -> KeptOffset {
        let CommittedOffset { offset, leader_epoch, metadata } = committed;
        KeptOffset { offset, leader_epoch, metadata, at_ms, log: Some(log) }
    }

    /// True if it is, or may be, of the log that has this number now.
    pub fn is_of(&self, log: Option<LogNumber>) -> bool {
        self.log.is_none() || self.log == log
    }

    /// True if it is of an earlier log than `other`: numbers only grow.
    pub(crate) fn is_before(&self, other: &KeptOffset) -> bool {
        self.log.zip(other.log).is_some_and(|(this, other)| this < other)
    }

    pub(crate) fn into_committed(self) -> CommittedOffset {
        let KeptOffset { offset, leader_epoch, metadata, .. } = self;
        CommittedOffset { offset, leader_epoch, metadata }
    }
}
