//! ListGroups, DescribeGroups, DeleteGroups.

use super::super::client::Client;
use super::super::harness::Harness;
use super::asking::{commit, group_id, leave, metadata, settle, start, text};
use kafka_protocol::messages::*;

/// A door with the groups "offsets", which is empty, and "readers", which has a member.
async fn with_groups() -> (Harness, Client, JoinGroupResponse) {
    let harness = start().await;
    let mut client = harness.with_log("flights", 1).await;
    let committed = client.call(8, &commit("offsets", "flights", 0, 7)).await;
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    let joined = settle(&mut client, "readers", "everything").await;
    (harness, client, joined)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_lists_groups_and_later_ones_choose() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    let answer = client.call(0, &ListGroupsRequest::default()).await;
    assert_eq!((answer.error_code, answer.groups.len()), (0, 0));
    let (_harness, mut client, _) = with_groups().await;
    let listed = |answer: ListGroupsResponse| -> Vec<[String; 4]> {
        assert_eq!(answer.error_code, 0);
        let row = |group: &list_groups_response::ListedGroup| {
            let words =
                [&group.group_id.0, &group.protocol_type, &group.group_state, &group.group_type];
            words.map(|word| word.to_string())
        };
        answer.groups.iter().map(row).collect()
    };
    for version in 0..=5 {
        let words = |name: &str, kind: &str, state: &str| {
            let state = if version >= 4 { state } else { "" };
            let classic = if version >= 5 { "classic" } else { "" };
            [name, kind, state, classic].map(str::to_owned)
        };
        let all = client.call(version, &ListGroupsRequest::default()).await;
        let (empty, stable) =
            (words("offsets", "", "Empty"), words("readers", "consumer", "Stable"));
        assert_eq!(listed(all), [empty, stable.clone()]);
        if version >= 4 {
            for states in [&["stable"][..], &["Dead", "Stable"]] {
                let states = states.iter().map(|state| text(state)).collect();
                let request = ListGroupsRequest::default().with_states_filter(states);
                let some = client.call(version, &request).await;
                assert_eq!(listed(some), std::slice::from_ref(&stable));
            }
        }
    }
    for (kind, count) in [("Classic", 2), ("consumer", 0)] {
        let request = ListGroupsRequest::default().with_types_filter(vec![text(kind)]);
        assert_eq!(listed(client.call(5, &request).await).len(), count, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_describes_groups_and_names_the_dead() {
    let (_harness, mut client, joined) = with_groups().await;
    let names = ["readers", "nobody", "offsets", "", "readers"].map(group_id).to_vec();
    for version in 0..=5 {
        let request = DescribeGroupsRequest::default().with_groups(names.clone());
        let groups = client.call(version, &request).await.groups;
        let rows: Vec<_> = groups
            .iter()
            .map(|group| (&*group.group_id.0, group.error_code, &*group.group_state))
            .collect();
        // A name that comes twice is answered once.
        assert_eq!(
            rows,
            [
                ("", 24, ""),
                ("nobody", 0, "Dead"),
                ("offsets", 0, "Empty"),
                ("readers", 0, "Stable")
            ]
        );
        let group = &groups[3];
        assert_eq!((&*group.protocol_type, &*group.protocol_data), ("consumer", "range"));
        assert_eq!(group.authorized_operations, i32::MIN);
        let [member] = &group.members[..] else { panic!("{group:?}") };
        assert_eq!((&member.member_id, &*member.client_id), (&joined.member_id, "test"));
        assert_eq!(&*member.client_host, "/127.0.0.1");
        assert_eq!(member.member_metadata, metadata());
        assert_eq!(&member.member_assignment[..], b"everything");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_deletes_groups_that_have_no_members() {
    let (_harness, mut client, joined) = with_groups().await;
    let names = ["readers", "nobody", "", "offsets"].map(group_id).to_vec();
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    for version in 0..=2 {
        let results = client.call(version, &request).await.results;
        let rows: Vec<_> =
            results.iter().map(|result| (&*result.group_id.0, result.error_code)).collect();
        let offsets = if version == 0 { 0 } else { 69 };
        assert_eq!(rows, [("", 24), ("nobody", 69), ("offsets", offsets), ("readers", 68)]);
    }
    let left = client.call(3, &leave(3, "readers", &joined.member_id)).await;
    assert_eq!(left.members[0].error_code, 0);
    let results = client.call(2, &request).await.results;
    assert_eq!(
        results.iter().find(|result| &*result.group_id.0 == "readers").unwrap().error_code,
        0
    );
    let answer = client.call(4, &ListGroupsRequest::default()).await;
    assert_eq!((answer.error_code, answer.groups.len()), (0, 0));
}
