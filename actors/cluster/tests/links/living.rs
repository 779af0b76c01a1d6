//! Nodes that fall and rise.

use super::node::{Node, Settings};
use std::time::{Duration, Instant};

#[test]
fn a_peer_that_dies_comes_back_under_the_same_handle() {
    let obelisk = Node::start(1);
    let (there, port) = (obelisk.address.clone(), obelisk.port());
    let mut pyramid = Node::start(2);
    pyramid.link(&there);
    obelisk.kill();
    assert_eq!(pyramid.ask(&format!("await {there} connecting")), "connecting");
    assert_eq!(pyramid.ask(&format!("call {there} 1 1 5000")), "Down");
    let obelisk = Settings { boot: 2, port, ..Settings::of(1) }.start();
    assert_eq!(pyramid.link(&there), "up 1 2 7 1", "the next start of it");
    assert_eq!(pyramid.ask(&format!("call {there} 1 1 5000")), "ok 1");
    obelisk.kill();
}

#[test]
fn a_frozen_peer_is_silent_until_it_is_heard() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let mut pyramid = Node::start(2);
    pyramid.link(&there);
    obelisk.signal("STOP");
    #[allow(clippy::disallowed_methods, reason = "a real process on a real clock")]
    let frozen = Instant::now();
    let silent = pyramid.ask(&format!("await {there} silent"));
    let took = frozen.elapsed();
    assert!(silent.starts_with("silent 1"), "{silent}");
    assert!(took > Duration::from_millis(1_000) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(pyramid.ask(&format!("call {there} 1 1 5000")), "Down");
    obelisk.signal("CONT");
    assert!(pyramid.ask(&format!("await {there} up")).starts_with("up 1"));
    assert_eq!(pyramid.ask(&format!("call {there} 1 1 5000")), "ok 1");
    // The same link: it was never cut.
    assert_eq!(obelisk.ask("rows"), "2/in/2");
}

#[test]
fn a_peer_frozen_for_long_is_dialled_anew() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let mut pyramid = Node::start(2);
    pyramid.link(&there);
    obelisk.signal("STOP");
    // Ten seconds without a byte end the link, whatever the kernel still takes.
    assert_eq!(pyramid.ask(&format!("await {there} connecting")), "connecting");
    obelisk.signal("CONT");
    pyramid.link(&there);
    assert_eq!(pyramid.ask(&format!("call {there} 1 1 5000")), "ok 1");
    obelisk.ask_until("rows", |rows| rows == "2/in/2");
}

#[test]
fn every_actor_can_be_killed() {
    let mut obelisk = Node::start(1);
    let there = obelisk.address.clone();
    let mut pyramid = Node::start(2);
    pyramid.link(&there);
    let works = format!("call {there} 1 1 1000");
    for round in 0..2 {
        let tree = pyramid.ask("tree");
        let paths = tree.split(' ').filter(|path| path.starts_with("root/links/"));
        assert!(paths.clone().count() >= 6, "{tree}");
        for path in paths {
            assert_eq!(pyramid.ask(&format!("kill {path}")), "Ok(())", "{round} {path}");
            pyramid.ask_until("tree", |tree| tree.contains(path));
            pyramid.ask_until(&works, |answer| answer == "ok 1");
        }
        let tree = obelisk.ask("tree");
        for path in tree.split(' ').filter(|path| path.starts_with("root/links/")) {
            assert_eq!(obelisk.ask(&format!("kill {path}")), "Ok(())", "{round} {path}");
            pyramid.ask_until(&works, |answer| answer == "ok 1");
            pyramid.link(&there);
            // What comes next in the list may have gone with it.
            obelisk.ask_until("tree", |now| {
                tree.split(' ').all(|path| path.contains("/from-") || now.contains(path))
            });
            if path.contains("/peers") || path.contains("/server") {
                break;
            }
        }
    }
    assert_eq!((obelisk.ask("panics"), pyramid.ask("panics")), ("0".into(), "0".into()));
}
