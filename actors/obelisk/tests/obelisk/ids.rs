//! Ids minted by the Obelisk: unique, increasing, over everything.

use crate::world::{Running, World};
use pyralog_model::{CounterNumber, ErrorCode, Lane, LogicalClock, ScarabId};
use pyralog_pharaoh::{Answer, Request};

async fn after(running: &Running, after: Option<ScarabId>) -> ScarabId {
    match running.ask_until_served(Request::CausalTimestamp { after }).await {
        Ok(Answer::Ids(id)) => id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_increase_over_stops_kills_cuts_and_a_wild_clock() {
    let mut world = World::new(1);
    let mut running = world.start().await;
    let mut last = ScarabId(0);
    for round in 0..30_u64 {
        for step in 0..10_u64 {
            let count = 1 + (step * 37 + round) as u32 % 5_000;
            let first = running.ids(count).await;
            assert!(first > last, "round {round} step {step}: {last} and then {first}");
            last = first.nth(u64::from(count) - 1);
            world.later(1 + step * 300);
            if step == 5 && round % 3 == 0 {
                let victim = ["services/scarab", "services/lanes", "directory", "arena"];
                let victim = victim[(round / 3 % 4) as usize];
                running.tree.kill(&format!("pyralog/obelisk/{victim}")).await.unwrap();
                // A new keeper goes on at the bound, up to two seconds ahead.
                world.later(3_000);
            }
        }
        match round % 3 {
            0 => running.stop().await,
            1 => world.cut(running, round),
            _ => world.kill(running),
        }
        world.clock.jump_wall(
            [86_400_000, -86_400_000, -86_400_000, 86_400_000, -7][(round % 5) as usize],
        );
        world.later(60_000);
        running = world.start().await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_is_later_than_what_was_seen() {
    let mut world = World::new(2);
    let running = world.start().await;
    let first = after(&running, None).await;
    let second = after(&running, Some(first)).await;
    assert!(second > first && second.clock() > first.clock());
    let soon = ScarabId::compose(second.clock().plus_ms(500), second.lane());
    let third = after(&running, Some(soon)).await;
    assert!(third.clock() > soon.clock());
    // Of two ids of one millisecond that of the greater lane is the greater one.
    let greatest = ScarabId::compose(third.clock(), Lane::new(1023).unwrap());
    assert!(after(&running, Some(greatest)).await > greatest);
    for far in [second.clock().plus_ms(2_000), LogicalClock::MAX] {
        let seen = Some(ScarabId::compose(far, second.lane()));
        let refused = running.ask(Request::CausalTimestamp { after: seen }).await;
        running.refused(refused, ErrorCode::ClockAhead);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_tallied_and_the_lane_is_given_back() {
    let mut world = World::new(3);
    let running = world.start().await;
    for count in [1, 10, 100_000] {
        running.ids(count).await;
    }
    for count in [0, u32::MAX] {
        let refused = running.ask(Request::Ids(count)).await;
        running.refused(refused, ErrorCode::RequestInvalid);
    }
    assert_eq!(running.detail("pyralog/obelisk/services/scarab", "ids_issued").await, 100_011);
    assert_eq!(running.directory().lanes().filter(|lane| lane.holder.is_some()).count(), 1);
    running.stop().await;
    let running = world.start().await;
    assert_eq!(running.value(CounterNumber::SCARABS).await.value, 100_011);
    assert_eq!(running.directory().lanes().filter(|lane| lane.holder.is_some()).count(), 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_goes_on_as_long_as_ids_are_asked_for() {
    let mut world = World::new(4);
    let running = world.start().await;
    let mut last = ScarabId(0);
    for _ in 0..40 {
        let id = running.ids(1).await;
        assert!(id > last);
        last = id;
        world.later(100_000);
    }
    // Long after the lease has ended.
    world.later(10_000_000);
    assert!(running.ids(1).await > last);
    running.stop().await;
}
