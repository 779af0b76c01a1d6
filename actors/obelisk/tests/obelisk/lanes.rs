//! Lanes are leased by the Obelisk's time, to present starts, and not twice.

use crate::world::{Running, World, node_start};
use pyralog_directory::Directory;
use pyralog_model::{ErrorCode, Incarnation, Lane, LogicalClock, NodeNumber};
use pyralog_pharaoh::{Answer, LaneGrant, Request};

const TERM_MS: u64 = 600_000;

fn lease((node, incarnation): (NodeNumber, Incarnation), floor: LogicalClock) -> Request {
    Request::LeaseLane { node, incarnation, floor }
}

async fn granted(running: &Running, request: Request) -> LaneGrant {
    match running.ask(request).await {
        Ok(Answer::Lane(grant)) => grant,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_is_leased_prolonged_and_given_back() {
    let mut world = World::new(1);
    let running = world.start().await;
    let node = running.node(node_start("p1", 11, &[], 100)).await;
    let none = LogicalClock(0);
    let first = granted(&running, lease(node, none)).await;
    assert_eq!((first.from, first.to), (first.now, first.now.plus_ms(TERM_MS)));
    world.later(1_000);
    let second = granted(&running, lease(node, none)).await;
    assert_eq!((second.lane, second.from), (first.lane, first.from));
    assert_eq!((second.now, second.to), (first.now.plus_ms(1_000), first.to.plus_ms(1_000)));
    // The wall goes back a day: the Obelisk's time does not.
    world.clock.jump_wall(-86_400_000);
    world.later(500);
    let third = granted(&running, lease(node, none)).await;
    assert_eq!(third.now, second.now.plus_ms(500));
    running.stop().await;
    let running = world.start().await;
    let fourth = granted(&running, lease(node, none)).await;
    assert!(fourth.now >= third.now, "not over a restart either");
    assert_eq!(fourth.lane, first.lane, "the lease outlives the Obelisk's process");

    let used_to = first.from.plus(10);
    let (number, incarnation) = node;
    let release = |granted_to| Request::ReleaseLane {
        node: number,
        incarnation,
        lane: first.lane,
        granted_to,
        used_to,
    };
    // One that was on its way while the lane was leased again.
    running.refused(running.ask(release(third.to)).await, ErrorCode::Fenced);
    let release = release(fourth.to);
    assert_eq!(running.ask(release.clone()).await, Ok(Answer::Released));
    running.refused(running.ask(release).await, ErrorCode::Fenced);
    let restarted = running.node(node_start("p1", 11, &[100], 101)).await;
    running.refused(running.ask(lease(node, none)).await, ErrorCode::Fenced);
    let floor = fourth.now.plus_ms(3_000);
    let fresh = granted(&running, lease(restarted, floor)).await;
    assert_eq!((fresh.from, fresh.to), (floor, floor.plus_ms(TERM_MS)));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_obelisks_own_lanes_are_not_for_others() {
    let mut world = World::new(2);
    let running = world.start().await;
    let own = (Directory::OBELISKS, running.own().incarnation);
    running.refused(running.ask(lease(own, LogicalClock(0))).await, ErrorCode::RequestInvalid);
    let lane = Lane::new(0).unwrap();
    let (node, incarnation) = own;
    let (granted_to, used_to) = (LogicalClock(0), LogicalClock(0));
    let release = Request::ReleaseLane { node, incarnation, lane, granted_to, used_to };
    running.refused(running.ask(release).await, ErrorCode::RequestInvalid);
    let unknown = (NodeNumber(9), Incarnation(1));
    running.refused(running.ask(lease(unknown, LogicalClock(0))).await, ErrorCode::Fenced);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_lanes_are_leased_the_next_has_to_wait() {
    let mut world = World::new(3);
    let running = world.start().await;
    let lanes = u128::from(Lane::COUNT);
    let mut holders = Vec::new();
    for start in 1..=lanes + 1 {
        let node = node_start("p1", 11, &[start - 1], start);
        let holder = running.node(node).await;
        let leased = running.ask(lease(holder, LogicalClock(0))).await;
        match leased {
            Ok(Answer::Lane(grant)) => holders.push((holder, grant)),
            refused => {
                assert_eq!(start, lanes + 1);
                let message = running.refused(refused, ErrorCode::LanesExhausted);
                assert!(message.contains("free in 600000 ms"), "{message}");
                world.later(TERM_MS);
                let grant = granted(&running, lease(holder, LogicalClock(0))).await;
                assert_eq!((grant.lane, grant.from), (holders[0].1.lane, holders[0].1.to));
            }
        }
    }
    assert_eq!(holders.len() as u128, lanes);
    running.stop().await;
}
