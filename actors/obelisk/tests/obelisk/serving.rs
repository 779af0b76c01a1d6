//! The link's side, limits, and what people see.

use crate::world::World;
use pyralog_cluster::Service;
use pyralog_env::WallMillis;
use pyralog_env::sim::SimClock;
use pyralog_model::{CounterMode, CounterNumber, ErrorCode, SessionId};
use pyralog_obelisk::{LinkService, ObeliskHandle, ObeliskLimits};
use pyralog_pharaoh::{Answer, Ask, Request, decode_outcome, encode_request};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn peers_are_answered_in_bytes_whatever_they_send() {
    let mut world = World::new(1);
    let running = world.start().await;
    let service = LinkService::new(running.handle.clone());
    let echo = service.call(encode_request(&Request::Echo(vec![1, 2, 3]))).await;
    assert_eq!(decode_outcome(&echo), Ok(Answer::Echo(vec![1, 2, 3])));
    let session = service.call(encode_request(&Request::Session)).await;
    assert_eq!(decode_outcome(&session), Ok(Answer::Session(SessionId(1))));
    let good = encode_request(&Request::LeaseLane {
        node: pyralog_model::NodeNumber(1),
        incarnation: pyralog_model::Incarnation(1),
        floor: pyralog_model::LogicalClock(u64::MAX),
    });
    for at in 0..good.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            let _ = decode_outcome(&service.call(bytes).await);
        }
        let cut = service.call(good[..at].to_vec()).await;
        running.refused(decode_outcome(&cut), ErrorCode::RequestInvalid);
    }
    let long = service.call(vec![0; 1 << 20]).await;
    running.refused(decode_outcome(&long), ErrorCode::RequestInvalid);
    assert_eq!(running.session().await, 2);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_actors_it_says_so_and_too_much_is_refused() {
    let clock = Arc::new(SimClock::new(WallMillis(0)));
    let nobody = ObeliskHandle::new(clock, ObeliskLimits::default());
    // A counter that is not known yet may be there all the same.
    let (counter, mode) = (CounterNumber::FIRST_OF_USERS, CounterMode::Exact);
    let of_counters = [
        Request::Claim { counter, count: 1 },
        Request::Value(counter),
        Request::CreateCounter { name: "a".parse().unwrap(), mode },
    ];
    let others = [Request::Session, Request::Status, Request::Ids(1)];
    for request in others.into_iter().chain(of_counters) {
        let refused = nobody.ask(request).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
    }
    let mut world = World::new(2);
    world.limits.requests_max = 0;
    let running = world.start().await;
    running.refused(running.ask(Request::Session).await, ErrorCode::Overloaded);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_actor_can_be_seen() {
    let mut world = World::new(3);
    let running = world.start().await;
    let counter = running.counter("a", CounterMode::Exact).await;
    running.claim(counter, 7).await;
    running.session().await;
    running.epoch(2).await;
    running.ids(5).await;
    let Ok(Answer::Status(status)) = running.ask(Request::Status).await else { panic!() };
    let seen = (status.counters, status.sessions, status.epoch_labels, status.lanes_leased);
    assert_eq!(seen, (1, 1, 2, 1));
    assert_eq!((status.node, status.index), (running.own().node, running.directory().last_index()));
    for (path, name, value) in [
        ("arena", "counters_active", 4),
        ("arena", "incarnation", 1),
        ("directory", "counters", 1),
        ("directory", "nodes", 1),
        ("services/sessions", "value", 1),
        ("services/epochs", "value", 2),
        ("services/counters", "values_issued", 7),
        ("services/lanes", "lanes_leased", 1),
        ("services/scarab", "ids_issued", 5),
    ] {
        let path = format!("pyralog/obelisk/{path}");
        assert_eq!(running.detail(&path, name).await, value, "{path} {name}");
    }
    running.stop().await;
}
