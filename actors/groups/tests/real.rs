//! Over the real store.

use crate::members::*;
use crate::node::{Node, Site};
use pyralog_groups::*;
use pyralog_model::PartitionId;

/// Two members that share what there is; the first leads.
async fn two(groups: &Groups) -> (Joined, Joined) {
    let one = groups.join(join("")).await.unwrap();
    groups.sync(sync(&one, &[(&one.member, "all")])).await.unwrap();
    let (second, again) = tokio::join!(groups.join(join("")), async {
        // The second must be in before the first comes back.
        eventually("the group rebalances", async || {
            groups.heartbeat(heartbeat(&one)).await == Err(GroupError::RebalanceInProgress)
        })
        .await;
        groups.join(join(&one.member)).await
    });
    let (one, two) = (again.unwrap(), second.unwrap());
    assert_eq!((one.generation, two.generation), (2, 2));
    let shares = [(one.member.as_str(), "a"), (two.member.as_str(), "b")];
    let (a, b) = tokio::join!(groups.sync(sync(&one, &shares)), groups.sync(sync(&two, &[])));
    assert_eq!((&a.unwrap().assignment[..], &b.unwrap().assignment[..]), (&b"a"[..], &b"b"[..]));
    (one, two)
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_commit_and_find_everything_after_a_kill_and_a_restart() {
    let site = Site::new();
    let node = Node::start(&site, settings()).await;
    node.create_log("log").await;
    let (one, two) = two(&node.groups).await;
    assert_eq!(node.groups.commit(commit(&one, 42)).await, Ok(vec![Ok(())]));

    kill_coordinator(&node.tree, "g").await;
    commit_in_the_end(&node.groups, commit(&two, 43)).await;
    assert_eq!(node.groups.heartbeat(heartbeat(&one)).await, Ok(()), "its session began anew");
    assert_eq!(committed(&node.groups).await, [(0, 43)]);
    node.kill().await;

    let node = Node::start(&site, settings()).await;
    assert_eq!(committed(&node.groups).await, [(0, 43)]);
    let described = node.groups.describe("g").await.unwrap();
    assert_eq!(described.summary.state, GroupState::Stable);
    assert_eq!((described.generation, described.members.len()), (2, 2));
    assert_eq!(node.groups.heartbeat(heartbeat(&two)).await, Ok(()));
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_log_there_is_nothing_and_the_first_one_makes_it() {
    let node = Node::start(&Site::new(), settings()).await;
    assert_eq!(node.groups.list().await, Ok(Vec::new()));
    assert_eq!(node.groups.describe("g").await.unwrap().summary.state, GroupState::Dead);
    assert_eq!(node.groups.delete("g").await, Err(GroupError::NotFound));
    let fetch = FetchOffsets { group: "g".into(), partitions: None };
    assert_eq!(node.groups.fetch(fetch).await, Ok(Vec::new()));
    assert_eq!(node.groups.coordinate("").await, Err(GroupError::InvalidGroup));
    assert_eq!(node.groups.coordinate(&"x".repeat(250)).await, Err(GroupError::InvalidGroup));
    assert!(node.shen.log(GROUPS_LOG).is_none());
    let (a, b) = tokio::join!(node.groups.coordinate("g"), node.groups.coordinate("h"));
    assert_eq!((a, b), (Ok(()), Ok(())));
    assert_eq!(node.shen.log(GROUPS_LOG).unwrap().partitions, COORDINATORS);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_of_a_deleted_log_are_forgotten() {
    let node = Node::start(&Site::new(), settings()).await;
    let number = node.create_log("log").await;
    let other_number = node.create_log("other").await;
    let mut both = alone(0, 7);
    let mut other = both.offsets[0].clone();
    other.partition = TopicPartition { topic: "other".into(), partition: 9 };
    other.log = other_number;
    both.offsets.push(other);
    assert_eq!(node.groups.commit(both).await, Ok(vec![Ok(()), Ok(())]));
    assert_eq!(committed(&node.groups).await, [(0, 7), (9, 7)]);
    node.shen.delete_log(number).await.unwrap();
    eventually("they are forgotten", async || committed(&node.groups).await == [(9, 7)]).await;
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_grows_long_is_told_again_and_cut() {
    let mut settings = settings();
    settings.limits.checkpoint_bytes_min = 4_000;
    let site = Site::new();
    let node = Node::start(&site, settings.clone()).await;
    node.create_log("log").await;
    for offset in 0..300 {
        assert_eq!(node.groups.commit(alone(offset % 3, offset.into())).await, Ok(vec![Ok(())]));
    }
    let log = node.shen.log(GROUPS_LOG).unwrap().number;
    let id = PartitionId::new(log.0, coordinator_of("g"));
    eventually("its beginning is gone", async || {
        node.shen.watermarks(id).is_ok_and(|marks| marks.log_start.0 > 100)
    })
    .await;
    node.kill().await;
    let node = Node::start(&site, settings).await;
    assert_eq!(committed(&node.groups).await, [(0, 297), (1, 298), (2, 299)]);
    node.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_what_was_acknowledged_stays() {
    let site = Site::new();
    let node = Node::start(&site, settings()).await;
    node.create_log("log").await;
    node.groups.commit(alone(0, 0)).await.unwrap();
    site.disk.set_capacity(site.disk.used_bytes());
    let (mut offset, mut acknowledged) = (0, 0);
    loop {
        offset += 1;
        let mut large = alone(0, offset);
        large.offsets[0].committed.metadata = "x".repeat(4_000);
        match node.groups.commit(large).await {
            Ok(answers) => {
                assert_eq!(answers, [Ok(())]);
                acknowledged = offset;
            }
            Err(GroupError::Unavailable(_)) => break,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(committed(&node.groups).await, [(0, acknowledged)]);
    site.disk.set_capacity(u64::MAX);
    commit_in_the_end(&node.groups, alone(0, offset + 1)).await;
    assert_eq!(committed(&node.groups).await, [(0, offset + 1)]);
    node.kill().await;
}
