//! `pyralog id` and `pyralog counter`.

use crate::process::{Node, bad, good};
use serde_json::Value;

#[test]
fn an_id_is_taken_apart_without_a_server() {
    // Millisecond 1, lane 5, sequence 3.
    let id = (1_u64 << 23 | 5 << 13 | 3).to_string();
    let table = good(&["id", "decode", &id]);
    for part in ["2025-01-01T00:00:00.001Z", "lane      5", "sequence  3"] {
        assert!(table.contains(part), "{part:?} is missing from: {table}");
    }
    let parts: Value = serde_json::from_str(&good(&["id", "decode", &id, "-o", "json"])).unwrap();
    assert_eq!(
        (&parts["id"], &parts["unix_ms"], &parts["in_the_future"]),
        (&id.as_str().into(), &1_735_689_600_001_u64.into(), &false.into())
    );
    assert!(good(&["id", "decode", "18446744073709551615"]).contains("probably no Scarab id"));
    bad(&["id", "decode", "0"], 2, &["no Scarab id", "no id"]);
    bad(&["id", "decode", "18446744073709551616"], 2, &["64 bits"]);
    bad(&["id", "decode", "12ab"], 2, &["decimal digits"]);
    bad(&["id", "--count", "0"], 2, &["--count"]);
    bad(&["counter", "create", "c", "--mode", "exactly"], 2, &["expected 'exact' or 'leased'"]);
}

#[test]
fn both_tiers_in_one_process_give_ids_and_count() {
    let node = Node::dev(&[]);
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&node.good(&[arguments, &["-o", "json"]].concat())).unwrap()
    };
    let ids = json(&["id", "--count", "5"]);
    assert_eq!(ids["ids"].as_array().unwrap().len(), 5, "{ids}");
    let many = node.good(&["id", "--count", "20000"]);
    let many: Vec<u64> = many.lines().map(|line| line.parse().unwrap()).collect();
    assert!(many.len() == 20_000 && many.is_sorted_by(|a, b| a < b));
    assert!(node.good(&["counter", "list"]).contains("no counters"));
    node.good(&["counter", "create", "seats", "--mode", "leased"]);
    node.bad(&["counter", "create", "seats"], 1, &["counter-exists"]);
    let next = json(&["counter", "next", "seats", "--count", "20000"]);
    let number = |name: &str| next[name].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(number("last") - number("first"), 19_999);
    node.bad(&["counter", "next", "saets"], 3, &["counter-not-found", "did you mean 'seats'?"]);
    node.bad(&["counter", "value", "none"], 3, &["counter create none"]);
    node.bad(&["counter", "create", "a b"], 1, &["counter-name-invalid"]);
    assert_eq!(json(&["counter", "list"])[0]["mode"], "leased");
    let status = json(&["status"]);
    assert_eq!(status["obelisks"][0]["up"], true, "{status}");
    assert!(node.good(&["status"]).contains("of the directory"));
    node.stop();
}
