//! Members of group `g`, as short as they can be said.

use bytes::Bytes;
use pyralog_behaviour::SupervisorMessage;
use pyralog_groups::*;
use pyralog_model::LogNumber;
use ractor::{ActorRef, call_t};
use std::time::Duration;

pub fn settings() -> GroupSettings {
    GroupSettings { initial_rebalance_delay: Duration::ZERO, ..GroupSettings::default() }
}

pub fn join(member: &str) -> JoinGroup {
    JoinGroup {
        group: "g".into(),
        member: member.into(),
        instance: None,
        client_id: "client".into(),
        client_host: "127.0.0.1".into(),
        session_timeout: Duration::from_secs(10),
        rebalance_timeout: Duration::from_secs(60),
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), Bytes::from_static(b"x"))],
        requires_known_member: false,
        supports_skipping_assignment: false,
    }
}

pub fn sync(joined: &Joined, assignments: &[(&str, &str)]) -> SyncGroup {
    let owned = |(member, assigned): &(&str, &str)| {
        ((*member).to_owned(), Bytes::copy_from_slice(assigned.as_bytes()))
    };
    SyncGroup {
        group: "g".into(),
        generation: joined.generation,
        member: joined.member.clone(),
        instance: None,
        protocol_type: None,
        protocol: None,
        assignments: assignments.iter().map(owned).collect(),
    }
}

pub fn heartbeat(joined: &Joined) -> Heartbeat {
    let (generation, member) = (joined.generation, joined.member.clone());
    Heartbeat { group: "g".into(), generation, member, instance: None }
}

/// A commit for a partition of `log` by a client without a group.
pub fn alone(partition: u32, offset: i64) -> CommitOffsets {
    let partition = TopicPartition { topic: "log".into(), partition };
    let committed = CommittedOffset { offset, leader_epoch: 1, metadata: "note".into() };
    CommitOffsets {
        group: "g".into(),
        generation: -1,
        member: String::new(),
        instance: None,
        offsets: vec![OffsetToCommit { partition, log: LogNumber(1), committed }],
    }
}

pub fn commit(joined: &Joined, offset: i64) -> CommitOffsets {
    let (generation, member) = (joined.generation, joined.member.clone());
    CommitOffsets { generation, member, ..alone(0, offset) }
}

/// Commits, again and again while the coordinator is away.
pub async fn commit_in_the_end(groups: &Groups, commit: CommitOffsets) {
    let trying = async {
        loop {
            match groups.commit(commit.clone()).await {
                Ok(answers) => return assert_eq!(answers, [Ok(())]),
                Err(GroupError::Loading | GroupError::Unavailable(_)) => {
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), trying).await.expect("it commits in the end");
}

/// What is committed, as partitions and offsets.
pub async fn committed(groups: &Groups) -> Vec<(u32, i64)> {
    groups.coordinate("g").await.unwrap();
    let found = groups.fetch(FetchOffsets { group: "g".into(), partitions: None }).await.unwrap();
    let pair = |found: PartitionOffset| {
        found.committed.map(|committed| (found.partition.partition, committed.offset))
    };
    found.into_iter().filter_map(pair).collect()
}

/// Kills the coordinator of a group, as soon as its supervisor knows that it runs.
pub async fn kill_coordinator(tree: &ActorRef<SupervisorMessage>, group: &str) {
    loop {
        let path = format!("node/groups/{}", coordinator_of(group));
        let kill = |reply| SupervisorMessage::Kill { path, reply };
        if call_t!(tree, kill, 5_000).unwrap().is_ok() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("not within 20 s: {what}"));
}
