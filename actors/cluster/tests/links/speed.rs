//! What a link costs, printed.

use super::node::Node;
use std::io::Write;
use std::time::Duration;

#[test]
fn a_call_is_fast_and_an_idle_link_costs_nothing() {
    let mut obelisk = Node::start(1);
    let mut pyramid = Node::start(2);
    let there = obelisk.address.clone();
    pyramid.link(&there);
    pyramid.ask(&format!("bench {there} 500"));
    let speed = pyramid.ask(&format!("bench {there} 5000"));
    let (median, high) = speed.split_once(' ').unwrap();
    let before = (obelisk.cpu(), pyramid.cpu());
    std::thread::sleep(Duration::from_secs(10));
    let idle = ((obelisk.cpu() - before.0) / 10, (pyramid.cpu() - before.1) / 10);
    let text = format!(
        "link: echo of 64 B p50 {median} µs, p99 {high} µs; idle {:?} and {:?} of processor a second\n",
        idle.0, idle.1
    );
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    assert!(median.parse::<u64>().unwrap() < 10_000, "{speed}");
    assert!(idle.0 + idle.1 < Duration::from_millis(40), "{text}");
    assert_eq!(obelisk.ask("panics"), "0");
}
