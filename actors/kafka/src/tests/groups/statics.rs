//! Static members: a `group.instance.id` that outlives its member id.

use super::super::client::Client;
use super::asking::{group_id, heartbeat, join, start, sync, text};
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::*;

const GROUP: &str = "readers";

/// Joins as the instance "reader-1"; such a member is let in at once.
async fn enter(client: &mut Client, version: i16) -> JoinGroupResponse {
    let request = join(version, GROUP, "").with_group_instance_id(Some(text("reader-1")));
    let joined = client.call(version, &request).await;
    assert_eq!(joined.error_code, 0);
    joined
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_comes_back_keeps_its_share_and_fences_its_forerunner() {
    let harness = start().await;
    let mut client = harness.dial().await;
    let instance = Some(text("reader-1"));
    let first = enter(&mut client, 5).await;
    assert_eq!(first.members[0].group_instance_id, instance);
    let assigned = [(&*first.member_id, "everything")];
    let request = sync(5, GROUP, &first, &assigned).with_group_instance_id(instance.clone());
    assert_eq!(client.call(5, &request).await.error_code, 0);

    // One that can be told to leave the assignment as it is, and one that cannot.
    let mut before = first.member_id.clone();
    for (version, leads) in [(9, true), (8, false)] {
        let back = enter(&mut client, version).await;
        assert_eq!(back.generation_id, first.generation_id);
        assert_ne!(back.member_id, before);
        assert_eq!((back.leader == back.member_id, back.skip_assignment), (leads, leads));
        let request = sync(5, GROUP, &back, &[]).with_group_instance_id(instance.clone());
        assert_eq!(&client.call(5, &request).await.assignment[..], b"everything");

        let beat = |member: &str| {
            let beat = heartbeat(GROUP, first.generation_id, member);
            beat.with_group_instance_id(instance.clone())
        };
        assert_eq!(client.call(4, &beat(&before)).await.error_code, 82);
        assert_eq!(client.call(4, &beat(&back.member_id)).await.error_code, 0);
        before = back.member_id;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_sent_away_by_its_name() {
    let harness = start().await;
    let mut client = harness.dial().await;
    enter(&mut client, 5).await;
    let named = |name| MemberIdentity::default().with_group_instance_id(Some(text(name)));
    let request = LeaveGroupRequest::default()
        .with_group_id(group_id(GROUP))
        .with_members(vec![named("reader-2"), named("reader-1")]);
    for version in 3..=5 {
        let left = client.call(version, &request).await;
        let each: Vec<_> = left.members.iter().map(|member| member.error_code).collect();
        assert_eq!((left.error_code, each), (0, vec![25, if version == 3 { 0 } else { 25 }]));
    }
}
