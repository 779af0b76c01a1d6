//! Counters, sessions and labels: no value twice, whatever happens to the
//! Obelisk; exact after a clean stop. Judged by what was handed out.

use crate::world::{PATIENCE, Running, World};
use pyralog_model::{CounterMode, CounterNumber, ErrorCode};
use pyralog_pharaoh::{Answer, Ask, CLAIM_MAX, Request};
use pyralog_store::Health;
use std::collections::BTreeSet;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn counters_go_on_exactly_after_a_clean_stop() {
    let mut world = World::new(1);
    let running = world.start().await;
    let exact = running.counter("orders", CounterMode::Exact).await;
    let leased = running.counter("lines", CounterMode::Leased).await;
    assert_eq!((exact.0, leased.0), (16, 17));
    assert_eq!(running.counter("orders", CounterMode::Exact).await, exact, "it is there");
    let other =
        Request::CreateCounter { name: "orders".parse().unwrap(), mode: CounterMode::Leased };
    running.refused(running.ask(other).await, ErrorCode::CounterExists);
    assert_eq!(running.value(exact).await.value, 0);
    assert_eq!(running.claim(exact, 1).await, 1);
    assert_eq!(running.claim(exact, 250).await, 2, "more than a block");
    assert_eq!(running.claim(leased, 1_000_000).await, 1);
    let view = running.value(exact).await;
    assert!(view.value == 251 && view.durable_bound >= 251, "{view:?}");
    assert_eq!(running.epoch(5).await, 1);
    running.stop().await;
    let running = world.start().await;
    assert_eq!(running.value(exact).await.value, 251);
    assert_eq!(running.claim(exact, 1).await, 252);
    assert_eq!(running.claim(leased, 1).await, 1_000_001);
    assert_eq!(running.epoch(1).await, 6);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_handed_out_twice_over_stops_kills_and_cuts() {
    let mut world = World::new(2);
    let mut values = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut running = world.start().await;
    let exact = running.counter("exact", CounterMode::Exact).await;
    let leased = running.counter("leased", CounterMode::Leased).await;
    for round in 0..60_u64 {
        for step in 0..12_u64 {
            values[0].push((running.claim(exact, 1).await, 1));
            let count = 1 + (round * 7 + step * 13) % 90;
            values[1].push((running.claim(leased, count as u32).await, count));
            values[2].push((running.session().await, 1));
            values[3].push((running.epoch(3).await, 3));
            let victim = match (round % 6, step) {
                (0, 6) => "pyralog/obelisk/arena",
                (1, 6) => "pyralog/obelisk/directory",
                (2, 6) => "pyralog/obelisk/services/counters",
                (3, 6) => "pyralog/obelisk/services/sessions",
                _ => continue,
            };
            running.tree.kill(victim).await.unwrap();
        }
        let before = values[0].last().unwrap().0;
        // A kill of the arena in this round was an unclean end of its own.
        match round % 3 {
            0 => running.stop().await,
            1 => world.cut(running, round),
            _ => world.kill(running),
        }
        // Enough for the supervisors to forget.
        world.later(60_000);
        running = world.start().await;
        let view = running.value(exact).await;
        match round % 3 {
            0 => assert_eq!(view.value, before, "round {round}: exact after a clean stop"),
            _ => assert!(view.value >= before && view.value <= before + 200, "round {round}"),
        }
    }
    running.stop().await;
    for (kind, values) in values.iter().enumerate() {
        assert!(values.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_claim_at_once_and_share_syncs() {
    let mut world = World::new(3);
    world.arena.fsync_on_increment = true;
    let running = world.start().await;
    let counter = running.counter("a", CounterMode::Exact).await;
    assert_eq!(running.claim(counter, 1).await, 1);
    let raises_before = running.detail("pyralog/obelisk/arena", "raises").await;
    let claims = (0..500).map(|_| {
        let handle = running.handle.clone();
        tokio::spawn(async move {
            match handle.ask(Request::Claim { counter, count: 2 }).await {
                Ok(Answer::Claimed(first)) => first,
                other => panic!("{other:?}"),
            }
        })
    });
    let mut seen = BTreeSet::new();
    for claim in claims.collect::<Vec<_>>() {
        let first = claim.await.unwrap();
        assert!(seen.insert(first) && seen.insert(first + 1), "{first} twice");
    }
    assert_eq!(seen, (2..=1_001).collect(), "each increment is synced: no gaps");
    let raises = running.detail("pyralog/obelisk/arena", "raises").await - raises_before;
    assert!(raises < 400, "{raises} syncs for 500 claims");
    world.cut(running, 5);
    let running = world.start().await;
    assert_eq!(running.claim(counter, 1).await, 1_002);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_claims_are_refused() {
    let mut world = World::new(4);
    let running = world.start().await;
    let counter = running.counter("a", CounterMode::Exact).await;
    for (counter, count, code) in [
        (counter, 0, ErrorCode::RequestInvalid),
        (counter, CLAIM_MAX + 1, ErrorCode::RequestInvalid),
        (CounterNumber(17), 1, ErrorCode::CounterNotFound),
        (CounterNumber::SESSIONS, 1, ErrorCode::CounterNotFound),
        (CounterNumber(u64::MAX), 1, ErrorCode::CounterNotFound),
    ] {
        let refused = running.ask(Request::Claim { counter, count }).await;
        running.refused(refused, code);
    }
    assert_eq!(running.value(CounterNumber::SESSIONS).await.value, 0);
    let unknown = running.ask(Request::Value(CounterNumber(99))).await;
    running.refused(unknown, ErrorCode::CounterNotFound);
    let own =
        Request::CreateCounter { name: "sessions".parse().unwrap(), mode: CounterMode::Exact };
    running.refused(running.ask(own).await, ErrorCode::CounterNameInvalid);
    assert_eq!(running.claim(counter, CLAIM_MAX).await, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_counters_than_are_at_hand() {
    let mut world = World::new(5);
    world.arena.file_bytes = 1 << 23;
    let running = world.start().await;
    let mut counters = Vec::new();
    for number in 0..300 {
        counters.push(running.counter(&format!("c{number}"), CounterMode::Exact).await);
    }
    for round in 0..3 {
        for counter in &counters {
            assert_eq!(running.claim(*counter, 1).await, round + 1);
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_is_final() {
    let mut world = World::new(6);
    let running = world.start().await;
    let counter = running.counter("a", CounterMode::Exact).await;
    assert_eq!(running.claim(counter, 1).await, 1);
    world.disk.fail_next_sync("arena");
    let refused = running.ask(Request::Claim { counter, count: 1_000 }).await;
    running.refused(refused, ErrorCode::StorageFailed);
    assert!(matches!(running.health.get(), Health::Failed { .. }));
    let refused = running.ask(Request::Claim { counter, count: 1 }).await;
    running.refused(refused, ErrorCode::StorageFailed);
    let sessions = running.ask(Request::Session).await;
    running.refused(sessions, ErrorCode::StorageFailed);
    assert_eq!(running.tree_node("pyralog/obelisk/arena").await.state, "failstop");
    running.stop().await;
    world.later(60_000);
    let running = world.start().await;
    let next = running.claim(counter, 1).await;
    assert!((2..=1_201).contains(&next), "{next}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_counter_fails_nobody_else() {
    let mut world = World::new(7);
    world.arena.fsync_on_increment = true;
    let running = world.start().await;
    let damaged = running.counter("damaged", CounterMode::Exact).await;
    let sound = running.counter("sound", CounterMode::Exact).await;
    for counter in [damaged, sound] {
        assert_eq!(running.claim(counter, 1).await, 1);
    }
    // Both copies of its bound, in the durable area whose place the header says.
    let arena = Path::new("/data/obelisk/arena");
    let header = world.disk.read_file(arena).unwrap();
    let at = u64::from_le_bytes(header[48..56].try_into().unwrap()) + damaged.0 * 32;
    [0, 1, 4096, 4097].iter().for_each(|byte| world.disk.flip_bit(arena, at + byte, 3).unwrap());
    let claims = (0..200).map(|n| {
        let handle = running.handle.clone();
        let counter = if n % 2 == 0 { damaged } else { sound };
        tokio::spawn(async move { (n, handle.ask(Request::Claim { counter, count: 1 }).await) })
    });
    for claim in claims.collect::<Vec<_>>() {
        match claim.await.unwrap() {
            (n, outcome) if n % 2 == 0 => {
                running.refused(outcome, ErrorCode::StorageCorrupt);
            }
            (_, outcome) => assert!(matches!(outcome, Ok(Answer::Claimed(_))), "{outcome:?}"),
        }
    }
    assert_eq!(running.claim(sound, 1).await, 102);
    running.session().await;
    assert_eq!(running.health.get(), Health::Good);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_elsewhere_in_the_data_directory_ends_all_that_is_issued() {
    let mut world = World::new(8);
    let running = world.start().await;
    let counter = running.counter("a", CounterMode::Exact).await;
    assert_eq!(running.claim(counter, 1).await, 1);
    running.session().await;
    running.ids(10).await;
    running.health.fail("the WAL");
    let victims = ["none", "services/scarab", "services/sessions", "arena", "directory"];
    for victim in victims {
        // They are not started again; the first is no part at all.
        let _ = running.tree.kill(&format!("pyralog/obelisk/{victim}")).await;
        let create =
            Request::CreateCounter { name: "b".parse().unwrap(), mode: CounterMode::Exact };
        for request in [
            Request::Claim { counter, count: 1 },
            Request::Session,
            Request::EpochLabels(1),
            Request::Ids(1),
            create,
        ] {
            stops(&running, victim, request).await;
        }
    }
    drop(running);
}

/// What is issued already may be under way for a moment; it ends for good.
async fn stops(running: &Running, victim: &str, request: Request) {
    let refused = tokio::time::timeout(PATIENCE, async {
        loop {
            match running.ask(request.clone()).await {
                Ok(_) => tokio::task::yield_now().await,
                Err(error) => return error,
            }
        }
    });
    let refused = refused.await;
    let refused = refused.unwrap_or_else(|_| panic!("{victim}: {request:?} goes on"));
    // A command may have come to the disk before the failure did.
    let codes = [ErrorCode::StorageFailed, ErrorCode::Unavailable, ErrorCode::Timeout];
    assert!(codes.contains(&refused.code), "{victim}: {request:?}: {refused}");
    let again = running.ask(request.clone()).await;
    assert!(again.is_err(), "{victim}: {request:?}: {again:?}");
}
