//! `pyralog config check`, and mistakes shown before anything starts.

use crate::process::{bad, good, pyralog};
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

fn file(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pyralog.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn a_mistake_in_the_file_is_shown_and_is_a_usage_error() {
    let (_dir, path) = file("[pyramid]\nnode_id = \"a\"\nlisten_adr = \"127.0.0.1:1\"\n");
    let path = path.to_str().unwrap();
    let shown = [
        "unknown key 'listen_adr'",
        "pyralog.toml:3:1",
        "^^^^^^^^^^",
        "did you mean 'listen_addr'?",
    ];
    bad(&["config", "check", "--config", path], 2, &shown);
    bad(&["dev", "--config", path], 2, &shown);
    bad(&["config", "check", "--config", "/nowhere.toml"], 2, &["cannot read /nowhere.toml"]);
}

#[test]
fn check_shows_every_key_with_its_origin_and_what_it_waits_for() {
    let (_dir, path) =
        file("[pyramid]\nsegment_size = \"1GiB\"\n[obelisk]\ncounter_file_size = \"1TB\"\n");
    let output = pyralog(&[
        "config",
        "check",
        "-o",
        "json",
        "--node-id",
        "n",
        "--config",
        path.to_str().unwrap(),
    ])
    .env("PYRALOG_PYRAMID_HTTP_ADDR", "127.0.0.1:0")
    .output()
    .unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows.len(), pyralog::config::KEYS.len());
    let row = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap();
    assert_eq!(row("pyramid.segment_size")["value"], "1GiB");
    assert_eq!(row("pyramid.segment_size")["origin"], format!("{}:2", path.display()));
    assert_eq!(row("pyramid.http_addr")["origin"], "PYRALOG_PYRAMID_HTTP_ADDR");
    assert_eq!(row("pyramid.node_id")["origin"], "--node-id");
    let raft = row("obelisk.raft_election_timeout_ms");
    assert_eq!(raft["takes_effect_with"], "the Pharaoh Network");
    assert_eq!(row("obelisk.counter_file_size")["takes_effect_with"], Value::Null);
    assert_eq!(row("pyramid.data_dir")["takes_effect_with"], Value::Null);
    let table = good(&["config", "check"]);
    assert!(
        table.contains("pyramid.raft_election_timeout_ms")
            && table.contains("takes effect with replication"),
        "{table}"
    );
}

#[test]
fn what_cannot_run_is_refused_with_advice() {
    // Written here perhaps, for a node that is started elsewhere with --insecure.
    bad(&["config", "check", "--listen-addr", "0.0.0.0:9092"], 0, &["warning", "--insecure"]);
    let same = ["--listen-addr", "127.0.0.1:9", "--http-addr", "127.0.0.1:9"];
    bad(&[&["config", "check"], &same[..]].concat(), 2, &["each its own port"]);
    // Said to be a Pyramid alone, it is judged as one; else only warned about.
    let config = ["config", "check", "--pharaoh-endpoints", "a:7070,b:7070", "--cookie-file", "c"];
    bad(&config, 0, &["warning", "not-supported"]);
    good(&[&config[..], &["--role", "pyramid"]].concat());
    bad(&["config", "check", "--role", "pyramid"], 2, &["--pharaoh-endpoints"]);
    bad(&["config", "check", "--role", "obelisk", "--link-addr", "a:1"], 2, &["--listen-addr"]);
    good(&["config", "check", "--role", "obelisk", "--listen-addr", "127.0.0.1:7"]);
    bad(&["dev", "--http-addr", "0.0.0.0:0"], 2, &["--insecure"]);
    good(&["config", "check", "--listen-addr", "0.0.0.0:9092", "--insecure"]);
    bad(&["--role", "pyramid"], 2, &["--pharaoh-endpoints"]);
    let others = ["--pharaoh-endpoints", "127.0.0.1:1,127.0.0.1:2"];
    bad(&[&["--role", "obelisk"], &others[..]].concat(), 2, &["not-supported"]);
    bad(&["--role", "sphinx"], 2, &["sphinx"]);
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = good(&["--help"]);
    for word in
        ["dev", "log", "produce", "consume", "actors", "status", "config", "bench", "--data-dir"]
    {
        assert!(help.contains(word), "{word} is missing from the help");
    }
    assert!(good(&["--version"]).starts_with("pyralog "));
    good(&["log", "create", "--help"]);
    bad(&["log", "crate"], 2, &["create"]);
    bad(&["lgo", "list"], 2, &["'lgo'", "a similar subcommand exists: 'log'"]);
    // Where it would put its data is not guessed.
    bad(&[], 2, &["Usage:", "nothing says what to run", "--data-dir"]);
}

#[test]
fn a_taken_port_is_named_and_another_offered() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let flags = [
        "dev",
        "--listen-addr",
        "127.0.0.1:0",
        "--http-addr",
        &address,
        "--data-dir",
        data.to_str().unwrap(),
    ];
    bad(&flags, 1, &[&address, "http_addr", "--random-ports"]);
    assert!(!data.exists(), "nothing is made before the ports are ours");
}

#[test]
fn an_absent_server_is_worth_another_try() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = format!("http://{free}");
    bad(&["status", "--server", &server], 4, &["cannot reach a node", "pyralog dev"]);
    bad(&["status", "--server", "https://a:1"], 2, &["TLS"]);
}
