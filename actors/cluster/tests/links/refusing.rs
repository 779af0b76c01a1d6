//! Nodes that do not get on.

use super::node::{Node, Settings};

#[test]
fn strangers_are_refused_with_a_reason() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let strangers = [
        (Settings { cookie: 8, ..Settings::of(2) }, "refused WrongCookie"),
        (Settings { cluster: 8, ..Settings::of(3) }, "refused OtherCluster"),
        (Settings { boot: 5, ..Settings::of(1) }, "refused SameStore"),
    ];
    for (settings, reason) in strangers {
        let mut stranger = settings.start();
        stranger.ask(&format!("dial {there}"));
        assert_eq!(stranger.ask(&format!("await {there} refused")), reason);
        assert_eq!(stranger.ask(&format!("call {there} 1 1 1000")), "Down");
        assert_eq!(stranger.ask("panics"), "0");
    }
    assert_eq!(obelisk.ask("rows"), "");
    let mut friend = Node::start(4);
    friend.link(&there);
}

#[test]
fn a_node_that_dials_itself_notices() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    obelisk.ask(&format!("dial {there}"));
    assert_eq!(obelisk.ask(&format!("await {there} refused")), "refused Itself");
    assert_eq!(obelisk.ask("rows"), "");
}

#[test]
fn another_service_at_the_address_is_no_peer() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let there = other.local_addr().unwrap().to_string();
    let mut pyramid = Node::start(2);
    pyramid.ask(&format!("dial {there}"));
    for _ in 0..3 {
        use std::io::Write;
        let (mut stream, _) = other.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    }
    assert_eq!(pyramid.ask(&format!("await {there} connecting")), "connecting");
    let detail = pyramid.ask(&format!("detail root/links/peers/to-{there}"));
    assert!(detail.contains("address that of another service"), "{detail}");
}
