//! Two tiers in two processes: each key of a node that is one of them acts, and
//! each says what it lacks.

use crate::process::{Node, bad, good, poll, pyralog, run};
use serde_json::Value;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// Two nodes of one cluster have the same cookie.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Starts a node of `role` with more flags.
    fn node(&self, role: &str, more: &[&str]) -> Node {
        let (data, cookie) = (self.text(role), self.text("cookie"));
        let own = ["--role", role, "--data-dir", &data, "--cookie-file", &cookie];
        let sockets = ["--listen-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"];
        Node::start(pyralog(&[&own[..], &sockets, more].concat()))
    }

    fn pyramid(&self, obelisk: &Node) -> Node {
        let endpoint = status(obelisk)["link_address"].as_str().unwrap().to_owned();
        // A host has one name, and these two share a host.
        let name = ["--node-id", "p"];
        let more = [&name[..], &["--link-addr", "127.0.0.1:0", "--pharaoh-endpoints", &endpoint]];
        self.node("pyramid", &more.concat())
    }

    /// What a Pyramid that cannot join says, by its status.
    fn waiting(
        &self,
        cookie: &str,
        obelisk: &str,
        says: impl Fn(&Value) -> Option<&str>,
    ) -> String {
        let (http, data, cookie) = (free_address(), self.text("p"), self.text(cookie));
        let sockets = ["--listen-addr", "127.0.0.1:0", "--link-addr", "127.0.0.1:0"];
        let own = ["--role", "pyramid", "--http-addr", &http, "--data-dir", &data];
        let others = ["--cookie-file", &cookie, "--pharaoh-endpoints", obelisk, "--node-id", "p"];
        let mut command = pyralog(&[&own[..], &sockets, &others].concat());
        let errors = std::fs::File::create(self.path("errors")).unwrap();
        let mut child = command.stdout(Stdio::null()).stderr(errors).spawn().unwrap();
        let why = poll("the status to say what it waits for", || {
            let output = run(&["status", "-o", "json", "--server", &http]);
            let status: Value = serde_json::from_slice(&output.stdout).ok()?;
            says(&status).map(str::to_owned)
        });
        let _ = child.kill();
        let _ = child.wait();
        why
    }
}

fn status(node: &Node) -> Value {
    serde_json::from_str(&node.good(&["status", "-o", "json"])).unwrap()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn an_obelisk_alone_counts_and_has_no_logs() {
    let place = Place::new();
    let more = ["--node-id", "o", "--counter-file-size", "1GB"];
    let obelisk = place.node("obelisk", &more);
    let found = status(&obelisk);
    assert_eq!((&found["role"], &found["node"]), (&"obelisk".into(), &"o".into()), "{found}");
    assert_eq!((&found["kafka_address"], &found["logs"]), (&Value::Null, &Value::Null));
    assert!(found["number"].as_u64().is_some_and(|number| number > 0), "{found}");

    let ids = obelisk.good(&["id", "--count", "3"]);
    let ids: Vec<u64> = ids.lines().map(|line| line.parse().unwrap()).collect();
    assert!(ids.len() == 3 && ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert!(obelisk.good(&["counter", "create", "tickets"]).contains("tickets counts, exact"));
    assert_eq!(obelisk.good(&["counter", "next", "tickets", "--count", "2"]), "1\n2\n");
    assert_eq!(obelisk.good(&["counter", "value", "tickets"]), "2\n");
    assert!(obelisk.good(&["counter", "list"]).contains("tickets  exact"));
    obelisk.bad(&["log", "list"], 1, &["this node is an Obelisk", "not-supported"]);
    arena_is_sparse(&place.path("obelisk/obelisk/arena"), 1_000_000_000);
    obelisk.stop();
}

fn arena_is_sparse(path: &Path, bytes: u64) {
    let metadata = std::fs::metadata(path).unwrap();
    assert_eq!(metadata.len(), bytes);
    assert!(metadata.blocks() * 512 < bytes / 10, "{} blocks", metadata.blocks());
}

#[test]
fn a_crash_skips_values_unless_every_increment_is_synced() {
    for (more, gap) in [(&["--fsync-on-increment"][..], false), (&[], true)] {
        let place = Place::new();
        let mut obelisk = place.node("obelisk", more);
        obelisk.good(&["counter", "create", "tickets"]);
        assert_eq!(obelisk.good(&["counter", "next", "tickets"]), "1\n");
        obelisk.signal("KILL");
        obelisk.wait();
        let obelisk = place.node("obelisk", more);
        let next: u64 = obelisk.good(&["counter", "next", "tickets"]).trim().parse().unwrap();
        assert!(next == 2 || gap && next > 2 && next <= 100_002, "{more:?}: {next}");
    }
}

#[test]
fn a_pyramid_serves_what_it_has_without_its_obelisk() {
    let place = Place::new();
    let mut obelisk = place.node("obelisk", &[]);
    let pyramid = place.pyramid(&obelisk);
    pyramid.good(&["log", "create", "flights"]);
    pyramid.fed(&["produce", "flights"], b"one\n");
    let record = pyramid.good(&["consume", "flights", "--until-end", "-o", "json"]);
    let record: Value = serde_json::from_str(&record).unwrap();
    let id = record["scarab_id"].as_str().unwrap_or_else(|| panic!("{record}"));
    assert!(good(&["id", "decode", id]).contains("lane"));
    let found = status(&pyramid);
    assert_eq!(found["obelisks"][0]["up"], true, "{found}");
    assert!(found["lease"]["remaining_ms"].as_u64().unwrap() > 60_000, "{found}");
    let leased = ["counter", "next", "seats", "--mode", "leased", "--count", "3", "-o", "json"];
    let leased: Value = serde_json::from_str(&pyramid.good(&leased)).unwrap();
    assert_eq!((&leased["mode"], &leased["count"]), (&"leased".into(), &3.into()), "{leased}");

    obelisk.signal("KILL");
    obelisk.wait();
    pyramid.fed(&["produce", "flights"], b"two\n");
    assert_eq!(pyramid.good(&["consume", "flights", "--until-end"]), "one\ntwo\n");
    pyramid.good(&["id"]);
    pyramid.bad(&["log", "create", "more"], 4, &["obelisk-away"]);
    poll("the status to say that it is away", || {
        let table = String::from_utf8(run(&pyramid.asked(&["status"])).stdout).unwrap();
        table.contains("is away").then_some(())
    });
    pyramid.stop();
}

#[test]
fn a_pyramid_that_reaches_nobody_says_where_it_looked() {
    let (place, nobody) = (Place::new(), free_address());
    let why = place.waiting("cookie", &nobody, |status| status["waits_for"].as_str());
    assert!(why.contains("Obelisk") && why.contains(&nobody), "{why}");
}

#[test]
fn a_pyramid_with_another_secret_is_refused() {
    let place = Place::new();
    let obelisk = place.node("obelisk", &[]);
    let address = status(&obelisk)["link_address"].as_str().unwrap().to_owned();
    let why = place.waiting("other", &address, |status| status["obelisks"][0]["error"].as_str());
    assert!(why.contains("cookie"), "{why}");
    obelisk.stop();
}

#[test]
fn a_list_of_servers_is_tried_in_order() {
    let node = Node::dev(&[]);
    let list = format!("http://{},{}", free_address(), node.http);
    let ids =
        String::from_utf8(pyralog(&["id"]).env("PYRALOG_SERVER", list).output().unwrap().stdout);
    assert!(ids.unwrap().trim().parse::<u64>().is_ok());
    bad(&["id", "--server", &free_address()], 4, &["cannot reach a node"]);
}
