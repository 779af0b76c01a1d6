//! `pyralog bench`: the figures agree with what was stored.

use crate::process::{Node, bad, good};
use serde_json::Value;

fn bench(arguments: &[&str]) -> Value {
    serde_json::from_str(&good(&[&["bench"], arguments, &["-o", "json"]].concat())).unwrap()
}

#[test]
fn what_was_acknowledged_can_be_fetched_and_verifies() {
    let node = Node::dev(&[]);
    let address = ["--bootstrap", &node.kafka];
    bad(
        &[&["bench", "produce"], &address[..]].concat(),
        3,
        &["pyralog log create bench --partitions 1"],
    );
    node.good(&["log", "create", "bench", "--partitions", "3"]);
    let load = ["--partitions", "3", "--connections", "2", "--in-flight", "3"];
    let size = ["--record-bytes", "100", "--batch-bytes", "20000", "--total-bytes", "1000000"];
    let produced = bench(&[&["produce"], &address[..], &load[..], &size[..]].concat());
    let read =
        bench(&[&["consume"], &address[..], &["--partitions", "3", "--connections", "2"]].concat());
    assert!(produced["records"].as_u64().unwrap() > 8_000, "{produced}");
    assert_eq!((&produced["records"], &produced["bytes"]), (&read["records"], &read["bytes"]));
    assert!(produced["latency_ms"]["p99"].as_f64().unwrap() > 0.0);
    assert!(produced["machine"]["cores"].as_u64().unwrap() > 0);
    bad(
        &[&["bench", "consume"], &address[..], &["--partitions", "4"]].concat(),
        3,
        &["has 3 partitions, not 4"],
    );
    node.stop();
}

#[test]
fn the_disk_is_measured_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let disk = bench(&["disk", "--dir", path, "--write-bytes", "4096", "--total-bytes", "40960"]);
    assert_eq!((disk["operations"].as_u64(), disk["bytes"].as_u64()), (Some(10), Some(40_960)));
    assert!(disk["machine"]["filesystem"].is_string());
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0);
}

#[test]
fn ids_and_counters_are_measured_without_a_node() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let small = ["--values", "100000", "--increments", "250000"];
    let counters = bench(&[&["counters", "--dir", path], &small[..]].concat());
    let figure = |name: &str| counters["figures"][name].as_f64().unwrap();
    assert!(figure("leased_value_ns") > 0.0 && figure("arena_increment_ns") > 0.0, "{counters}");
    assert!(figure("arena_raises_count") >= 3.0, "{counters}");
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0);
}

#[test]
fn an_obelisk_in_another_process_is_measured_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let link = bench(&["link", "--dir", path, "--round-trips", "100"]);
    let figure = |name: &str| link["figures"][name].as_f64().unwrap();
    assert!(figure("echo_p50_ms") > 0.0 && figure("lease_to_echo_ratio") > 0.0, "{link}");
    assert!(figure("lane_p50_ms") > 0.0, "{link}");
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0);
}
