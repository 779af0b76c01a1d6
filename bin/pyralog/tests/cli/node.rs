//! A node's life from the terminal: start, stop, faults.

use crate::process::{Node, bad, poll, run};
use serde_json::Value;

#[test]
#[allow(clippy::disallowed_methods)] // how long a person waits is measured with a person's clock
fn dev_is_ready_at_once_and_leaves_nothing_behind() {
    let started = std::time::Instant::now();
    let mut node = Node::dev(&[]);
    // Two seconds on a quiet machine; this one may be building something else.
    assert!(started.elapsed().as_secs() < 10, "took {:?} to be ready", started.elapsed());
    assert_eq!(node.temporary_directories().len(), 1);
    let printed = node.printed();
    assert!(printed.contains("kcat -b") && printed.contains(&node.kafka), "{printed}");

    let status: Value = serde_json::from_str(&node.good(&["status", "-o", "json"])).unwrap();
    assert_eq!(
        (&status["readiness"], &status["node"], &status["boot"]),
        (&"ready".into(), &"dev".into(), &1.into())
    );
    assert!(status["number"].as_u64().unwrap() > 0);
    let table = node.good(&["status"]);
    assert!(table.contains("state    ready"), "{table}");

    let stopping = std::time::Instant::now();
    node.signal("TERM");
    let ended = node.wait();
    assert!(ended.success(), "{ended}: {}", node.errors());
    assert!(stopping.elapsed().as_secs() < 10, "took {:?} to stop", stopping.elapsed());
    assert!(node.temporary_directories().is_empty());
}

#[test]
fn a_data_directory_outlives_its_processes_and_has_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let first = Node::dev(&["--data-dir", data, "--node-id", "one"]);
    let second = run(&["dev", "--random-ports", "--data-dir", data]);
    let refused = String::from_utf8_lossy(&second.stderr);
    assert!(refused.contains("is in use by process"), "{refused}");
    assert_eq!(second.status.code(), Some(1));
    first.good(&["log", "create", "kept"]);
    first.fed(&["produce", "kept"], b"a\nb\n");
    first.stop();

    // Restarted in order, then after a kill that gave no warning.
    for (boot, killed) in [(2, true), (3, false)] {
        let mut node = Node::dev(&["--data-dir", data]);
        let status: Value = serde_json::from_str(&node.good(&["status", "-o", "json"])).unwrap();
        assert_eq!((&status["node"], &status["boot"]), (&"one".into(), &boot.into()));
        assert_eq!(node.good(&["consume", "kept", "--until-end"]), "a\nb\n");
        if killed {
            node.signal("KILL");
            node.wait();
        } else {
            node.stop();
        }
    }
    let other = run(&["dev", "--random-ports", "--data-dir", data, "--node-id", "two"]);
    assert!(String::from_utf8_lossy(&other.stderr).contains("belongs to node 'one'"));
}

#[test]
fn the_tree_is_shown_and_a_killed_actor_comes_back() {
    let node = Node::dev(&["--debug-faults"]);
    let table = node.good(&["actors"]);
    assert!(table.starts_with("ACTOR") && table.contains("└─ "), "{table}");
    node.good(&["debug", "kill", "pyralog/console"]);
    poll("the console to be restarted", || {
        // The door may be between two incarnations just now.
        let output = run(&node.asked(&["actors", "pyralog/console", "-o", "json"]));
        let tree: Value = serde_json::from_slice(&output.stdout).ok()?;
        (tree["restarts"].as_u64()? >= 1 && tree["state"] == "running").then_some(())
    });
    node.bad(&["debug", "kill", "pyralog/nobody"], 3, &["actor-not-found"]);
    node.bad(&["actors", "pyralog/consle"], 3, &["did you mean 'pyralog/console'?"]);
    node.stop();
}

#[test]
fn keys_that_wait_for_a_feature_are_named_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pyralog.toml");
    let text =
        "[pyramid]\nreplication_factor = 3\nsegment_size = \"1GB\"\n[obelisk]\nnode_id = \"o\"\n";
    std::fs::write(&path, text).unwrap();
    let node = Node::dev(&["--config", path.to_str().unwrap()]);
    let errors = node.errors();
    let warnings: Vec<_> = errors.lines().filter(|line| line.contains("no effect")).collect();
    let [copies, obelisk] = warnings[..] else { panic!("{errors}") };
    assert!(
        copies.contains("pyramid.replication_factor = 3") && copies.contains("with replication")
    );
    assert!(obelisk.contains("obelisk.node_id = o") && obelisk.contains("pyramid.node_id speaks"));
}

#[test]
fn a_killed_root_is_called_that() {
    let mut node = Node::dev(&["--debug-faults"]);
    node.good(&["debug", "kill", "pyralog"]);
    assert_eq!(node.wait().code(), Some(1));
    assert!(node.errors().contains("the root supervisor was killed"), "{}", node.errors());
}

#[test]
fn faults_need_leave() {
    let node = Node::dev(&[]);
    node.bad(&["debug", "kill", "pyralog/console"], 1, &["debug-disabled", "--debug-faults"]);
}

#[test]
fn a_store_that_fails_stops_the_node_and_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    // 51 MB: enough for a file of the WAL, not for what comes.
    let mut node = Node::dev_with_small_files(100_000, &["--data-dir", data]);
    node.good(&["log", "create", "bench"]);
    node.fed(&["produce", "bench"], b"safe\n");
    let load = ["bench", "produce", "--bootstrap", &node.kafka, "--total-bytes", "200000000"];
    bad(&load, 1, &["KafkaStorageError"]);
    poll("the node to say that it failed", || {
        let status = String::from_utf8(run(&node.asked(&["status"])).stdout).unwrap();
        status.contains("state    failed").then_some(())
    });
    // What was synced can still be read.
    assert_eq!(node.good(&["consume", "bench", "--limit", "1"]), "safe\n");
    // It would end by itself after ten seconds.
    node.signal("TERM");
    assert_eq!(node.wait().code(), Some(74), "{}", node.errors());
    let again = Node::dev(&["--data-dir", data]);
    assert_eq!(again.good(&["consume", "bench", "--limit", "1"]), "safe\n");
}
