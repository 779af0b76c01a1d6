//! The handle that doors hold. It outlives the actors behind it.

use crate::protocol::*;
use pyralog_model::ApiError;

/// Consumer groups, as doors see them. Clones are cheap and share everything.
#[derive(Debug, Clone)]
pub struct Groups {}

/// What a group answers.
type Answer<T> = Result<T, GroupError>;

impl Groups {
    /// Makes sure that groups of this name can be coordinated here; creates the
    /// internal log if need be.
    pub async fn coordinate(&self, _group: &str) -> Answer<()> {
        Err(missing())
    }

    /// Joins; returns when the round is complete.
    pub async fn join(&self, _join: JoinGroup) -> Answer<Joined> {
        Err(missing())
    }

    /// Gets an assignment; returns when the leader has given it.
    pub async fn sync(&self, _sync: SyncGroup) -> Answer<Synced> {
        Err(missing())
    }

    /// Keeps a member in.
    pub async fn heartbeat(&self, _heartbeat: Heartbeat) -> Answer<()> {
        Err(missing())
    }

    /// Takes members out; one answer for each, in order.
    pub async fn leave(&self, _leave: LeaveGroup) -> Answer<Vec<Answer<()>>> {
        Err(missing())
    }

    /// Commits; returns when it is durable, with one answer for each, in order.
    pub async fn commit(&self, _commit: CommitOffsets) -> Answer<Vec<Answer<()>>> {
        Err(missing())
    }

    /// What was committed.
    pub async fn fetch(&self, _fetch: FetchOffsets) -> Answer<Vec<PartitionOffset>> {
        Err(missing())
    }

    /// Every group.
    pub async fn list(&self) -> Answer<Vec<GroupSummary>> {
        Err(missing())
    }

    /// One group; a description in state `Dead` if it is not there.
    pub async fn describe(&self, _group: &str) -> Answer<GroupDescription> {
        Err(missing())
    }

    /// Deletes a group without members, and its offsets.
    pub async fn delete(&self, _group: &str) -> Answer<()> {
        Err(missing())
    }

    /// Forgets offsets of partitions that no member reads; one answer for each.
    pub async fn delete_offsets(
        &self,
        _group: &str,
        _partitions: Vec<TopicPartition>,
    ) -> Answer<Vec<Answer<()>>> {
        Err(missing())
    }
}

fn missing() -> GroupError {
    GroupError::Unavailable(ApiError::unavailable("the group coordinator"))
}
