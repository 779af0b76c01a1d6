//! Two nodes that get on well.

use super::node::{Node, Settings};

#[test]
fn a_call_goes_there_and_back() {
    let mut obelisk = Node::start(1);
    let mut pyramid = Node::start(2);
    let there = obelisk.address.clone();
    assert_eq!(pyramid.link(&there), "up 1 1 7 1");
    assert_eq!(pyramid.ask(&format!("call {there} 1 100 5000")), "ok 100");
    assert_eq!(pyramid.ask(&format!("call {there} 1 0 5000")), "ok 0");
    assert_eq!(pyramid.ask(&format!("call {there} 1 1048576 5000")), "ok 1048576");
    assert_eq!(
        pyramid.ask(&format!("call {there} 1 1048577 5000")),
        "TooLarge { bytes: 1048577, bytes_max: 1048576 }"
    );
    assert_eq!(pyramid.ask(&format!("large {there} 1048576")), "ok 1048576");
    assert_eq!(pyramid.ask(&format!("large {there} 1048577")), "Unknown");
    assert_eq!(pyramid.ask(&format!("call {there} 99 1 5000")), "NoSuchService");
    assert_eq!(pyramid.ask(&format!("call {there} 0 1 5000")), "NoSuchService");
    assert_eq!(pyramid.ask(&format!("call {there} 3 1 5000")), "Unknown", "a panic");
    assert_eq!(pyramid.ask(&format!("call {there} 2 1 200")), "Unknown", "a timeout");
    assert_eq!(pyramid.ask(&format!("call {there} 1 100 5000")), "ok 100", "it goes on");
    obelisk.ask_until("rows", |rows| rows == "2/in/2");
    assert_eq!(pyramid.ask("rows"), "1/out/1");
    assert_eq!((obelisk.ask("panics"), pyramid.ask("panics")), ("0".into(), "0".into()));
}

#[test]
fn what_a_node_learns_later_its_peers_learn_too() {
    let mut obelisk = Node::start(1);
    let mut fresh = Settings { cluster: 0, node: 0, ..Settings::of(2) }.start();
    assert_eq!(fresh.link(&obelisk.address), "up 1 1 7 1", "it learns the cluster");
    obelisk.ask_until("rows", |rows| rows == "2/in/0");
    fresh.ask("learn 7 5");
    obelisk.ask_until("rows", |rows| rows == "2/in/5");
}

#[test]
fn nodes_that_dial_each_other_share_one_link() {
    let mut one = Node::start(1);
    let mut two = Node::start(2);
    let (to_one, to_two) = (one.address.clone(), two.address.clone());
    one.ask(&format!("dial {to_two}"));
    two.ask(&format!("dial {to_one}"));
    one.link(&to_two);
    two.link(&to_one);
    assert_eq!(one.ask(&format!("call {to_two} 1 10 5000")), "ok 10");
    assert_eq!(two.ask(&format!("call {to_one} 1 10 5000")), "ok 10");
    for node in [&mut one, &mut two] {
        node.ask_until("rows", |rows| !rows.is_empty() && !rows.contains(' '));
    }
}

#[test]
fn two_names_of_one_node_share_one_link() {
    let obelisk = Node::start(1);
    let mut pyramid = Node::start(2);
    let by_name = format!("localhost:{}", obelisk.port());
    pyramid.link(&obelisk.address);
    pyramid.link(&by_name);
    assert_eq!(pyramid.ask(&format!("call {by_name} 1 10 5000")), "ok 10");
    assert_eq!(pyramid.ask("rows"), "1/out/1");
}

#[test]
fn a_peer_takes_only_so_many_calls_at_once() {
    let obelisk = Node::start(1);
    let mut pyramid = Node::start(2);
    let there = obelisk.address.clone();
    pyramid.link(&there);
    assert_eq!(pyramid.ask(&format!("flood {there} 300 1")), "44", "256 in flight");
    assert_eq!(pyramid.ask(&format!("flood {there} 20 1048576")), "4", "16 MiB in flight");
    assert_eq!(pyramid.ask(&format!("call {there} 1 100 5000")), "ok 100");
}
