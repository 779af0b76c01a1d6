//! `pyralog get` and the path that it asks.

use crate::http::send;
use crate::process::Node;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Four versions of a hundred keys over three partitions.
fn filled(node: &Node) {
    node.good(&["log", "create", "profiles", "--partitions", "3"]);
    let records: String =
        (0..400).map(|n| format!("user {}:version {}\n", n % 100, n / 100)).collect();
    node.fed(&["produce", "profiles", "--key-separator", ":"], records.as_bytes());
}

#[test]
fn the_newest_record_with_a_key_is_found_and_every_other() {
    let node = Node::dev(&[]);
    filled(&node);
    assert_eq!(node.good(&["get", "profiles", "user 7"]), "version 3\n");
    let all = node.good(&["get", "profiles", "user 7", "--all", "-o", "value"]);
    assert_eq!(all, "version 3\nversion 2\nversion 1\nversion 0\n");
    let two = node.good(&["get", "profiles", "user 7", "--all", "--limit", "2", "-o", "json"]);
    let two: Vec<Value> = two.lines().map(json).collect();
    assert_eq!(
        (two.len(), &two[1]["value"], &two[1]["key"]),
        (2, &"version 2".into(), &"user 7".into())
    );
    let (partition, offset) = (two[1]["partition"].to_string(), two[1]["offset"].to_string());
    let older = ["get", "profiles", "user 7", "--partition", &partition, "--before", &offset];
    assert_eq!(node.good(&older), "version 1\n");
    let table = node.good(&["get", "profiles", "user 7", "--all"]);
    assert!(table.contains("OFFSET") && table.lines().count() == 5, "{table}");
    // What came a moment ago is found too.
    node.fed(&["produce", "profiles", "--key-separator", ":"], b"user 7:version 4\na/b %:odd\n");
    assert_eq!(node.good(&["get", "profiles", "user 7"]), "version 4\n");
    assert_eq!(node.good(&["get", "profiles", "a/b %"]), "odd\n");
    assert_eq!(node.good(&["get", "profiles", "YS9iICU=", "--base64"]), "odd\n");
}

#[test]
fn what_is_not_there_is_said() {
    let node = Node::dev(&[]);
    filled(&node);
    node.bad(
        &["get", "profiles", "user 700"],
        3,
        &["no record of log 'profiles' has this key", "key-not-found"],
    );
    node.bad(&["get", "profiles", "user 700", "--all"], 3, &["has this key"]);
    node.bad(&["get", "profles", "user 7"], 3, &["log-not-found", "did you mean 'profiles'?"]);
    node.bad(&["get", "profiles", "k", "--partition", "3"], 3, &["partition-not-found", "0 to 2"]);
    node.bad(&["get", "profiles", "?", "--base64"], 2, &["base64"]);
    node.bad(&["get", "profiles", "k", "--all", "--limit", "0"], 1, &["1 to 10000"]);
    // A deletion is a version, and nothing is found before it is looked behind.
    let path = "/v1/logs/profiles/records";
    let (status, answer) = send(&node, "POST", path, r#"{"key": "user 8", "value": null}"#);
    assert_eq!(status, 200, "{answer}");
    node.bad(
        &["get", "profiles", "user 8"],
        3,
        &["deleted by the record at offset", "key-not-found"],
    );
    let all = node.good(&["get", "profiles", "user 8", "--all"]);
    assert!(all.contains("(deleted)") && all.contains("version 3"), "{all}");
    node.good(&["log", "alter", "profiles", "--set", "pyralog.keys=false"]);
    node.bad(&["get", "profiles", "user 7"], 1, &["key-index-off", "pyralog.keys=true"]);
    node.good(&["log", "alter", "profiles", "--set", "pyralog.keys=true"]);
    assert_eq!(node.good(&["get", "profiles", "user 7"]), "version 3\n");
    node.bad(&["get", "__groups", "user 7"], 3, &["log-not-found"]);
}

#[test]
fn keys_outlive_the_node() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("data");
    let arguments = ["--data-dir", place.to_str().unwrap()];
    let mut node = Node::dev(&arguments);
    filled(&node);
    assert_eq!(node.good(&["get", "profiles", "user 7"]), "version 3\n");
    node.signal("KILL");
    node.wait();
    let node = Node::dev(&arguments);
    assert_eq!(node.good(&["get", "profiles", "user 7"]), "version 3\n");
    node.bad(&["get", "profiles", "user 100"], 3, &["key-not-found"]);
}
