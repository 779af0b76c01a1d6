//! One member: in, kept in, out, and what it is refused.

use super::asking::{enter, heartbeat, join, leave, metadata, settle, start, sync, text};
use kafka_protocol::messages::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_joins_is_assigned_stays_and_leaves() {
    let harness = start().await;
    let mut client = harness.dial().await;
    for version in 0..=9 {
        let group = format!("readers-{version}");
        let joined = enter(&mut client, version, &group).await;
        assert_eq!((joined.error_code, joined.generation_id), (0, 1), "version {version}");
        assert_eq!(joined.leader, joined.member_id);
        assert_eq!(joined.protocol_name.as_deref(), Some("range"));
        assert_eq!(joined.protocol_type.as_deref(), (version >= 7).then_some("consumer"));
        assert_eq!(joined.members.len(), 1);
        let member = &joined.members[0];
        assert_eq!((&member.member_id, &member.metadata), (&joined.member_id, &metadata()));

        let id = &*joined.member_id;
        let at = version.min(5);
        let synced = client.call(at, &sync(at, &group, &joined, &[(id, "all of it")])).await;
        assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"all of it"[..]));
        assert_eq!(synced.protocol_name.as_deref(), (at >= 5).then_some("range"));

        let at = version.min(4);
        assert_eq!(client.call(at, &heartbeat(&group, 1, id)).await.error_code, 0);
        assert_eq!(client.call(at, &heartbeat(&group, 2, id)).await.error_code, 22);
        assert_eq!(client.call(at, &heartbeat(&group, 1, "who")).await.error_code, 25);

        let at = version.min(5);
        let left = client.call(at, &leave(at, &group, id)).await;
        assert_eq!(left.error_code, 0);
        let each: Vec<_> = left.members.iter().map(|m| (&*m.member_id, m.error_code)).collect();
        assert_eq!(each, if at >= 3 { vec![(id, 0)] } else { vec![] });
        let gone = client.call(at, &leave(at, &group, id)).await;
        let errors = gone.members.iter().map(|member| member.error_code).collect::<Vec<_>>();
        let expected = if at >= 3 { (0, vec![25]) } else { (25, vec![]) };
        assert_eq!((gone.error_code, errors), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refusal_of_a_join_has_its_number() {
    let harness = start().await;
    let mut client = harness.dial().await;
    settle(&mut client, "taken", "everything").await;
    let cases = [
        (join(5, "", ""), 24),
        (join(5, "g", "").with_session_timeout_ms(1), 26),
        (join(5, "g", "").with_session_timeout_ms(-1), 26),
        (join(5, "g", "").with_protocols(Vec::new()), 23),
        (join(5, "g", "").with_protocol_type(text("")), 23),
        (join(5, "taken", "").with_protocol_type(text("connect")), 23),
        (join(5, "g", "nobody"), 25),
    ];
    for (request, error) in cases {
        for version in [2, 5, 9] {
            let answer = client.call(version, &request).await;
            assert_eq!((answer.error_code, answer.generation_id), (error, -1), "{request:?}");
            assert_eq!((&answer.member_id, answer.members.len()), (&request.member_id, 0));
        }
    }
    // Of a group that is not there nobody is a member.
    let nowhere = JoinGroupResponse::default().with_generation_id(1).with_member_id(text("m"));
    assert_eq!(client.call(3, &sync(3, "nowhere", &nowhere, &[])).await.error_code, 25);
    assert_eq!(client.call(3, &heartbeat("nowhere", 1, "m")).await.error_code, 25);
    assert_eq!(client.call(3, &heartbeat("", 1, "m")).await.error_code, 24);
}
