//! `pyralog produce` of CSV and JSON: what is in the file is in the log, field for
//! field, and what is no record is named.

use crate::process::{Node, poll, pyralog};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn write(node: &Node, name: &str, bytes: &[u8]) -> String {
    let path = node.home.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A file of the examples.
fn example(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(name);
    path.to_str().unwrap().to_owned()
}

/// Key and value of every record, in order of the values.
fn records(node: &Node, log: &str) -> Vec<(Value, String)> {
    let lines = node.good(&["consume", log, "--until-end", "-o", "json"]);
    let mut records: Vec<_> = lines
        .lines()
        .map(json)
        .map(|record| (record["key"].clone(), record["value"].as_str().unwrap().to_owned()))
        .collect();
    records.sort_by(|a, b| a.1.cmp(&b.1));
    records
}

#[test]
fn csv_rows_become_documents_with_keys() {
    let node = Node::dev(&[]);
    node.good(&[
        "log",
        "create",
        "planes",
        "--partitions",
        "3",
        "--schema",
        "tail TEXT, seats INT",
    ]);
    let file =
        write(&node, "planes.csv", b"tail,seats,note\n0042,55,\"a \"\"b\"\"\"\nN2,NA,\n,3,\"\"\n");
    let said = node.good(&["produce", "planes", "--csv", &file, "--key", "tail", "--null", "NA"]);
    assert!(said.starts_with("appended 3 records to planes: "), "{said}");
    assert!(said.contains(", 3 nulls"), "{said}");
    let expect = [
        (Value::from("0042"), r#"{"tail":"0042","seats":55,"note":"a \"b\""}"#),
        (Value::from("N2"), r#"{"tail":"N2","seats":null,"note":null}"#),
        (Value::Null, r#"{"tail":null,"seats":3,"note":""}"#),
    ];
    let expect = expect.map(|(key, value)| (key, value.to_owned()));
    assert_eq!(records(&node, "planes"), expect);
    node.bad(
        &["produce", "planes", "--csv", &file, "--key", "tial"],
        2,
        &["no column 'tial'", "did you mean 'tail'?"],
    );
}

#[test]
fn a_packed_month_goes_in_whole_and_keeps_its_planes_together() {
    let node = Node::dev(&[]);
    let (data, schema) = (example("flights-2013-01.csv.zst"), example("flights.sql"));
    let schema = format!("@{schema}");
    let produce = ["produce", "flights", "--csv", &data, "--key", "tailnum", "--null", "NA"];
    let create = ["--create", "--partitions", "3", "--schema", &schema, "-o", "json"];
    let reply = json(&node.good(&[&produce[..], &create].concat()));
    assert_eq!((&reply["records"], &reply["rows"]), (&27_004.into(), &27_004.into()));
    assert_eq!(reply["partitions"].as_array().unwrap().len(), 3);
    let lines = node.good(&["consume", "flights", "--until-end", "-o", "json"]);
    let mut homes = std::collections::BTreeMap::new();
    for record in lines.lines().map(json) {
        let value = json(record["value"].as_str().unwrap());
        assert_eq!(value.as_object().unwrap().len(), 19);
        assert_eq!(value["tailnum"], record["key"]);
        if let Some(plane) = record["key"].as_str() {
            let home = homes.entry(plane.to_owned()).or_insert(record["partition"].clone());
            assert_eq!(*home, record["partition"], "{plane}");
        }
    }
    assert!(homes.len() > 2_000, "{}", homes.len());
}

#[test]
fn a_log_can_be_made_with_an_inferred_schema() {
    let node = Node::dev(&[]);
    let output =
        pyralog(&node.asked(&["produce", "airports", "--csv", &example("airports.csv.zst")]))
            .args(["--create", "--infer-schema", "--null", "NA", "--key", "faa"])
            .output()
            .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let schema =
        "faa TEXT, name TEXT, lat DOUBLE, lon DOUBLE, alt BIGINT, tz BIGINT, dst TEXT, tzone TEXT";
    assert!(said.contains(&format!("inferred --schema '{schema}'")), "{said}");
    let log = json(&node.good(&["log", "describe", "airports", "-o", "json"]));
    assert_eq!((&log["schema"]["text"], &log["schema"]["version"]), (&schema.into(), &1.into()));
    // The second time it is there; columns that it lacks are named.
    let file = write(&node, "more.csv", b"faa,runways\nXYZ,2\n");
    let output = pyralog(&node.asked(&["produce", "airports", "--csv", &file, "--create"]))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("not in SQL: runways"), "{said}");
}

#[test]
fn json_stays_as_it_is_written() {
    let node = Node::dev(&[]);
    let lines =
        "{ \"id\" : 1.10, \"n\":12345678901234567890123 }\n\n{\"id\":\"b\",\"s\":\"\\u00e4\"}\n";
    let expect = [
        (Value::from("1.10"), "{ \"id\" : 1.10, \"n\":12345678901234567890123 }".to_owned()),
        (Value::from("b"), "{\"id\":\"b\",\"s\":\"\\u00e4\"}".to_owned()),
    ];
    node.fed(&["produce", "lines", "--create", "--json", "-", "--key", "id"], lines.as_bytes());
    assert_eq!(records(&node, "lines"), expect);
    let array = format!("[{}]\n", lines.trim().replace("\n\n", ",\n"));
    let array = write(&node, "array.json", array.as_bytes());
    node.good(&["produce", "array", "--create", "--json", &array, "--key", "id"]);
    assert_eq!(records(&node, "array"), expect);
}

#[test]
fn what_is_no_record_is_named_or_left_out() {
    let node = Node::dev(&[]);
    let file = write(&node, "a.csv", b"a,b\n1,2\n3\n4,5\n6,\xff\n7,8\n");
    let produce = ["produce", "a", "--create", "--csv", &file];
    let told = ["line 3: 1 fields, but there are 2 columns", "1 record before it was appended"];
    node.bad(&produce, 1, &[&told[..], &["--skip-rows 1"]].concat());
    // What it advises goes on where it stopped, and the rest may be left out.
    let more = [&produce[..], &["--skip-rows", "1", "--skip-invalid"]].concat();
    let said = node.good(&more);
    assert!(said.contains("appended 2 records"), "{said}");
    assert!(said.contains("left out 2 that are no records; the first is line 3:"), "{said}");
    let values: Vec<_> = records(&node, "a").into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, [r#"{"a":1,"b":2}"#, r#"{"a":4,"b":5}"#, r#"{"a":7,"b":8}"#]);
    let file = write(&node, "a.json", b"{}\n{\"a\":}\n");
    node.bad(&["produce", "a", "--json", &file], 1, &["line 2: not a JSON object"]);
    let file = write(&node, "b.json", b"[{},{}");
    node.bad(&["produce", "a", "--json", &file], 1, &["the array is not closed"]);
    node.bad(&["produce", "a", "--csv", "/nowhere.csv"], 3, &["cannot read /nowhere.csv"]);
    node.bad(&["produce", "b", "--csv", &file], 3, &["log-not-found"]);
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    for arguments in [
        &["--csv", "a", "--json", "b"][..],
        &["--csv", "a", "b"],
        &["--key", "a"],
        &["--csv", "a", "--key-separator", ":"],
        &["--json", "a", "--null", "NA"],
        &["--csv", "a", "--infer-schema"],
        &["--csv", "a", "--delimiter", "ab"],
    ] {
        crate::process::bad(&[&["produce", "x"], arguments].concat(), 2, &[]);
    }
}

#[test]
fn a_load_that_broke_off_says_how_to_go_on_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let mut node = Node::dev(&["--data-dir", data]);
    node.good(&["log", "create", "rows", "--partitions", "3"]);
    let text: String = (0..400_000).map(|row| format!("{row},{}\n", row % 97)).collect();
    let file = write(&node, "rows.csv", format!("id,k\n{text}").as_bytes());
    let produce = ["produce", "rows", "--csv", &file, "--key", "k"];
    let mut child = pyralog(&node.asked(&produce))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    poll("some records to be there", || {
        let log = json(&node.good(&["log", "describe", "rows", "-o", "json"]));
        let high = |partition: usize| log["partitions"][partition]["high"].as_u64().unwrap();
        (high(0) + high(1) + high(2) > 20_000).then_some(())
    });
    node.signal("TERM");
    let status = poll("produce to end", || child.try_wait().unwrap());
    let mut error = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut error).unwrap();
    assert_eq!(status.code(), Some(4), "{error}");
    let rows = error.split("--skip-rows ").nth(1).and_then(|rest| rest.split('`').next());
    let rows: u64 = rows.unwrap_or_else(|| panic!("{error}")).parse().unwrap();
    assert!(rows > 0, "{error}");
    node.wait();

    let node_again = Node::dev(&["--data-dir", data]);
    let there = records(&node_again, "rows").len() as u64;
    assert!(there >= rows && there < 400_000, "{there} {rows}");
    node_again.good(&[&produce[..], &["--skip-rows", &rows.to_string()]].concat());
    let all = records(&node_again, "rows");
    let mut ids: Vec<_> =
        all.iter().map(|(_, value)| json(value)["id"].as_u64().unwrap()).collect();
    let sent_twice = ids.len() as u64 - 400_000;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 400_000);
    // Only what lay behind the first gap comes twice.
    assert_eq!(sent_twice, there - rows);
}
