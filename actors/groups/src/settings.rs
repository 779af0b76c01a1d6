//! What coordinators decide by, and the bounds that keep their memory.

use std::time::Duration;

/// The settings of all coordinators of a node.
#[derive(Debug, Clone)]
pub struct GroupSettings {
    /// How long the first round of an empty group waits for more members; again as
    /// long while new ones keep arriving, up to the rebalance timeout. With zero it
    /// does not wait.
    pub initial_rebalance_delay: Duration,
    /// The shortest session timeout.
    pub session_timeout_min: Duration,
    /// The longest session timeout.
    pub session_timeout_max: Duration,
    /// How long a member that does not know its id yet may wait in a round: its client
    /// may be gone, and cannot send heartbeats.
    pub new_member_patience: Duration,
    /// How long the offsets of a group without members are kept.
    pub offsets_retention: Duration,
    /// How often expired offsets are looked for.
    pub retention_look: Duration,
    /// Bounds.
    pub limits: GroupLimits,
}

impl Default for GroupSettings {
    fn default() -> GroupSettings {
        GroupSettings {
            initial_rebalance_delay: Duration::from_millis(500),
            session_timeout_min: Duration::from_secs(6),
            session_timeout_max: Duration::from_secs(1_800),
            new_member_patience: Duration::from_secs(300),
            offsets_retention: Duration::from_secs(7 * 24 * 60 * 60),
            retention_look: Duration::from_secs(600),
            limits: GroupLimits::default(),
        }
    }
}

/// Bounds of one coordinator.
#[derive(Debug, Clone)]
pub struct GroupLimits {
    /// Groups.
    pub groups_max: usize,
    /// Members of a group.
    pub members_max: usize,
    /// Partitions with an offset, of a group.
    pub offsets_max: usize,
    /// The metadata of one offset in bytes.
    pub offset_metadata_bytes_max: usize,
    /// What one member says with all its assignors in bytes.
    pub member_bytes_max: usize,
    /// What all members of a group say, or are assigned, in bytes: a generation is one
    /// record.
    pub group_bytes_max: usize,
    /// What all groups have in the log in bytes; beyond it nothing new is taken, and
    /// nothing grows but what a generation is assigned.
    pub state_bytes_max: usize,
    /// Records that are appended at once in bytes; one alone may be larger.
    pub append_bytes_max: usize,
    /// Records that wait to be appended in bytes; then commits are refused.
    pub queue_bytes_max: usize,
    /// Requests that wait to be looked at.
    pub requests_max: usize,
    /// A checkpoint is written when the log has grown by this many bytes, and by four
    /// times the size of the state.
    pub checkpoint_bytes_min: u64,
}

impl Default for GroupLimits {
    fn default() -> GroupLimits {
        GroupLimits {
            groups_max: 10_000,
            members_max: 1_000,
            offsets_max: 100_000,
            offset_metadata_bytes_max: 4_096,
            member_bytes_max: 1 << 20,
            group_bytes_max: 8 << 20,
            state_bytes_max: 64 << 20,
            append_bytes_max: 1 << 20,
            queue_bytes_max: 16 << 20,
            requests_max: 4_096,
            checkpoint_bytes_min: 1 << 20,
        }
    }
}
