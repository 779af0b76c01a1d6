//! What may be asked of a group, and what it answers: the fields of Kafka's classic
//! group protocol with what belongs to one version of the wire left out.

use bytes::Bytes;
use pyralog_model::{ApiError, LogNumber};
use std::time::Duration;
use thiserror::Error;

/// JoinGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinGroup {
    /// The group.
    pub group: String,
    /// The member's id; empty for a new one.
    pub member: String,
    /// `group.instance.id` of a static member.
    pub instance: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// The address that it comes from.
    pub client_host: String,
    /// Without a heartbeat for so long it is out.
    pub session_timeout: Duration,
    /// How long it has to join again in a rebalance.
    pub rebalance_timeout: Duration,
    /// `consumer`, or another kind of group.
    pub protocol_type: String,
    /// Assignors that it supports, the preferred first, with its metadata for each.
    pub protocols: Vec<(String, Bytes)>,
    /// From version 4 on a new dynamic member is first told its id (`MemberIdRequired`)
    /// and joins with that, so that a client that never comes back leaves nothing.
    pub requires_known_member: bool,
    /// From version 9 on the leader of a static group that came back is told to be the
    /// leader and need not assign again.
    pub supports_skipping_assignment: bool,
}

/// The answer to a JoinGroup when the round is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The generation, from 1.
    pub generation: i32,
    /// The kind of group.
    pub protocol_type: String,
    /// The assignor that all support.
    pub protocol: String,
    /// The member that assigns.
    pub leader: String,
    /// The id of this member.
    pub member: String,
    /// Everybody, for the leader; empty for the others.
    pub members: Vec<JoinedMember>,
    /// The leader of a static group that came back need not assign again (version 9).
    pub skip_assignment: bool,
}

/// A member as the leader is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
    /// What it said with the chosen assignor.
    pub metadata: Bytes,
}

/// SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncGroup {
    /// The group.
    pub group: String,
    /// The generation that it joined.
    pub generation: i32,
    /// The member.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
    /// From version 5 on: what it believes the group to be.
    pub protocol_type: Option<String>,
    /// From version 5 on: the assignor it believes in.
    pub protocol: Option<String>,
    /// From the leader: who gets what.
    pub assignments: Vec<(String, Bytes)>,
}

/// The answer to a SyncGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The kind of group.
    pub protocol_type: String,
    /// The assignor.
    pub protocol: String,
    /// What this member reads, in the assignor's own form.
    pub assignment: Bytes,
}

/// Heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The group.
    pub group: String,
    /// The generation.
    pub generation: i32,
    /// The member.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
}

/// LeaveGroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveGroup {
    /// The group.
    pub group: String,
    /// Who leaves; each is answered for itself.
    pub members: Vec<Leaving>,
}

/// One who leaves, by its member id or its `group.instance.id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The member id; may be empty if there is an instance.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
}

/// A partition as clients name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The log's name.
    pub topic: String,
    /// The partition.
    pub partition: u32,
}

/// OffsetCommit. A `generation` below 0 and an empty `member` come from a client
/// that manages its partitions itself; then the group must have no members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitOffsets {
    /// The group.
    pub group: String,
    /// The generation.
    pub generation: i32,
    /// The member.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
    /// What to commit.
    pub offsets: Vec<OffsetToCommit>,
}

/// One offset to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetToCommit {
    /// Of which partition.
    pub partition: TopicPartition,
    /// The number of its log: another log of the same name does not inherit the offset.
    pub log: LogNumber,
    /// Where to go on reading.
    pub committed: CommittedOffset,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    /// Where to go on reading.
    pub offset: i64,
    /// The epoch of the last record that was read; −1 if not known.
    pub leader_epoch: i32,
    /// Anything that the client wants to find again.
    pub metadata: String,
}

/// OffsetFetch of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOffsets {
    /// The group.
    pub group: String,
    /// Of which partitions; `None` for every one that has an offset.
    pub partitions: Option<Vec<TopicPartition>>,
}

/// What was committed for a partition; `None` if nothing was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionOffset {
    /// The partition.
    pub partition: TopicPartition,
    /// The offset.
    pub committed: Option<CommittedOffset>,
}

/// Where a group stands in a rebalance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupState {
    /// No members; it may have offsets.
    Empty,
    /// Waiting for members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Everybody has an assignment.
    Stable,
    /// Not there.
    Dead,
}

impl GroupState {
    /// What a group that is there may be in.
    pub const ALIVE: [GroupState; 4] = [
        GroupState::Empty,
        GroupState::PreparingRebalance,
        GroupState::CompletingRebalance,
        GroupState::Stable,
    ];

    /// Kafka's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

/// One group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSummary {
    /// Its name.
    pub group: String,
    /// Its state.
    pub state: GroupState,
    /// Its kind; empty if it only has offsets.
    pub protocol_type: String,
    /// Members.
    pub members: usize,
}

/// Everything about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// What the list says.
    pub summary: GroupSummary,
    /// The generation.
    pub generation: i32,
    /// The chosen assignor; empty if there is none.
    pub protocol: String,
    /// Its leader's member id.
    pub leader: Option<String>,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// One member of a described group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member: String,
    /// Its `group.instance.id`.
    pub instance: Option<String>,
    /// What the client calls itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// What it said with the chosen assignor.
    pub metadata: Bytes,
    /// What it reads, in the assignor's own form.
    pub assignment: Bytes,
}

/// Why a group refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GroupError {
    /// The group's records are still being read, or the coordinator is starting.
    #[error("the coordinator is loading; try again")]
    Loading,
    /// It cannot be reached, or its log cannot be written.
    #[error(transparent)]
    Unavailable(ApiError),
    /// No name, or one that is too long.
    #[error("a group's name has 1 to 249 bytes")]
    InvalidGroup,
    /// Not a member.
    #[error("the group has no such member")]
    UnknownMember,
    /// Join again with this id.
    #[error("join again as {0}")]
    MemberIdRequired(String),
    /// Another generation.
    #[error("the group is in another generation")]
    IllegalGeneration,
    /// Join again.
    #[error("the group rebalances")]
    RebalanceInProgress,
    /// No assignor that all support, another kind of group, or none at all.
    #[error("the member supports no assignor that all others support")]
    InconsistentProtocol,
    /// Outside the bounds.
    #[error("the session timeout must be from 6 to 1,800 seconds")]
    InvalidSessionTimeout,
    /// Another member has taken over this `group.instance.id`.
    #[error("another member has this group.instance.id")]
    FencedInstance,
    /// No more members, groups or offsets fit.
    #[error("the group, or its coordinator, is full")]
    Full,
    /// It has members, or they read what is to be deleted.
    #[error("the group has members")]
    NotEmpty,
    /// No such group.
    #[error("there is no such group")]
    NotFound,
    /// The metadata of an offset is too long.
    #[error("the metadata of an offset has at most 4096 bytes")]
    MetadataTooLarge,
    /// No such partition.
    #[error("there is no such partition")]
    UnknownPartition,
    /// The members read this log.
    #[error("members of the group read this log")]
    Subscribed,
}
