//! `pyralog dev`: up at once, down in order, and nothing left behind.

use pyralog_tests::node::{END_PATIENCE, Node, Plan};
use pyralog_tests::{binary, http, kafka, wait};
use rustix::process::Signal;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

const READY: Duration = Duration::from_secs(2);
const STOPPED: Duration = Duration::from_secs(10);
/// Other tests keep the machine busy; one start in so many must be as quick as
/// all of them are on an idle one.
const ATTEMPTS: usize = 4;

/// A temporary node on ports of the system's choice, its own `TMPDIR` in `folder`.
fn temporary(folder: &Path) -> Plan {
    let tmp = folder.join("tmp");
    fs::create_dir_all(&tmp).unwrap();
    let mut plan = Plan::bare(folder, &["--random-ports"]);
    plan.environment.push(("TMPDIR".into(), tmp.to_string_lossy().into_owned()));
    plan
}

/// The address in a line such as `Kafka  127.0.0.1:9092`.
fn address(node: &Node, door: &str) -> SocketAddr {
    let greeting = node.stdout();
    let line = greeting.lines().find(|line| line.trim_start().starts_with(door));
    let text = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap_or_else(|| panic!("no {door} in {greeting}"));
    text.trim_start_matches("http://").parse().unwrap()
}

#[test]
fn dev_is_ready_in_two_seconds() {
    let quickest = (0..ATTEMPTS).map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let node = temporary(folder.path()).start().unwrap();
        let elapsed = started.elapsed();
        node.stop().unwrap();
        elapsed
    });
    let quickest = quickest.min().unwrap();
    assert!(quickest < READY, "{quickest:?}");
}

#[test]
fn dev_greets_serves_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = temporary(folder.path()).start().unwrap();
    let (kafka, http) = (address(&node, "Kafka"), address(&node, "HTTP"));
    assert!(node.stdout().contains(&format!("kcat -b {kafka}")), "{}", node.stdout());
    assert_eq!(http::get(http, "/readyz").unwrap().status, 200);
    assert_eq!(http::get(http, "/livez").unwrap().status, 200);
    assert_eq!(http::get(http, "/startupz").unwrap().status, 200);
    assert!(http::get(http, "/metrics").unwrap().body.lines().count() > 3);
    let status = http::get(http, "/v1/status").unwrap().json().unwrap();
    assert_eq!(status["kafka_address"].as_str(), Some(kafka.to_string().as_str()));
    assert_eq!(kafka::Client::dial(kafka).unwrap().metadata("made-by-asking", true).unwrap().1, 1);

    let tmp = folder.path().join("tmp");
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 1, "the data is in TMPDIR");
    let asked = Instant::now();
    node.terminate().unwrap();
    let status = node.wait_end(END_PATIENCE).unwrap();
    assert!(status.success(), "{status} {}", node.tail());
    assert!(asked.elapsed() < STOPPED, "{:?}", asked.elapsed());
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0, "the data is gone with the node");
}

#[test]
fn what_a_killed_dev_left_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let plan = temporary(folder.path());
    plan.start().unwrap().kill().unwrap();
    let tmp = folder.path().join("tmp");
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 1);
    plan.start().unwrap().stop().unwrap();
    assert_eq!(fs::read_dir(&tmp).unwrap().count(), 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = temporary(folder.path()).start().unwrap();
    // Both are waiting when the process wakes up, so neither comes too late.
    node.signal(Signal::STOP).unwrap();
    node.signal(Signal::TERM).unwrap();
    node.signal(Signal::INT).unwrap();
    let woken = Instant::now();
    node.signal(Signal::CONT).unwrap();
    let status = node.wait_end(END_PATIENCE).unwrap();
    assert_eq!(status.code(), Some(1), "{}", node.tail());
    assert!(woken.elapsed() < READY, "{:?}", woken.elapsed());
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--listen-addr", "--http-addr"] {
        let finished = binary::run(["dev", flag, &address]);
        assert_eq!(finished.code, 1, "{}", finished.stderr);
        assert!(finished.stderr.contains(&address), "{}", finished.stderr);
        assert!(finished.stderr.contains("--random-ports"), "{}", finished.stderr);
    }
}

#[test]
fn a_data_directory_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Plan::new(&data, folder.path()).start().unwrap();
    let arguments = ["dev", "--random-ports", "--data-dir", data.to_str().unwrap()];
    let finished = binary::run(arguments);
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains(&node.id().to_string()), "who has it? {}", finished.stderr);
    node.stop().unwrap();
}

#[test]
fn a_boot_is_counted_and_the_identity_stays() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let status = |plan: &Plan| http::get(plan.http(), "/v1/status").unwrap().json().unwrap();
    let node = plan.start().unwrap();
    let first = status(&plan);
    node.kill().unwrap();
    let node = plan.start().unwrap();
    let second = status(&plan);
    assert!(wait::holds(END_PATIENCE, || node.readyz() == Some(200)));
    for key in ["cluster", "store", "number", "node"] {
        assert_eq!(first[key], second[key], "{key}");
    }
    assert_eq!(first["boot"].as_u64().unwrap() + 1, second["boot"].as_u64().unwrap());
    node.stop().unwrap();
}
