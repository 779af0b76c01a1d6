//! Committed offsets: there and back, with all that was said beside them.

use super::super::client::Client;
use super::super::harness::topic_name;
use super::asking::{commit, fetch, group_id, settle, start, text};
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::*;

/// What was found for one partition.
type Found = (String, i32, i64, i32, String, i16);

/// The error of a group with what was found.
fn of_one(version: i16, answer: &OffsetFetchResponse) -> (i16, Vec<Found>) {
    if version < 8 {
        let found = answer.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                let (index, error) = (partition.partition_index, partition.error_code);
                let (offset, epoch) =
                    (partition.committed_offset, partition.committed_leader_epoch);
                (topic.name.to_string(), index, offset, epoch, partition.metadata.as_deref(), error)
            })
        });
        return (answer.error_code, found.map(owned).collect());
    }
    let [group] = &answer.groups[..] else { panic!("{answer:?}") };
    let found = group.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            let (index, error) = (partition.partition_index, partition.error_code);
            let (offset, epoch) = (partition.committed_offset, partition.committed_leader_epoch);
            (topic.name.to_string(), index, offset, epoch, partition.metadata.as_deref(), error)
        })
    });
    (group.error_code, found.map(owned).collect())
}

fn owned(found: (String, i32, i64, i32, Option<&str>, i16)) -> Found {
    let (topic, index, offset, epoch, metadata, error) = found;
    (topic, index, offset, epoch, metadata.expect("never null").to_owned(), error)
}

async fn ask(
    client: &mut Client,
    version: i16,
    group: &str,
    asked: Option<(&str, &[i32])>,
) -> (i16, Vec<Found>) {
    of_one(version, &client.call(version, &fetch(version, group, asked)).await)
}

/// The errors of a commit, in order.
async fn errors(client: &mut Client, version: i16, request: &OffsetCommitRequest) -> Vec<i16> {
    let answer = client.call(version, request).await;
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|partition| partition.error_code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_commits_and_every_version_finds_it_with_its_metadata() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 2).await;
    for version in 2..=9 {
        let offset = 100 + i64::from(version);
        let mut request = commit("readers", "flights", 0, offset);
        if version >= 6 {
            request.topics[0].partitions[0].committed_leader_epoch = 3;
        }
        assert_eq!(errors(&mut client, version, &request).await, [0]);
        let epoch = if version >= 6 { 3 } else { -1 };
        for version in 1..=8 {
            let (error, found) =
                ask(&mut client, version, "readers", Some(("flights", &[0, 1]))).await;
            let epoch = if version >= 5 { epoch } else { -1 };
            let there = ("flights".into(), 0, offset, epoch, format!("at {offset}"), 0);
            let nothing = ("flights".into(), 1, -1, -1, String::new(), 0);
            assert_eq!((error, found), (0, vec![there.clone(), nothing]), "version {version}");
            if version >= 2 {
                let everything = ask(&mut client, version, "readers", None).await;
                assert_eq!(everything, (0, vec![there]), "version {version}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told_and_keeps_nothing_else_back() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 1).await;
    let mut request = commit("readers", "flights", 0, 7);
    request.topics[0].partitions.insert(0, commit("", "", 9, 1).topics[0].partitions[0].clone());
    request.topics.push(commit("", "nowhere", 0, 1).topics.remove(0));
    for version in [2, 8] {
        assert_eq!(errors(&mut client, version, &request).await, [3, 0, 3]);
    }
    for version in [1, 5, 8] {
        let (error, found) = ask(&mut client, version, "readers", Some(("nowhere", &[0, 5]))).await;
        let offsets: Vec<_> = found.iter().map(|found| (found.2, found.5)).collect();
        assert_eq!((error, offsets), (0, vec![(-1, 0), (-1, 0)]));
        let (error, found) =
            ask(&mut client, version, "readers", Some(("flights", &[-1, 0]))).await;
        let offsets: Vec<_> = found.iter().map(|found| (found.1, found.2, found.5)).collect();
        assert_eq!((error, offsets), (0, vec![(-1, -1, 0), (0, 7, 0)]));
        let (error, found) = ask(&mut client, version, "others", Some(("flights", &[0]))).await;
        assert_eq!((error, found[0].2, found[0].5), (0, -1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_groups_are_asked_at_once_and_each_answers_for_itself() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 1).await;
    for (group, offset) in [("a", 1), ("b", 2)] {
        assert_eq!(errors(&mut client, 8, &commit(group, "flights", 0, offset)).await, [0]);
    }
    let asked = |name| OffsetFetchRequestGroup::default().with_group_id(group_id(name));
    let groups = ["a", "", "b", "a"].map(|name| asked(name).with_topics(None)).to_vec();
    let request = OffsetFetchRequest::default().with_groups(groups).with_require_stable(true);
    let answer = client.call(8, &request).await;
    let found: Vec<_> = answer
        .groups
        .iter()
        .map(|group| {
            let partitions = group.topics.iter().flat_map(|topic| &topic.partitions);
            let offsets: Vec<_> = partitions.map(|partition| partition.committed_offset).collect();
            (&*group.group_id.0, group.error_code, offsets)
        })
        .collect();
    // Asked again in one request, a group could be made to fill any answer.
    assert_eq!(found, [("a", 0, vec![1]), ("", 24, vec![]), ("b", 0, vec![2]), ("a", 42, vec![])]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_group_is_told_where_each_version_looks_for_it() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 1).await;
    let (error, found) = ask(&mut client, 1, "", Some(("flights", &[0]))).await;
    assert_eq!((error, found.len(), found[0].2, found[0].5), (0, 1, -1, 24));
    for version in 2..=8 {
        let answer = ask(&mut client, version, "", Some(("flights", &[0]))).await;
        assert_eq!(answer, (24, vec![]), "version {version}");
    }
    for (version, partitions) in [(1, &[0, 0]), (2, &[0, 0]), (8, &[1, 1])] {
        let (error, found) = ask(&mut client, version, "g", Some(("flights", partitions))).await;
        let errors: Vec<_> = found.iter().map(|found| found.5).collect();
        let expected = if version == 1 { (0, vec![42, 42]) } else { (42, vec![]) };
        assert_eq!((error, errors), expected, "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_members_of_the_present_generation_commit_into_a_group() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 1).await;
    let joined = settle(&mut client, "readers", "everything").await;
    let stranger = commit("readers", "flights", 0, 5);
    let as_member = |generation| {
        let request = commit("readers", "flights", 0, 5).with_member_id(joined.member_id.clone());
        request.with_generation_id_or_member_epoch(generation)
    };
    let long = |mut request: OffsetCommitRequest| {
        request.topics[0].partitions[0].committed_metadata = Some(text(&"m".repeat(4_097)));
        request
    };
    for version in 2..=9 {
        assert_eq!(errors(&mut client, version, &stranger).await, [25]);
        assert_eq!(errors(&mut client, version, &as_member(2)).await, [22]);
        assert_eq!(errors(&mut client, version, &long(as_member(1))).await, [12]);
        assert_eq!(errors(&mut client, version, &as_member(1)).await, [0]);
    }
    assert_eq!(errors(&mut client, 8, &commit("", "flights", 0, 5)).await, [24]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_more_partitions_than_are_handed_on_at_once() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 300).await;
    let partition = |index: i32| {
        OffsetCommitRequestPartition::default()
            .with_partition_index(index)
            .with_committed_offset(i64::from(index) * 10)
            .with_committed_metadata(None)
    };
    let topic = OffsetCommitRequestTopic::default()
        .with_name(topic_name("flights"))
        .with_partitions((0..301).map(partition).collect());
    let request = OffsetCommitRequest::default()
        .with_group_id(group_id("readers"))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic]);
    let told = errors(&mut client, 8, &request).await;
    assert_eq!((told.len(), &told[300..]), (301, &[3][..]));
    assert!(told[..300].iter().all(|error| *error == 0));
    let indexes: Vec<i32> = (0..301).rev().collect();
    let (error, found) = ask(&mut client, 7, "readers", Some(("flights", &indexes))).await;
    assert_eq!((error, found.len()), (0, 301));
    for (found, index) in found.iter().zip(indexes) {
        let offset = if index == 300 { -1 } else { i64::from(index) * 10 };
        assert_eq!((found.1, found.2, found.5), (index, offset, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_are_forgotten_unless_a_member_reads_them() {
    let harness = start().await;
    let mut client = harness.with_log("flights", 2).await;
    harness.with_log("weather", 1).await;
    for topic in ["flights", "weather"] {
        assert_eq!(errors(&mut client, 8, &commit("readers", topic, 0, 4)).await, [0]);
    }
    settle(&mut client, "readers", "everything").await;
    let topic = |name: &str, partitions: &[i32]| {
        let partition =
            |at: &i32| OffsetDeleteRequestPartition::default().with_partition_index(*at);
        let topic = OffsetDeleteRequestTopic::default().with_name(topic_name(name));
        topic.with_partitions(partitions.iter().map(partition).collect())
    };
    let topics = vec![topic("flights", &[0]), topic("weather", &[0, 1]), topic("nowhere", &[0])];
    let request =
        OffsetDeleteRequest::default().with_group_id(group_id("readers")).with_topics(topics);
    let answer = client.call(0, &request).await;
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let errors: Vec<_> = partitions.map(|partition| partition.error_code).collect();
    assert_eq!((answer.error_code, errors), (0, vec![86, 0, 3, 3]));
    let (_, found) = ask(&mut client, 8, "readers", None).await;
    assert_eq!(found.iter().map(|found| &*found.0).collect::<Vec<_>>(), ["flights"]);
    for (group, error) in [("nobody", 69), ("", 24)] {
        let answer = client.call(0, &request.clone().with_group_id(group_id(group))).await;
        assert_eq!((answer.error_code, answer.topics.len()), (error, 0));
    }
}
