//! `pyralog log`, `produce` and `consume`: records in and out.

use crate::process::{Node, pyralog};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn logs_are_made_listed_described_and_deleted() {
    let node = Node::dev(&[]);
    assert!(node.good(&["log", "list"]).contains("no logs"));
    let checked = node.good(&["log", "create", "flights", "--partitions", "3", "--validate-only"]);
    assert!(checked.contains("could be made"), "{checked}");
    let create = ["log", "create", "flights", "--set", "segment.bytes=10MB"];
    let checked = json(&node.good(&[&create[..], &["--validate-only", "-o", "json"]].concat()));
    assert_eq!((&checked["name"], &checked["number"]), (&"flights".into(), &Value::Null));
    assert!(checked["settings"].to_string().contains("10000000"), "{checked}");
    assert!(checked.get("partitions").is_none() && checked.get("topic_id").is_none(), "{checked}");
    assert!(node.good(&["log", "list"]).contains("no logs"));

    node.good(&["log", "create", "flights", "--partitions", "3", "--set", "segment.bytes=1000000"]);
    node.bad(&["log", "create", "flights"], 1, &["log-exists"]);
    node.bad(&["log", "create", "../etc"], 1, &["log-name-invalid"]);
    node.bad(&["log", "create", "__mine"], 1, &["log-name-invalid"]);
    node.bad(
        &["log", "create", "x", "--set", "segmnt.bytes=1"],
        1,
        &["setting-invalid", "did you mean 'segment.bytes'?"],
    );
    node.bad(&["log", "create", "x", "--partitions", "0"], 1, &["partitions-invalid"]);
    node.bad(&["log", "create", "x", "--replication-factor", "3"], 1, &["replication-invalid"]);

    let list = json(&node.good(&["log", "list", "-o", "json"]));
    assert_eq!(
        (list[0]["name"].as_str(), list[0]["partition_count"].as_u64()),
        (Some("flights"), Some(3))
    );
    let log = json(&node.good(&["log", "describe", "flights", "-o", "json"]));
    assert_eq!(log["partitions"].as_array().unwrap().len(), 3);
    let segment_bytes =
        log["settings"].as_array().unwrap().iter().find(|row| row["key"] == "segment.bytes");
    assert_eq!(segment_bytes.unwrap()["value"], "1000000");
    node.bad(&["log", "describe", "fligths"], 3, &["log-not-found", "did you mean 'flights'?"]);
    assert!(node.good(&["log", "delete", "flights"]).contains("deleted flights"));
    node.bad(&["log", "delete", "flights"], 3, &["log-not-found"]);
}

#[test]
fn records_go_in_and_come_out() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "words", "--partitions", "4"]);
    let input: String =
        (0..5_000).map(|index| format!("key-{}:value-{index}\n", index % 100)).collect();
    let reply = json(
        &node.fed(&["produce", "words", "--key-separator", ":", "-o", "json"], input.as_bytes()),
    );
    assert_eq!(reply["records"], 5_000);
    assert_eq!(reply["partitions"][0]["durability"], "fsync");

    let lines = node.good(&["consume", "words", "--until-end", "--format", "json"]);
    let records: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(records.len(), 5_000);
    // One key, one partition, in order.
    let of_key =
        |key: &str| records.iter().filter(|record| record["key"] == key).collect::<Vec<_>>();
    let (first, partition) = (of_key("key-7"), &of_key("key-7")[0]["partition"]);
    assert!(first.iter().all(|record| &record["partition"] == partition));
    let values: Vec<_> =
        first.iter().map(|record| record["value"].as_str().unwrap().to_owned()).collect();
    assert_eq!(values, (0..50).map(|turn| format!("value-{}", turn * 100 + 7)).collect::<Vec<_>>());

    let partition = partition.to_string();
    let tail = node.good(&[
        "consume",
        "words",
        "--partition",
        &partition,
        "--from",
        "3",
        "--limit",
        "2",
        "--format",
        "json",
    ]);
    let offsets: Vec<_> = tail.lines().map(|line| json(line)["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [3, 4]);
    node.bad(
        &["consume", "words", "--from", "999999", "--partition", "0"],
        1,
        &["offset-out-of-range"],
    );
    node.bad(&["consume", "words", "--partition", "4"], 3, &["partition-not-found"]);
    node.bad(&["consume", "wrods"], 3, &["did you mean 'words'?"]);
    node.bad(&["produce", "wrods"], 3, &["did you mean 'words'?"]);
}

#[test]
fn bytes_that_are_no_text_survive() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "bytes"]);
    node.fed(&["produce", "bytes"], b"\xff\xfe\n\nplain\0\n");
    let output = pyralog(&node.asked(&["consume", "bytes", "--until-end"])).output().unwrap();
    assert_eq!(output.stdout, b"\xff\xfe\n\nplain\0\n");
    let line = node.good(&["consume", "bytes", "--limit", "1", "-o", "json"]);
    assert_eq!(json(&line)["value"]["base64"], "//4=");
}

#[test]
fn consume_waits_for_more_and_ends_quietly_when_nobody_reads() {
    let node = Node::dev(&[]);
    node.good(&["log", "create", "live"]);
    let mut consume = pyralog(&node.asked(&["consume", "live"]));
    let mut child = consume.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    node.fed(&["produce", "live"], b"first\n");
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    // The reader leaves, as `head` does; the next record finds nobody.
    drop(out);
    node.fed(&["produce", "live"], b"second\n");
    let status = child.wait().unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(status.success() && errors.is_empty(), "{status} {errors}");
}

#[test]
fn logs_are_altered() {
    let node = Node::dev(&[]);
    let schema = ["--schema", "carrier TEXT, Delay BIGINT"];
    let checked = json(&node.good(
        &[&["log", "create", "flights", "--validate-only", "-o", "json"], &schema[..]].concat(),
    ));
    assert_eq!(checked["schema"]["text"], "carrier TEXT, delay BIGINT");
    node.good(&[&["log", "create", "flights", "--partitions", "2"], &schema[..]].concat());
    node.bad(&["log", "create", "x", "--schema", "a TEXTT"], 1, &["schema-invalid", "TEXTT"]);

    let wider = node.home.path().join("wider.sql");
    std::fs::write(&wider, "carrier TEXT, -- two letters\ndelay BIGINT, day DATE\n").unwrap();
    let alter = ["log", "alter", "flights"];
    let altered = |more: &[&str]| node.good(&[&alter[..], more].concat());
    let refused = |more: &[&str], code: i32, parts: &[&str]| {
        node.bad(&[&alter[..], more].concat(), code, parts);
    };
    let wider = format!("@{}", wider.display());
    let all = ["--schema", &wider, "--set", "segment.bytes=2MB", "--partitions", "5"];
    assert!(altered(&[&all[..], &["--validate-only"]].concat()).contains("could be changed"));
    let described = || json(&node.good(&["log", "describe", "flights", "-o", "json"]));
    assert_eq!(described()["schema"]["version"], 1);
    // One part that cannot be, and none of it is.
    let narrower = ["--schema", "carrier TEXT", "--partitions", "5"];
    refused(&narrower, 1, &["schema-invalid", "only grows at its end", "log describe"]);
    refused(&["--set", "segment.bytes=3MB", "--partitions", "1"], 1, &["partitions-invalid"]);
    assert_eq!(described()["partitions"].as_array().unwrap().len(), 2);

    let said = altered(&all);
    assert!(said.contains("segment.bytes = 2000000, schema version 2, 5 partitions"), "{said}");
    let log = described();
    assert_eq!(log["schema"]["text"], "carrier TEXT, delay BIGINT, day DATE");
    assert_eq!(log["partitions"].as_array().unwrap().len(), 5);
    let shown = node.good(&["log", "describe", "flights"]);
    assert!(shown.contains("schema version 2") && shown.contains("DATE"), "{shown}");
    let said = altered(&["--unset", "segment.bytes"]);
    assert!(!said.contains("= 2000000"), "{said}");

    refused(&[], 2, &["nothing is to be changed"]);
    let slip = ["--set", "segmnt.bytes=1"];
    refused(&slip, 1, &["setting-invalid", "did you mean 'segment.bytes'?"]);
    refused(&["--set", "segment.bytes=2MB", "--unset", "segment.bytes"], 1, &["request-invalid"]);
    node.bad(&["log", "alter", "fligths", "--partitions", "9"], 3, &["did you mean 'flights'?"]);
}
