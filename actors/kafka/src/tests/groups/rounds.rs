//! Several members: rounds, and what passes between them.

use super::super::client::Client;
use super::super::harness::{Harness, eventually};
use super::asking::{enter, heartbeat, join, leave, settle, start, sync};
use kafka_protocol::messages::*;
use std::time::Duration;

const GROUP: &str = "readers";

/// One member with a connection of its own.
struct Member {
    client: Client,
    joined: JoinGroupResponse,
}

impl Member {
    async fn beat(&mut self) -> i16 {
        let beat = heartbeat(GROUP, self.joined.generation_id, &self.joined.member_id);
        self.client.call(4, &beat).await.error_code
    }

    /// Joins again as soon as it is told to.
    async fn join_again(&mut self) {
        while self.beat().await != 27 {
            tokio::task::yield_now().await;
        }
        self.send_join().await;
    }

    async fn send_join(&mut self) {
        let request = join(7, GROUP, &self.joined.member_id);
        self.client.send(7, &request).await;
    }

    async fn receive_join(&mut self) {
        self.joined = self.client.receive::<JoinGroupRequest>(7).await;
        assert_eq!(self.joined.error_code, 0);
    }

    async fn send_sync(&mut self, assigned: &[(&str, &str)]) {
        self.client.send(5, &sync(5, GROUP, &self.joined, assigned)).await;
    }

    async fn assignment(&mut self) -> String {
        let synced = self.client.receive::<SyncGroupRequest>(5).await;
        assert_eq!(synced.error_code, 0);
        String::from_utf8(synced.assignment.to_vec()).unwrap()
    }
}

/// A member that has asked to be let in while the group waits for the others.
async fn newcomer(harness: &Harness) -> Member {
    let mut client = harness.dial().await;
    let joined = client.call(7, &join(7, GROUP, "")).await;
    assert_eq!(joined.error_code, 79);
    let mut member = Member { client, joined };
    member.send_join().await;
    member
}

/// Everybody is told to join again, does, and gets the share that the leader gives it.
async fn round(members: &mut [Member], newcomers: usize) {
    let old = members.len() - newcomers;
    for member in &mut members[..old] {
        member.join_again().await;
    }
    for member in members.iter_mut() {
        member.receive_join().await;
    }
    let leader = members[0].joined.leader.clone();
    let ids: Vec<_> = members.iter().map(|member| member.joined.member_id.clone()).collect();
    let shares: Vec<_> = ids.iter().map(|id| (&**id, &id[id.len() - 4..])).collect();
    let generation = members[0].joined.generation_id;
    for member in members.iter_mut() {
        let joined = &member.joined;
        assert_eq!((&joined.leader, joined.generation_id), (&leader, generation));
        let leads = joined.leader == joined.member_id;
        assert_eq!(joined.members.len(), if leads { ids.len() } else { 0 });
        member.send_sync(if leads { &shares } else { &[] }).await;
    }
    for (member, (id, share)) in members.iter_mut().zip(&shares) {
        assert_eq!(member.assignment().await, *share, "of {id}");
        assert_eq!(member.beat().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_come_and_go_and_each_round_gives_everybody_a_share() {
    let harness = start().await;
    let mut client = harness.dial().await;
    let joined = settle(&mut client, GROUP, "everything").await;
    let mut members = vec![Member { client, joined }];
    for generation in 2..=3 {
        members.push(newcomer(&harness).await);
        round(&mut members, 1).await;
        assert_eq!(members[0].joined.generation_id, generation);
    }
    // The leader goes; another one leads.
    let mut gone = members.remove(0);
    let left = gone.client.call(4, &leave(4, GROUP, &gone.joined.member_id)).await;
    assert_eq!(left.members[0].error_code, 0);
    round(&mut members, 0).await;
    assert_eq!(members[0].joined.generation_id, 4);
    assert_eq!(gone.beat().await, 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_sends_behind_a_join_waits_for_it() {
    let harness = start().await;
    let mut client = harness.dial().await;
    let joined = settle(&mut client, GROUP, "everything").await;
    let mut first = Member { client, joined };
    let mut second = newcomer(&harness).await;
    second.client.send(0, &ApiVersionsRequest::default()).await;
    first.join_again().await;
    second.receive_join().await;
    let versions = second.client.receive::<ApiVersionsRequest>(0).await;
    assert_eq!(versions.error_code, 0);
}

/// What a consumer does until it reads in a group of `size`. Any error but those that
/// say "join again" ends the test.
async fn consume_until_complete(mut client: Client, size: usize) -> i32 {
    let mut joined = enter(&mut client, 9, GROUP).await;
    loop {
        assert!(matches!(joined.error_code, 0 | 27), "told {} at a join", joined.error_code);
        if joined.error_code == 0 {
            let share = joined.members.len().to_string();
            let ids = joined.members.iter().map(|member| &*member.member_id);
            let shares: Vec<_> = ids.map(|id| (id, &*share)).collect();
            let synced = client.call(5, &sync(5, GROUP, &joined, &shares)).await;
            assert!(matches!(synced.error_code, 0 | 27), "told {} at a sync", synced.error_code);
            if synced.error_code == 0 {
                if synced.assignment == size.to_string() {
                    return joined.generation_id;
                }
                let beat = heartbeat(GROUP, joined.generation_id, &joined.member_id);
                loop {
                    match client.call(4, &beat).await.error_code {
                        0 => tokio::time::sleep(Duration::from_millis(2)).await,
                        27 => break,
                        error => panic!("told {error} at a heartbeat"),
                    }
                }
            }
        }
        joined = client.call(9, &join(9, GROUP, &joined.member_id)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_forgotten_when_many_join_at_once() {
    const SIZE: usize = 8;
    let harness = start().await;
    let mut consumers = Vec::new();
    for _ in 0..SIZE {
        consumers.push(tokio::spawn(consume_until_complete(harness.dial().await, SIZE)));
    }
    let mut generations = Vec::new();
    for consumer in consumers {
        generations.push(consumer.await.expect("no unknown member"));
    }
    generations.dedup();
    assert_eq!(generations.len(), 1, "all of them in one round: {generations:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_whose_connection_ends_in_a_round_does_not_hold_up_the_door() {
    let harness = start().await;
    let mut client = harness.dial().await;
    let joined = settle(&mut client, GROUP, "everything").await;
    let mut first = Member { client, joined };
    drop(newcomer(&harness).await);
    let gone = async || harness.connections().await.len() == 1;
    eventually("the connection that waited for a round is gone", gone).await;
    assert!(matches!(first.beat().await, 0 | 27));
}
