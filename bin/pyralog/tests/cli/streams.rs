//! Streams whose end nobody asked for: the node stops or dies, or the log is
//! deleted. What was acknowledged is said every time.

use crate::process::{Node, poll, pyralog};
use std::io::{Read, Write};
use std::process::{Child, Stdio};

/// A `produce` that has had ten records acknowledged and waits for more; its
/// standard input stays open.
fn producing(node: &Node) -> Child {
    node.good(&["log", "create", "flights"]);
    let mut command = pyralog(&node.asked(&["produce", "flights"]));
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all("on time\n".repeat(10).as_bytes()).unwrap();
    poll("the records to be there", || {
        let there = node.good(&["consume", "flights", "--until-end"]).lines().count();
        (there == 10).then_some(())
    });
    child
}

fn consuming(node: &Node) -> Child {
    let mut command = pyralog(&node.asked(&["consume", "flights"]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut records = vec![0; "on time\n".len() * 10];
    child.stdout.as_mut().unwrap().read_exact(&mut records).unwrap();
    child
}

#[track_caller]
fn ends(mut child: Child, code: i32, parts: &[&str]) {
    let status = poll("the command to end", || child.try_wait().unwrap());
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(status.code(), Some(code), "{error}");
    for part in parts {
        assert!(error.contains(part), "{part:?} is missing from: {error}");
    }
}

#[test]
fn an_orderly_stop_ends_streams_with_a_reason_and_a_count() {
    let mut node = Node::dev(&[]);
    let (produce, consume) = (producing(&node), consuming(&node));
    node.signal("TERM");
    let stopping = ["the node is stopping", "(unavailable)"];
    ends(consume, 4, &stopping);
    ends(produce, 4, &[&stopping[..], &["10 records were acknowledged before that"]].concat());
    assert!(node.wait().success(), "{}", node.errors());
}

#[test]
fn a_node_that_dies_leaves_the_rest_unknown() {
    let mut node = Node::dev(&[]);
    let produce = producing(&node);
    node.signal("KILL");
    node.wait();
    ends(produce, 4, &["at least ", " acknowledged; the rest is unknown"]);
}

#[test]
fn a_log_deleted_under_its_streams_is_named() {
    let node = Node::dev(&[]);
    let (mut produce, consume) = (producing(&node), consuming(&node));
    node.good(&["log", "delete", "flights"]);
    let deleted = "log 'flights' was deleted";
    ends(consume, 3, &[deleted]);
    produce.stdin.as_mut().unwrap().write_all(b"too late\n").unwrap();
    ends(produce, 3, &[deleted, "10 records were acknowledged before that"]);
}

#[test]
fn a_line_that_no_server_takes_is_not_sent() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "flights"]);
    let input = format!("first\nsecond\n{}\nnever\n", "x".repeat(30_000_000));
    let path = node.home.path().join("input");
    std::fs::write(&path, input).unwrap();
    let produce = ["produce", "flights", path.to_str().unwrap()];
    node.bad(&produce, 1, &["line 3:", "(record-too-large)", "2 records before it were appended"]);
    assert_eq!(node.good(&["consume", "flights", "--until-end"]), "first\nsecond\n");
    // One that only the log refuses, while much more is on its way.
    std::fs::write(&path, format!("{}\n", "x".repeat(2_000_000)).repeat(8)).unwrap();
    node.bad(&produce, 1, &["line 1:", "max.message.bytes", "(record-too-large)"]);
}
