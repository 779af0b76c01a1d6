//! Consumer groups: who reads which partition, and how far they have come.
//!
//! The classic group protocol as a pure machine, an actor for each partition of the
//! internal log `__groups` that runs it, and [`Groups`], the handle that doors hold.

mod handle;
mod protocol;

pub use handle::Groups;
pub use protocol::{
    CommitOffsets, CommittedOffset, DescribedMember, FetchOffsets, GroupDescription, GroupError,
    GroupState, GroupSummary, Heartbeat, JoinGroup, Joined, JoinedMember, LeaveGroup, Leaving,
    OffsetToCommit, PartitionOffset, SyncGroup, Synced, TopicPartition,
};
