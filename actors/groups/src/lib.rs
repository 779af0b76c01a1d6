//! Consumer groups: who reads which partition, and how far they have come.
//!
//! ```text
//!  doors ──▶ Groups ──by name──▶ coordinator actor, one for each partition of `__groups`
//!                                   │  Coordinator  the protocol, a pure machine
//!                                   │  Journal      what is written next, pure as well
//!                                   ▼
//!                                GroupLog ──▶ Shen
//! ```
//!
//! The classic group protocol as a pure machine, an actor for each partition of the
//! internal log `__groups` that runs it, and [`Groups`], the handle that doors hold.

mod children;
mod coordinator;
mod handle;
mod journal;
mod kept;
mod log;
mod machine;
mod mutation;
mod protocol;
mod record;
mod seat;
mod settings;

pub use children::groups_child;
pub use handle::Groups;
pub use journal::{Decided, Journal};
pub use kept::{Fold, FoldError, Folded, Kept, KeptEntry};
pub use log::{AppendError, COORDINATORS, GROUPS_LOG, GroupLog, GroupLogs, Listed, coordinator_of};
pub use machine::{
    Caller, Coordinator, Effect, FoundOffset, Input, Moment, NamedLog, Reply, Request, Token,
};
pub use mutation::Mutation;
pub use protocol::{
    CommitOffsets, CommittedOffset, DescribedMember, FetchOffsets, GroupDescription, GroupError,
    GroupState, GroupSummary, Heartbeat, JoinGroup, Joined, JoinedMember, LeaveGroup, Leaving,
    OffsetToCommit, PartitionOffset, SyncGroup, Synced, TopicPartition,
};
pub use record::{Binary, EncodedRecord, KeptGroup, KeptMember, KeptOffset, Record, RecordError};
pub use settings::{GroupLimits, GroupSettings};
