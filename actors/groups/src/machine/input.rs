//! What can happen to a coordinator, and what it can ask for.

use crate::protocol::*;
use crate::record::{KeptOffset, Record};
use pyralog_env::{Monotonic, WallMillis};
use pyralog_model::LogNumber;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Who asked, by the number that its shell gave it. Each is answered once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller(pub u64);

/// One write. They are numbered in the order in which they must reach the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// The time by both clocks: sessions and rounds go by the one that never goes back,
/// the retention of offsets by the one that outlives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The clock that only goes forward.
    pub monotonic: Monotonic,
    /// The clock that people mean.
    pub wall: WallMillis,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Answered by `Joined` when the round is complete.
    Join(JoinGroup),
    /// Answered by `Synced` when the leader has assigned.
    Sync(SyncGroup),
    /// Answered by `Done`.
    Heartbeat(Heartbeat),
    /// Answered by `Each`.
    Leave(LeaveGroup),
    /// Answered by `Each` when it is durable.
    Commit(CommitOffsets),
    /// Answered by `Fetched`.
    Fetch(FetchOffsets),
    /// Those in one of these states; answered by `Listed`.
    List(Vec<GroupState>),
    /// Answered by `Described`.
    Describe(String),
    /// Answered by `Done` when it is durable.
    Delete(String),
    /// Answered by `Each` when it is durable.
    DeleteOffsets(String, Vec<TopicPartition>),
}

impl Request {
    /// True if every such request adds a record to the queue.
    pub fn writes(&self) -> bool {
        matches!(self, Request::Commit(_) | Request::Delete(_) | Request::DeleteOffsets(..))
    }
}

/// An answer that is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// The round is complete.
    Joined(Joined),
    /// The leader has assigned.
    Synced(Synced),
    /// One answer for each part, in order.
    Each(Vec<Result<(), GroupError>>),
    /// What is kept of each partition.
    Fetched(Vec<FoundOffset>),
    /// Those that were asked for.
    Listed(Vec<GroupSummary>),
    /// One group.
    Described(GroupDescription),
}

/// What is kept of a partition; `None` if nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// Its offset, maybe of an earlier log of its name: that is not to be shown.
    pub kept: Option<KeptOffset>,
}

impl FoundOffset {
    /// As it is shown, to whom the log has this number now.
    pub fn shown(self, log: Option<LogNumber>) -> PartitionOffset {
        let kept = self.kept.filter(|kept| kept.is_of(log));
        let committed = kept.map(KeptOffset::into_committed);
        PartitionOffset { partition: self.partition, committed }
    }
}

/// A log of which offsets are kept: its name, and its number if that is known.
pub type NamedLog = (String, Option<LogNumber>);

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Somebody asks.
    Request {
        /// Who.
        caller: Caller,
        /// What.
        request: Request,
    },
    /// Time has passed.
    Tick,
    /// The writes of one append are decided. Writes are decided in the order of their
    /// tokens; those of one append at once, so that nobody looks in between.
    Written {
        /// Which.
        tokens: Vec<Token>,
        /// True if they are durable, false if the log certainly has none of them.
        stored: bool,
    },
    /// These logs were deleted. Others may have their names by now.
    LogsGone(BTreeSet<NamedLog>),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Answer.
    Reply {
        /// Whom.
        caller: Caller,
        /// What.
        answer: Result<Reply, GroupError>,
    },
    /// Append these records after those of all writes before.
    Write {
        /// Which write.
        token: Token,
        /// Its records.
        records: Arc<[Record]>,
    },
}
